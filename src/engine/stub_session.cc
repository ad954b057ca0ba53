// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Stands in for ONNX Runtime where that cannot run (ThreadSanitizer knows none of its locks). It
// reads what a model takes and gives, and runs nothing: every element of an item's outputs is the
// sum of the item's input bytes, so that tests see whose result is whose.

#include <cstring>
#include <numeric>
#include <utility>

#include <climits>

#include "core/error.h"
#include "engine/onnx_file.h"
#include "engine/session.h"

namespace sightline {

namespace {

class StubSession final : public Session {
 public:
  StubSession(const onnx::Summary& model, const SessionOptions& options) {
    const onnx::ValueInfo& input = model.inputs.at(0);
    fixed_batch_ = input.shape->front() >= 0;
    batch_ = fixed_batch_ ? static_cast<int>(input.shape->front()) : INT_MAX;
    input_ = without_batch(input);
    for (const std::string& name : options.outputs)
      for (const onnx::ValueInfo& output : model.outputs)
        if (output.name == name) outputs_.push_back(without_batch(output));
  }

  const TensorInfo& input() const override { return input_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override { return batch_; }

  std::vector<Tensor> run(const std::byte* items, int count,
                          std::span<const std::span<std::byte>> memory) const override {
    std::vector<Tensor> results;
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      results.push_back(fill(outputs_[i], items, static_cast<std::size_t>(count),
                             i < memory.size() ? memory[i] : std::span<std::byte>()));
    return results;
  }

 private:
  static TensorInfo without_batch(const onnx::ValueInfo& value) {
    return {value.name, *value.type, Shape(value.shape->begin() + 1, value.shape->end())};
  }

  Tensor fill(const TensorInfo& info, const std::byte* items, std::size_t count,
              std::span<std::byte> memory) const {
    const std::size_t input_bytes = item_bytes(input_).value();
    const std::size_t floats = item_bytes(info).value_or(0) / sizeof(float);
    auto values = std::make_shared<std::vector<float>>(count * floats);
    for (std::size_t item = 0; item < count; ++item) {
      const auto* bytes = reinterpret_cast<const unsigned char*>(items) + item * input_bytes;
      std::fill_n(values->begin() + static_cast<std::ptrdiff_t>(item * floats), floats,
                  static_cast<float>(std::accumulate(bytes, bytes + input_bytes, 0u)));
    }
    Tensor tensor{info.name, ElementType::kFloat32, info.shape};
    tensor.shape.insert(tensor.shape.begin(), static_cast<std::int64_t>(count));
    if (memory.empty()) {
      tensor.data = reinterpret_cast<const std::byte*>(values->data());
      tensor.owner = values;
    } else {
      std::memcpy(memory.data(), values->data(), memory.size());
      tensor.data = memory.data();
    }
    return tensor;
  }

  TensorInfo input_;
  std::vector<TensorInfo> outputs_;
  bool fixed_batch_ = false;
  int batch_ = 1;
};

}  // namespace

std::unique_ptr<const Session> load_session(std::string_view model, const SessionOptions& options) {
  return std::make_unique<StubSession>(onnx::read_summary(model), options);
}

std::string runtime_name() { return "no runtime (a stand-in that runs no model)"; }

std::vector<std::string> runtime_providers() { return {}; }

}  // namespace sightline
