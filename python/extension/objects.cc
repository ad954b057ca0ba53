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

}  // namespace sightline::python
