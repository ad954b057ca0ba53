// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/python/python_family.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <sightline/tensor.h>

#include "elements/python/interpreter.h"
#include "extension/boxed.h"
#include "meta/tensor.h"
#include "postprocess/labels.h"

namespace sightline::python {

namespace {

constexpr std::pair<const char*, NetworkRole> kRoles[] = {
    {"detector", NetworkRole::kDetector},         {"classifier", NetworkRole::kClassifier},
    {"landmarks", NetworkRole::kLandmarks},       {"embedding", NetworkRole::kEmbedding},
    {"segmentation", NetworkRole::kSegmentation}, {"raw", NetworkRole::kRaw}};

std::string text_in(PyObject* text) {
  const char* utf8 = PyUnicode_AsUTF8(text);
  if (utf8 == nullptr) throw take_exception();
  return utf8;
}

// A list whose entries are flat sequences of numbers: x, y, x, y…
std::vector<Point> points_in(PyObject* numbers) {
  std::vector<Point> points;
  for (Py_ssize_t i = 0; i + 1 < PyList_GET_SIZE(numbers); i += 2)
    points.push_back({static_cast<float>(PyFloat_AsDouble(PyList_GET_ITEM(numbers, i))),
                      static_cast<float>(PyFloat_AsDouble(PyList_GET_ITEM(numbers, i + 1)))});
  if (PyErr_Occurred() != nullptr) throw take_exception();
  return points;
}

bool are_finite(const std::vector<Point>& points) {
  return std::ranges::all_of(
      points, [](const Point p) { return std::isfinite(p.x) && std::isfinite(p.y); });
}

// What _sightpython.results() makes of a function's answer: lists of tuples.
class Answer {
 public:
  Answer(PyObject* lists, const std::vector<std::string>& labels) : labels_(labels) {
    if (PyArg_ParseTuple(lists, "O!O!O!O!", &PyList_Type, &detections_, &PyList_Type, &landmarks_,
                         &PyList_Type, &classifications_, &PyList_Type, &tensors_) == 0)
      throw take_exception();
  }

  Results results() const {
    Results results;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(detections_); ++i)
      add_detection(results, PyList_GET_ITEM(detections_, i));
    std::ranges::stable_sort(results.detections, std::greater<>(), &Detection::confidence);
    if (auto points = points_in(landmarks_); are_finite(points))
      results.landmarks = std::move(points);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(classifications_); ++i)
      add_classification(results, PyList_GET_ITEM(classifications_, i));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(tensors_); ++i)
      results.tensors.push_back(unwrap(static_cast<SightTensor*>(
          boxed_in(PyList_GET_ITEM(tensors_, i), SIGHT_TYPE_TENSOR, "tensor"))));
    return results;
  }

 private:
  void add_detection(Results& results, PyObject* tuple) const {
    Detection found;
    PyObject *label = nullptr, *landmarks = nullptr;
    if (PyArg_ParseTuple(tuple, "fffffiUO!", &found.box.x, &found.box.y, &found.box.width,
                         &found.box.height, &found.confidence, &found.class_id, &label,
                         &PyList_Type, &landmarks) == 0)
      throw take_exception();
    found.label = label_of(text_in(label), found.class_id);
    found.landmarks = points_in(landmarks);
    const std::array<float, 5> numbers{found.box.x, found.box.y, found.box.width, found.box.height,
                                       found.confidence};
    const bool is_finite =
        std::ranges::all_of(numbers, [](float number) { return std::isfinite(number); });
    if (is_finite && !found.box.empty() && are_finite(found.landmarks))
      results.detections.push_back(std::move(found));
  }

  static void add_classification(Results& results, PyObject* tuple) {
    Classification said;
    PyObject *attribute = nullptr, *label = nullptr;
    if (PyArg_ParseTuple(tuple, "UUif", &attribute, &label, &said.class_id, &said.confidence) == 0)
      throw take_exception();
    said.attribute = text_in(attribute);
    said.label = text_in(label);
    if (std::isfinite(said.confidence)) results.classifications.push_back(std::move(said));
  }

  std::string label_of(const std::string& given, int class_id) const {
    if (!given.empty()) return given;
    return class_id >= 0 && static_cast<std::size_t>(class_id) < labels_.size()
               ? labels_[static_cast<std::size_t>(class_id)]
               : "class " + std::to_string(class_id);
  }

  const std::vector<std::string>& labels_;
  PyObject *detections_ = nullptr, *landmarks_ = nullptr, *classifications_ = nullptr,
           *tensors_ = nullptr;
};

class PythonFamily final : public Postprocessor {
 public:
  PythonFamily(std::string name, std::vector<std::string> labels, NetworkShape network)
      : name_(std::move(name)), labels_(std::move(labels)), network_(std::move(network)) {
    start_interpreter();
    const Gil gil;
    const Ref loader(checked(PyImport_ImportModule("gi.overrides._sightpython")));
    const Ref loaded(checked(PyObject_CallMethod(loader.get(), "load_family", "s", name_.c_str())));
    PyObject *decode = nullptr, *role = nullptr;
    if (PyArg_ParseTuple(loaded.get(), "OU", &decode, &role) == 0) throw take_exception();
    role_ = role_of(text_in(role));
    size_ = Ref(checked(Py_BuildValue("(ii)", network_.input.width, network_.input.height)));
    decode_ = Ref(Py_NewRef(decode));
  }

  ~PythonFamily() override {
    const Gil gil;
    decode_ = Ref();
    size_ = Ref();
  }

  NetworkRole role() const override { return role_; }

  Results decode(std::span<const Tensor> outputs) const override {
    const Gil gil;
    try {
      const Ref tensors(wrapped(outputs));
      const Ref answer(checked(
          PyObject_CallFunctionObjArgs(decode_.get(), tensors.get(), size_.get(), nullptr)));
      return Answer(answer.get(), labels_).results();
    } catch (const PythonError& error) {
      throw PythonError(
          "model-family = python:" + name_ + ": " + error.what() + "\n" + error.traceback(),
          error.traceback());
    }
  }

 private:
  static NetworkRole role_of(const std::string& role) {
    for (const auto& [name, value] : kRoles)
      if (role == name) return value;
    throw Error(ErrorCode::kConfig, "role is \"" + role +
                                        "\", expected detector, classifier, landmarks, embedding, "
                                        "segmentation or raw");
  }

  // {name: Sightline.Tensor}, which share the memory.
  PyObject* wrapped(std::span<const Tensor> outputs) const {
    Ref tensors(checked(PyDict_New()));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      Tensor named = outputs[i];
      named.name = network_.outputs[i].name;
      const Ref tensor(
          checked(wrap_owned(SIGHT_TYPE_TENSOR, wrap_tensor(std::move(named), "", 0, -1))));
      if (PyDict_SetItemString(tensors.get(), network_.outputs[i].name.c_str(), tensor.get()) != 0)
        throw take_exception();
    }
    return Py_NewRef(tensors.get());
  }

  const std::string name_;
  const std::vector<std::string> labels_;  // of the configuration, by class
  const NetworkShape network_;
  NetworkRole role_ = NetworkRole::kDetector;
  Ref decode_;
  Ref size_;
};

// A file is looked for beside the configuration.
std::string with_folder(const std::string& name, const ConfigValue& family) {
  if (name.find(".py:") == std::string::npos || name.starts_with('/')) return name;
  const std::string path = family.as_path().string();
  return path.substr(0, path.size() - family.text().size()) + name;
}

std::vector<std::string> labels_in(const ConfigFile& config) {
  std::vector<std::string> labels;
  if (const auto given = read_labels(config))
    for (const auto& line : given->lines) labels.insert(labels.end(), line.begin(), line.end());
  return labels;
}

}  // namespace

std::unique_ptr<Postprocessor> make_family(const std::string& name, const ConfigFile& config,
                                           const NetworkShape& network) {
  const ConfigValue family = config.get("property", "model-family");
  std::vector<std::string> labels = labels_in(config);
  try {
    return std::make_unique<PythonFamily>(with_folder(name, family), std::move(labels), network);
  } catch (const Error& error) {
    family.fail(error.what());
  }
}

}  // namespace sightline::python
