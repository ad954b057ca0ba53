// SPDX-License-Identifier: LGPL-2.1-or-later

#include "extension/array_view.h"

#include <new>
#include <utility>

namespace sightline::python {

namespace {

struct ViewObject {
  PyObject_HEAD ArrayView view;
  Py_ssize_t bytes;
  bool is_dense;
  char format[2];
};

PyTypeObject* view_type = nullptr;  // of the interpreter's lifetime

void add_dense_strides(ArrayView& view) {
  view.strides.assign(view.shape.size(), 0);
  Py_ssize_t step = view.item_bytes;
  for (std::size_t i = view.shape.size(); i-- > 0;) {
    view.strides[i] = step;
    step *= view.shape[i];
  }
}

bool is_dense(const ArrayView& view) {
  Py_ssize_t step = view.item_bytes;
  for (std::size_t i = view.shape.size(); i-- > 0;) {
    if (view.shape[i] > 1 && view.strides[i] != step) return false;
    step *= view.shape[i];
  }
  return true;
}

bool wants(int flags, int what) { return (flags & what) == what; }

// What a consumer may not ask for; null: nothing.
const char* refusal(const ViewObject& self, int flags) {
  if (wants(flags, PyBUF_WRITABLE))
    return "results and frames are read-only: what was pushed is never changed. Work on a copy";
  if (wants(flags, PyBUF_F_CONTIGUOUS) && !wants(flags, PyBUF_ANY_CONTIGUOUS) &&
      self.view.shape.size() > 1)
    return "the elements lie row by row, not column by column";
  const bool needs_dense = !wants(flags, PyBUF_STRIDES) || wants(flags, PyBUF_C_CONTIGUOUS) ||
                           wants(flags, PyBUF_ANY_CONTIGUOUS);
  if (needs_dense && !self.is_dense)
    return "the rows have padding between them: ask for strides, as numpy.asarray() does";
  return nullptr;
}

int get_buffer(PyObject* object, Py_buffer* out, int flags) {
  auto& self = *reinterpret_cast<ViewObject*>(object);
  if (const char* why = refusal(self, flags)) {
    out->obj = nullptr;
    PyErr_SetString(PyExc_BufferError, why);
    return -1;
  }
  Py_INCREF(object);
  out->obj = object;
  out->buf = const_cast<void*>(self.view.data);
  out->len = self.bytes;
  out->readonly = 1;
  out->itemsize = self.view.item_bytes;
  out->format = wants(flags, PyBUF_FORMAT) ? self.format : nullptr;
  out->ndim = static_cast<int>(self.view.shape.size());
  out->shape = wants(flags, PyBUF_ND) ? self.view.shape.data() : nullptr;
  out->strides = wants(flags, PyBUF_STRIDES) ? self.view.strides.data() : nullptr;
  out->suboffsets = nullptr;
  out->internal = nullptr;
  return 0;
}

void dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  reinterpret_cast<ViewObject*>(object)->view.~ArrayView();
  type->tp_free(object);
  Py_DECREF(type);
}

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("Read-only memory, for numpy.asarray() and memoryview().")},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {0, nullptr}};

PyType_Spec type_spec = {"gi.overrides._gi_sightline.ArrayView", sizeof(ViewObject), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace

bool add_array_view_type(PyObject* module) {
  view_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&type_spec));
  return view_type != nullptr && PyModule_AddType(module, view_type) == 0;
}

PyObject* new_array_view(ArrayView view) {
  if (view.shape.size() > PyBUF_MAX_NDIM)
    return PyErr_Format(PyExc_BufferError, "%zu dimensions, of which Python takes at most %d",
                        view.shape.size(), PyBUF_MAX_NDIM);
  auto* object = reinterpret_cast<ViewObject*>(view_type->tp_alloc(view_type, 0));
  if (object == nullptr) return nullptr;
  new (&object->view) ArrayView(std::move(view));
  if (object->view.strides.empty()) add_dense_strides(object->view);
  if (object->view.data == nullptr)
    object->view.data = "";  // of no elements; consumers want an address
  object->is_dense = is_dense(object->view);
  object->bytes = object->view.item_bytes;
  for (const Py_ssize_t size : object->view.shape) object->bytes *= size;
  object->format[0] = object->view.format;
  object->format[1] = '\0';
  return reinterpret_cast<PyObject*>(object);
}

}  // namespace sightline::python
