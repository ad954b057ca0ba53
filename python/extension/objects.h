// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is read of objects most, without the detours of introspection.

#pragma once

#include <Python.h>

namespace sightline::python {

// Of a Sightline.Object: its box, a Sightline.Box.
PyObject* object_box(PyObject* module, PyObject* object);

// A Sightline.Box of four numbers in a sequence: left, top, width, height.
PyObject* new_box(PyObject* module, PyObject* numbers);

// Of a Sightline.Object: its landmarks as a float32 view [n, 2] of a copy, as an object that is
// being edited may change.
PyObject* landmarks_view(PyObject* module, PyObject* object);

// (owner, name) of a Sightline.Frame or Sightline.Object: a copy of its user data under that name,
// None if there is none. What introspection gives for a boxed value points into its owner, and is
// invalid with it.
PyObject* user_value(PyObject* module, PyObject* arguments);

}  // namespace sightline::python
