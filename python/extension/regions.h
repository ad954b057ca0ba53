// SPDX-License-Identifier: LGPL-2.1-or-later
//
// GstVideoRegionOfInterestMeta, which PyGObject cannot walk.

#pragma once

#include <Python.h>

namespace sightline::python {

// Of a Gst.Buffer: a list with a tuple (label, box, id, parent id, parameters) of each region; the
// parameters are a list of Gst.Structure. All are copies.
PyObject* regions(PyObject* module, PyObject* buffer);

}  // namespace sightline::python
