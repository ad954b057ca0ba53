// SPDX-License-Identifier: LGPL-2.1-or-later

#include "extension/boxed.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <pygobject-3.0/pygobject.h>
#pragma GCC diagnostic pop

namespace sightline::python {

bool import_pygobject() {
  PyObject* module = pygobject_init(3, 40, 0);
  Py_XDECREF(module);
  return module != nullptr;
}

gpointer boxed_in(PyObject* object, GType type, const char* name) {
  if (pyg_boxed_check(object, type)) return pyg_boxed_get_ptr(object);
  PyErr_Format(PyExc_TypeError, "%s is a %s, expected a %s", name, Py_TYPE(object)->tp_name,
               g_type_name(type));
  return nullptr;
}

bool is_boxed(PyObject* object, GType type) { return pyg_boxed_check(object, type) != FALSE; }

PyObject* wrap_copy(const GValue& value) { return pyg_value_as_pyobject(&value, TRUE); }

PyObject* wrap_owned(GType type, gpointer boxed) {
  PyObject* wrapper = pyg_boxed_new(type, boxed, FALSE, TRUE);
  if (wrapper == nullptr) g_boxed_free(type, boxed);
  return wrapper;
}

PyObject* wrap_borrowed(GType type, gpointer boxed) {
  return pyg_boxed_new(type, boxed, FALSE, FALSE);
}

void let_go(PyObject* borrowed) {
  if (borrowed == nullptr) return;
  auto* wrapper = reinterpret_cast<PyGBoxed*>(borrowed);
  if (Py_REFCNT(borrowed) > 1) {
    wrapper->boxed = g_boxed_copy(wrapper->gtype, wrapper->boxed);
    wrapper->free_on_dealloc = TRUE;
  }
  Py_DECREF(borrowed);
}

bool raise_gerror(GError** error) { return pyg_error_check(error) != FALSE; }

}  // namespace sightline::python
