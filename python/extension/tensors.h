// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Tensors for Python: as views, as DLPack's capsules, and made of arrays.

#pragma once

#include <Python.h>

namespace sightline::python {

// Of a Sightline.Tensor: a view of its elements in host memory, which holds it.
PyObject* tensor_view(PyObject* module, PyObject* tensor);

// (tensor, versioned): a capsule for from_dlpack(), of DLPack 1.0 (which says that the elements are
// read-only) or of the versions before. A capsule that nobody takes frees what it holds.
PyObject* tensor_dlpack(PyObject* module, PyObject* arguments);

// (name, array): a Sightline.Tensor with a copy of what has the buffer protocol.
PyObject* tensor_from_array(PyObject* module, PyObject* arguments);

}  // namespace sightline::python
