// SPDX-License-Identifier: LGPL-2.1-or-later
//
// GLib's boxed values inside PyGObject's wrappers. All functions need the GIL; those that fail
// leave a Python exception.

#pragma once

#include <Python.h>

#include <glib-object.h>

namespace sightline::python {

// To be called before the others, and after an interpreter is there: imports PyGObject.
bool import_pygobject();

// What `object` wraps, valid as long as `object`; null with TypeError if it is not of `type`.
// `name` is what the error calls the argument.
gpointer boxed_in(PyObject* object, GType type, const char* name);

bool is_boxed(PyObject* object, GType type);

// What Python has for `value`; of a boxed value, a wrapper that owns a copy.
PyObject* wrap_copy(const GValue& value);

// A wrapper that owns `boxed`; what it owned if there is no wrapper is freed.
PyObject* wrap_owned(GType type, gpointer boxed);

// A wrapper without a reference of its own, so that a mini object stays writable during a call.
// let_go() ends that: a wrapper that Python keeps gets a reference then.
PyObject* wrap_borrowed(GType type, gpointer boxed);
void let_go(PyObject* borrowed);

// Whether `*error` was set; it is freed and raised as GLib.Error.
bool raise_gerror(GError** error);

}  // namespace sightline::python
