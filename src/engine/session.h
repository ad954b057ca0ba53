// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A loaded network that runs batches: the narrow interface between the batcher and the runtime
// below it, so that each is tested without the other and another runtime is one more file.

#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "engine/device_reader.h"
#include "engine/device_writer.h"
#include "engine/engine.h"
#include "engine/tensor_pool.h"

namespace sightline {

// Items of a batch that one writer writes on the GPU.
struct DevicePart {
  DeviceWriter* writer = nullptr;
  std::vector<DeviceItem*> items;
};

// Items of a batch whose outputs one reader reads on the GPU.
struct DeviceRead {
  DeviceReader* reader = nullptr;
  int first = 0;
  int count = 0;
};

// A batch for a device that may write and read by itself.
struct BatchWork {
  std::vector<DevicePart> written;   // the batch begins with these items, in their order
  const std::byte* items = nullptr;  // what follows, one after the other
  int count = 0;                     // of all
  std::vector<DeviceRead> read;
  bool outputs_wanted = true;                      // by somebody who has no reader
  std::span<const std::span<std::byte>> memory{};  // as for Session::run()
};

struct BatchResults {
  std::vector<Tensor> outputs;            // [count, dims…]; none if nobody wants them
  std::vector<std::vector<Tensor>> read;  // for each of BatchWork::read: [its count, dims…]
};

class Session {
 public:
  virtual ~Session() = default;

  virtual const TensorInfo& input() const = 0;
  virtual const std::vector<TensorInfo>& outputs() const = 0;  // those that were asked for
  virtual int max_batch() const = 0;  // the most items of a run; INT_MAX where that is open

  // Runs over `count` items, which lie at `items` one after the other. `memory[i]` is where output
  // i is to be put, count × its bytes an item; empty: the session allocates. Returns the outputs,
  // of shape [count, dims…]; without an owner where `memory` was given. Several threads may run at
  // a time. Throws Error(kFailed).
  virtual std::vector<Tensor> run(const std::byte* items, int count,
                                  std::span<const std::span<std::byte>> memory) const = 0;

  // When it returns or throws, the device has let go of all items. Throws Error(kFailed), and
  // Error(kInput) for work that it cannot do: see gpu() and reads_on_device().
  virtual BatchResults run_batch(const BatchWork& work) const;

  // What it runs on; null: the CPU.
  virtual cuda::DevicePtr gpu() const { return nullptr; }

  virtual bool reads_on_device() const { return false; }

  // Whether output `i`, if run_batch() is given no memory for it, stays on the GPU until somebody
  // reads it.
  virtual bool may_keep([[maybe_unused]] std::size_t i) const { return false; }

  // How many of `waiting` items make the best batch.
  virtual int preferred_count(int waiting) const { return waiting; }

  // A few words for people: how it runs. May be empty.
  virtual std::string describe() const { return {}; }

  // Memory on the host that run() reads items from, and writes outputs to, the fastest; may outlive
  // the session.
  virtual HostMemory host_memory(std::size_t bytes) const { return aligned_memory(bytes); }

  // Does what else the first run of each size up to `count` items would have to do.
  virtual void prepare([[maybe_unused]] int count) const {}

  // Gives back memory that larger runs needed and a run of one item does not; makes such a run.
  virtual void release_memory() const {}
};

struct SessionOptions {
  int threads = 1;              // within a run, on the CPU
  std::optional<int> gpu;       // which one; not set: the CPU
  bool tensorrt = false;        // by TensorRT there, as far as it takes the network
  bool half_precision = false;  // what TensorRT computes in; others take a model that is so
  bool channels_last = false;   // on a GPU, as values lie in memory between convolutions
  std::vector<std::string> outputs;
  std::filesystem::path folder;  // where the model file lies, for weights in files of their own
};

// Loads a model with the runtime that this build has. Throws Error(kModel) with the runtime's own
// words where it cannot be loaded, Error(kDevice) where the runtime itself is missing or too old.
std::unique_ptr<const Session> load_session(std::string_view model, const SessionOptions& options);

// load_session() for a GPU. Throws Error(kDevice) that says what is missing: the driver, the GPU,
// the runtime's provider or a library that it needs.
std::unique_ptr<const Session> load_cuda_session(std::string_view model,
                                                 const SessionOptions& options);

std::string gpu_name(int gpu);  // "NVIDIA H100 80GB HBM3"; throws Error(kDevice)

// "10.13.2". Throws Error(kDevice) that says what provider = tensorrt lacks.
std::string tensorrt_version();

// Nothing if networks run on this GPU, otherwise what load_cuda_session() would throw.
std::string gpu_complaint(int gpu);

std::string runtime_name();  // "ONNX Runtime 1.29.0"

// What the runtime can run networks on, as it calls it: "CPUExecutionProvider", … Empty where the
// runtime is missing or too old.
std::vector<std::string> runtime_providers();

// The bytes of one item, or nothing where a dimension is open.
std::optional<std::size_t> item_bytes(const TensorInfo& tensor);

}  // namespace sightline
