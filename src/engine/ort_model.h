// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A model that ONNX Runtime has loaded, and what it says of itself: what sessions on every device
// have in common. ONNX Runtime's headers are included here and by nothing outside of ort_*.cc.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "engine/session.h"

// The API is asked for at run time, so that a library that is too old is an error and not a crash.
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#undef ORT_API_MANUAL_INIT

namespace sightline {

// The runtime, one a process. It is never released: at the end of a process that has used a GPU,
// the CUDA provider reads what it has freed (github.com/pykeio/ort/issues/609). Throws
// Error(kDevice).
const Ort::Env& ort_environment();

Ort::SessionOptions ort_options(const SessionOptions& wanted);

class OrtModel {
 public:
  OrtModel(std::string_view model, const std::vector<std::string>& outputs,
           const Ort::SessionOptions& options);

  Ort::Session& session() const { return session_; }
  const TensorInfo& input() const { return input_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  const std::vector<const char*>& output_names() const { return output_names_; }
  int max_batch() const;
  std::size_t input_bytes() const { return input_bytes_; }  // of one item

  // How many rows a run over `count` items has: more where the file's batch is fixed.
  int rows(int count) const { return fixed_batch_.value_or(count); }
  Shape input_shape(int rows) const;
  // Of output i as the runtime is to see it; open dimensions are −1.
  Shape output_shape(std::size_t i, int rows) const;

  // Output i, without its data, of a run that gave it this shape: [count, dims…].
  Tensor result(std::size_t i, Shape shape, int rows, int count) const;

 private:
  void read_input();
  void read_output(const std::string& wanted);

  mutable Ort::Session session_;  // Run() may be called by several threads, but is not const
  TensorInfo input_;
  std::vector<TensorInfo> outputs_;
  std::vector<const char*> output_names_;  // point into outputs_
  std::vector<bool> batched_;              // outputs whose first dimension is the batch
  std::optional<int> fixed_batch_;
  std::size_t input_bytes_ = 0;
};

Ort::Value ort_value(const Ort::MemoryInfo& where, void* data, std::size_t bytes,
                     const Shape& shape, const TensorInfo& tensor);

}  // namespace sightline
