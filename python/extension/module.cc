// SPDX-License-Identifier: LGPL-2.1-or-later
//
// gi.overrides._gi_sightline: what Sightline.py cannot do in Python.

#include <Python.h>

#include "extension/array_view.h"
#include "extension/boxed.h"
#include "extension/objects.h"
#include "extension/planes.h"
#include "extension/regions.h"
#include "extension/tensors.h"

namespace {

using namespace sightline::python;

PyMethodDef functions[] = {
    {"tensor_view", tensor_view, METH_O, "The elements of a tensor, for numpy.asarray()."},
    {"tensor_dlpack", tensor_dlpack, METH_VARARGS, "A DLPack capsule of a tensor."},
    {"tensor_from_array", tensor_from_array, METH_VARARGS, "A tensor with a copy of an array."},
    {"new_box", new_box, METH_O, "A box of four numbers."},
    {"object_box", object_box, METH_O, "The box of an object."},
    {"landmarks_view", landmarks_view, METH_O, "The landmarks of an object."},
    {"user_value", user_value, METH_VARARGS, "User data of a frame or an object."},
    {"regions", regions, METH_O, "The regions of interest on a buffer."},
    {"plane_views", plane_views, METH_VARARGS, "The planes of a video frame."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_gi_sightline",
                          nullptr,
                          -1,
                          functions,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__gi_sightline() {
  if (!import_pygobject()) return nullptr;
  PyObject* module = PyModule_Create(&definition);
  if (module != nullptr && !add_array_view_type(module)) Py_CLEAR(module);
  return module;
}
