// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network on a GPU for batches of one size: ONNX Runtime's CUDA provider, with all tensors in
// device memory and all work in one stream of ours.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cuda.h"
#include "engine/ort_model.h"
#include "engine/session.h"

namespace sightline {

// When the size of the batch changes, the runtime has cuDNN choose its kernels anew, which takes
// half a second and more: so there is one of these for each size.
//
// Three ways to run, the best that the network allows, found when it is loaded:
//  - recorded: the run is a CUDA graph, recorded once; nothing of the runtime is called any more.
//    Checked against a run that is not recorded.
//  - in our stream: the runtime puts its kernels into it and does not wait.
//  - in the runtime's stream, which it waits for: where parts of the network run on the CPU, or an
//    output's size is not known before.
//
// In our stream, the runtime must not give memory back in a callback of the stream, as 1.29 does by
// default: such a callback may not free pinned memory, and when it has to, the process ends. Its
// option for CUDA graphs of its own turns that off; those graphs are not used, since they belong to
// the thread that recorded them.
class OrtCudaRun {
 public:
  // How the runtime keeps values between convolutions: channels first, as the file has them, or
  // last, with transpositions at both ends.
  enum class Layout { kChannelsFirst, kChannelsLast };

  // In the layout that is wanted, or channels first where the runtime lacks an operator for the
  // other. `stream` has to last as long. Throws as load_cuda_session().
  static std::unique_ptr<OrtCudaRun> load(std::string_view model, const SessionOptions& options,
                                          const cuda::Stream& stream);

  OrtCudaRun(std::string_view model, const SessionOptions& options, const cuda::Stream& stream,
             Layout layout);
  OrtCudaRun(const OrtCudaRun&) = delete;
  OrtCudaRun& operator=(const OrtCudaRun&) = delete;

  const OrtModel& model() const { return *model_; }
  int rows() const { return rows_; }
  std::string describe() const;  // "a CUDA graph", "a CUDA graph, channels last", …

  cuda::Address input() const { return input_.address(); }
  std::size_t input_bytes() const { return input_.bytes(); }

  // Puts a run over what lies at input() into the stream; waits for the stream before and after
  // where the network does not allow otherwise.
  void enqueue();

  bool is_on_device(std::size_t output) const { return outputs_[output].bytes() > 0; }
  cuda::Address output(std::size_t i) const { return outputs_[i].address(); }
  // The shape of an output after the run; of one that is not on the device, its bytes.
  Shape output_shape(std::size_t i) const;
  const void* output_on_host(std::size_t i) const;

 private:
  bool load_into_stream(std::string_view model, const SessionOptions& options);
  void load_beside_stream(std::string_view model, const SessionOptions& options);
  void allocate(int rows);
  void bind();
  void run();
  void try_to_record();
  std::vector<std::vector<std::byte>> outputs_of(const std::vector<std::byte>& items,
                                                 const cuda::Graph* graph);

  const cuda::Stream& stream_;
  const bool tensorrt_;
  const Layout layout_;
  const cuda::DevicePtr device_;
  const Ort::MemoryInfo on_device_, on_host_;
  std::unique_ptr<OrtModel> model_;
  int rows_ = 1;
  bool in_our_stream_ = false;
  cuda::DeviceMemory input_;
  std::vector<cuda::DeviceMemory> outputs_;
  std::optional<Ort::IoBinding> binding_;
  std::vector<Ort::Value> values_;  // of the last run, where something is not on the device
  std::unique_ptr<const cuda::Graph> graph_;
};

// Throws Error(kDevice) that says what is missing if the provider does not load. `stream`: where
// the runtime is to work; null: in one of its own.
Ort::SessionOptions cuda_options(const SessionOptions& wanted, const cuda::Stream* stream,
                                 OrtCudaRun::Layout layout);

}  // namespace sightline
