// SPDX-License-Identifier: LGPL-2.1-or-later

#include "extension/tensors.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sightline/tensor.h>

#include "extension/array_view.h"
#include "extension/boxed.h"
#include "meta/dlpack.h"

namespace sightline::python {

namespace {

SightTensor* tensor_in(PyObject* object) {
  return static_cast<SightTensor*>(boxed_in(object, SIGHT_TYPE_TENSOR, "tensor"));
}

// Sizes are those of Linux on 64 bits.
char format_of(SightElementType type) {
  constexpr std::string_view kFormats = "feBbildHhIL?";
  return kFormats[type];
}

// The type with elements like those of `view`; nothing if there is none.
std::optional<SightElementType> element_type(const Py_buffer& view) {
  std::string_view format = view.format != nullptr ? view.format : "B";
  const bool swapped = format.starts_with('>') || format.starts_with('!');
  if (swapped && view.itemsize > 1) return std::nullopt;
  if (!format.empty() && std::string_view("@=<>!|").find(format[0]) != std::string_view::npos)
    format.remove_prefix(1);
  if (format.size() != 1) return std::nullopt;
  const auto sized = [&](SightElementType one, SightElementType two, SightElementType four,
                         SightElementType eight) -> std::optional<SightElementType> {
    switch (view.itemsize) {
      case 1:
        return one;
      case 2:
        return two;
      case 4:
        return four;
      case 8:
        return eight;
      default:
        return std::nullopt;
    }
  };
  if (std::string_view("bhilqn").find(format[0]) != std::string_view::npos)
    return sized(SIGHT_ELEMENT_INT8, SIGHT_ELEMENT_INT16, SIGHT_ELEMENT_INT32, SIGHT_ELEMENT_INT64);
  if (std::string_view("BHILQN").find(format[0]) != std::string_view::npos)
    return sized(SIGHT_ELEMENT_UINT8, SIGHT_ELEMENT_UINT16, SIGHT_ELEMENT_UINT32,
                 SIGHT_ELEMENT_UINT64);
  if (format[0] == 'e') return SIGHT_ELEMENT_FLOAT16;
  if (format[0] == 'f') return SIGHT_ELEMENT_FLOAT32;
  if (format[0] == 'd') return SIGHT_ELEMENT_FLOAT64;
  if (format[0] == '?') return SIGHT_ELEMENT_BOOL;
  return std::nullopt;
}

// A buffer of another object, given back at the end of the scope.
class Exported {
 public:
  explicit Exported(PyObject* object)
      : is_there_(PyObject_GetBuffer(object, &view_, PyBUF_FULL_RO) == 0) {}
  ~Exported() {
    if (is_there_) PyBuffer_Release(&view_);
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;

  bool is_there() const { return is_there_; }
  Py_buffer& view() { return view_; }

 private:
  Py_buffer view_{};
  const bool is_there_;
};

PyObject* copy_of(const char* name, Py_buffer& view) {
  const auto type = element_type(view);
  if (!type)
    return PyErr_Format(
        PyExc_TypeError,
        "tensor \"%s\": the array's elements are \"%s\" of %zd bytes, expected float16, float32, "
        "float64, bool, or an integer of 8 to 64 bits, in native byte order. Convert it: "
        "array.astype(\"float32\")",
        name, view.format != nullptr ? view.format : "B", view.itemsize);
  gpointer elements = g_malloc(static_cast<gsize>(view.len));
  if (PyBuffer_ToContiguous(elements, &view, view.len, 'C') != 0) {
    g_free(elements);
    return nullptr;
  }
  GBytes* data = g_bytes_new_take(elements, static_cast<gsize>(view.len));
  const std::vector<gint64> shape(view.shape, view.shape + (view.shape != nullptr ? view.ndim : 0));
  GError* error = nullptr;
  SightTensor* tensor =
      sight_tensor_new(name, *type, shape.data(), static_cast<guint>(shape.size()), data, &error);
  g_bytes_unref(data);
  if (raise_gerror(&error)) return nullptr;
  return wrap_owned(SIGHT_TYPE_TENSOR, tensor);
}

// --- DLPack -----------------------------------------------------------------------------------

// DLPack 1.0, whose layout is fixed as that of the versions before.
struct VersionedArray {
  struct {
    std::uint32_t major, minor;
  } version;
  void* context;
  void (*deleter)(VersionedArray* self);
  std::uint64_t flags;
  dlpack::Array array;
};

constexpr std::uint64_t kReadOnly = 1;

// Each kind has a name of its own, which the consumer changes when it takes over the contents.
constexpr char kCapsule[] = "dltensor", kVersionedCapsule[] = "dltensor_versioned";

template <typename Contents, const char* name>
PyObject* capsule_of(Contents* contents) {
  PyObject* capsule = PyCapsule_New(contents, name, [](PyObject* self) {
    if (PyCapsule_IsValid(self, name) == 0) return;
    auto* left = static_cast<Contents*>(PyCapsule_GetPointer(self, name));
    left->deleter(left);
  });
  if (capsule == nullptr) contents->deleter(contents);
  return capsule;
}

VersionedArray* versioned(dlpack::Managed* managed) {
  return new VersionedArray{{1, 0},
                            managed,
                            [](VersionedArray* self) {
                              auto* held = static_cast<dlpack::Managed*>(self->context);
                              held->deleter(held);
                              delete self;
                            },
                            kReadOnly,
                            managed->array};
}

}  // namespace

PyObject* tensor_view(PyObject* /*module*/, PyObject* object) {
  SightTensor* tensor = tensor_in(object);
  if (tensor == nullptr) return nullptr;
  ArrayView view;
  GError* problem = nullptr;
  Py_BEGIN_ALLOW_THREADS;  // a tensor on a GPU is copied to the host, which takes its time
  view.data = sight_tensor_get_data(tensor, nullptr, &problem);
  Py_END_ALLOW_THREADS;
  if (view.data == nullptr) {
    PyErr_SetString(PyExc_BufferError, problem->message);
    g_error_free(problem);
    return nullptr;
  }
  const SightElementType type = sight_tensor_get_element_type(tensor);
  view.format = format_of(type);
  view.item_bytes = static_cast<Py_ssize_t>(sight_element_type_get_size(type));
  guint n_dims = 0;
  const gint64* shape = sight_tensor_get_shape(tensor, &n_dims);
  view.shape.assign(shape, shape + n_dims);
  view.owner = std::shared_ptr<SightTensor>(sight_tensor_ref(tensor), sight_tensor_unref);
  return new_array_view(std::move(view));
}

PyObject* tensor_dlpack(PyObject* /*module*/, PyObject* arguments) {
  PyObject* object = nullptr;
  int with_version = 0;
  if (PyArg_ParseTuple(arguments, "Op:tensor_dlpack", &object, &with_version) == 0) return nullptr;
  SightTensor* tensor = tensor_in(object);
  if (tensor == nullptr) return nullptr;
  auto* managed = static_cast<dlpack::Managed*>(sight_tensor_to_dlpack(tensor));
  if (with_version == 0) return capsule_of<dlpack::Managed, kCapsule>(managed);
  return capsule_of<VersionedArray, kVersionedCapsule>(versioned(managed));
}

PyObject* tensor_from_array(PyObject* /*module*/, PyObject* arguments) {
  const char* name = nullptr;
  PyObject* array = nullptr;
  if (PyArg_ParseTuple(arguments, "sO:tensor_from_array", &name, &array) == 0) return nullptr;
  Exported exported(array);
  return exported.is_there() ? copy_of(name, exported.view()) : nullptr;
}

}  // namespace sightline::python
