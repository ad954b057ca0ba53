// SPDX-License-Identifier: LGPL-2.1-or-later

#include "extension/objects.h"

#include <memory>
#include <utility>
#include <vector>

#include <sightline/frame.h>

#include "extension/array_view.h"
#include "extension/boxed.h"

namespace sightline::python {

namespace {

SightObject* object_in(PyObject* object) {
  return static_cast<SightObject*>(boxed_in(object, SIGHT_TYPE_OBJECT, "object"));
}

}  // namespace

PyObject* new_box(PyObject* /*module*/, PyObject* numbers) {
  PyObject* items = PySequence_Fast(numbers, "a box is left, top, width and height");
  if (items == nullptr) return nullptr;
  float values[4] = {};
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
  for (Py_ssize_t i = 0; i < count && i < 4; ++i)
    values[i] = static_cast<float>(PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items, i)));
  Py_DECREF(items);
  if (PyErr_Occurred() != nullptr) return nullptr;
  if (count != 4)
    return PyErr_Format(PyExc_ValueError, "a box is left, top, width and height, not %zd numbers",
                        count);
  const SightBox box{values[0], values[1], values[2], values[3]};
  return wrap_owned(SIGHT_TYPE_BOX, g_boxed_copy(SIGHT_TYPE_BOX, &box));
}

PyObject* object_box(PyObject* /*module*/, PyObject* object) {
  const SightObject* from = object_in(object);
  if (from == nullptr) return nullptr;
  SightBox box;
  sight_object_get_box(from, &box);
  return wrap_owned(SIGHT_TYPE_BOX, g_boxed_copy(SIGHT_TYPE_BOX, &box));
}

PyObject* landmarks_view(PyObject* /*module*/, PyObject* object) {
  const SightObject* from = object_in(object);
  if (from == nullptr) return nullptr;
  guint count = 0;
  const SightPoint* landmarks = sight_object_get_landmarks(from, &count);
  const auto copy = std::make_shared<std::vector<SightPoint>>(landmarks, landmarks + count);
  ArrayView view;
  view.data = copy->data();
  view.format = 'f';
  view.item_bytes = sizeof(float);
  view.shape = {static_cast<Py_ssize_t>(count), 2};
  view.owner = copy;
  return new_array_view(std::move(view));
}

PyObject* user_value(PyObject* /*module*/, PyObject* arguments) {
  PyObject* owner = nullptr;
  const char* name = nullptr;
  if (PyArg_ParseTuple(arguments, "Os:user_value", &owner, &name) == 0) return nullptr;
  const GValue* value = nullptr;
  if (is_boxed(owner, SIGHT_TYPE_FRAME)) {
    value = sight_frame_get_user_data(
        static_cast<SightFrame*>(boxed_in(owner, SIGHT_TYPE_FRAME, "frame")), name);
  } else {
    const SightObject* object = object_in(owner);
    if (object == nullptr) return nullptr;
    value = sight_object_get_user_data(object, name);
  }
  return value != nullptr ? wrap_copy(*value) : Py_NewRef(Py_None);
}

}  // namespace sightline::python
