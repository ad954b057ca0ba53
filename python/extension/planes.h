// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The planes of a video frame as views.

#pragma once

#include <Python.h>

namespace sightline::python {

// (buffer, info or None): a tuple with a view of each plane, [height, width] or [height, width,
// components]. A view holds the mapped memory, not the buffer: results can still be added to the
// buffer, and whoever wants to write its pixels meanwhile gets memory of their own. ValueError if
// the format is not known or too complex, BufferError if the frame cannot be read here.
PyObject* plane_views(PyObject* module, PyObject* arguments);

}  // namespace sightline::python
