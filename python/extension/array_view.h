// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Memory that others own, as Python's buffer protocol has it: numpy.asarray() and memoryview() read
// it where it lies.

#pragma once

#include <memory>
#include <vector>

#include <Python.h>

namespace sightline::python {

struct ArrayView {
  const void* data = nullptr;
  char format = 'B';  // as module `struct` has it, in native byte order and size
  Py_ssize_t item_bytes = 1;
  std::vector<Py_ssize_t> shape;
  std::vector<Py_ssize_t> strides;    // in bytes; empty: dense and row-major
  std::shared_ptr<const void> owner;  // keeps `data` valid
};

// Makes the type of views known to `module`. False with an exception set.
bool add_array_view_type(PyObject* module);

// A new read-only exporter of `view`, which lives until nobody has a view of it. Null with an
// exception set.
PyObject* new_array_view(ArrayView view);

}  // namespace sightline::python
