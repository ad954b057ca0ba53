// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One loaded model on one device, shared by everybody in the process who wants the same.
//
// A request brings along how its input is written. A worker that is free takes its share of what is
// queued as a batch, has each request write its item into the worker's own memory, where it is
// still in the cache when the network reads it, and runs. So nothing waits for company unless it
// says that it may, and nobody holds memory of the engine while doing something else.
//
// Requests of all streams and stages share one queue. The highest priority goes first; within one,
// sources take turns, request by request. So where no deadlines are set, the n-th request that a
// source has waiting is taken after at most n of each other source of its priority, however many
// those have. In time: a stream with 50 faces delays one with a single face by the runs that are
// under way and one batch. Lower priorities wait as long as there is anything above them.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "core/cuda.h"
#include "core/tensor.h"

namespace sightline {

class DeviceItem;
class DeviceReader;
class DeviceWriter;

struct TensorInfo {
  std::string name;
  ElementType type = ElementType::kFloat32;
  Shape shape;  // of one item, without the batch dimension; −1 where the model leaves it open
};

struct EngineOptions {
  std::filesystem::path model;
  std::string device = "auto";  // "cpu", "cuda:0" (the number of a GPU), or "auto": the first GPU
                                // if networks run on it, else the CPU; "auto:1" another GPU
  bool half_precision = false;  // compute in float16, on a GPU
  bool half_on_gpu = false;     // likewise, but on the CPU in the types of the file
  bool tensorrt = false;        // by TensorRT, on a GPU. Not verified
  bool channels_last = false;   // on a GPU, in float32: values lie so between convolutions
  int batch_size = 0;           // the largest batch; 0: the engine's choice for the device
  int workers = 0;              // runs side by side; 0: chosen by measurement at load
  int threads = 0;              // threads within a run; 0: chosen by measurement at load
  Shape input_shape;  // of one item, for models that leave spatial dimensions open; empty: the
                      // model's
  std::vector<std::string> output_names;  // empty: all, in the model's order

  // Reads the keys of group [property] that this room owns: onnx-file, precision,
  // network-mode, provider, batch-size, infer-dims, output-blob-names, device, gpu-id,
  // engine-workers, engine-threads. Throws Error(kConfig).
  static EngineOptions from_config(const ConfigFile& config);

  friend bool operator==(const EngineOptions&, const EngineOptions&) = default;
};

// Whether EngineOptions::device may be this, be it there or not.
bool is_device_name(const std::string& device);

// Which GPU it means; nothing: the CPU. Throws Error(kDevice) if it is unknown or not there.
std::optional<int> find_gpu(const std::string& device);

using Clock = std::chrono::steady_clock;

// What comes back for one request. Outputs are slices [dims…] of the batch's outputs (without the
// batch dimension), in the order of Engine::outputs(); they keep their memory alive. Outputs of
// less than 4 KiB are copies of their own, so that one kept embedding does not pin a batch.
struct RunResult {
  std::string error;  // empty: success
  std::vector<Tensor> outputs;
  bool is_read = false;  // the outputs are what Request::reader made of them
};

// Where a request stands among the others.
struct Standing {
  int priority = 0;          // higher ones run first
  std::uint64_t source = 0;  // who it is for: any number that others do not use
  // When it has waited long enough: from then on it goes before all of its priority whose deadline
  // has not passed, and takes turns with those whose deadline has.
  std::optional<Clock::time_point> deadline;
  // Becomes true when nobody wants the result any more: then it is neither written nor run.
  std::shared_ptr<const std::atomic<bool>> abandoned;
  // A batch that is not full, and has no request that may wait less, begins so long after the one
  // before it at the earliest. So a request that comes alone never waits.
  std::chrono::nanoseconds may_wait{0};

  bool is_abandoned() const { return abandoned != nullptr && *abandoned; }
};

// The error of a request that was given up before its turn came.
inline constexpr char kAbandoned[] = "given up before its run";

// Both functions are called at most once, on an engine thread, and must not wait for the engine.
//
// `write` fills the memory of one item, which is uninitialised and aligned to its element type; it
// may throw, then the request fails and the others of its batch run without it. It is destroyed
// before `on_result` is called, so that what it holds is let go of first. `on_result` is always
// called and must not throw; that of an abandoned request perhaps by who calls drop_abandoned().
//
// In place of `write`, on an engine of a GPU: `item`, which `writer` writes together with others of
// the batch (device_writer.h). It, too, is let go of before `on_result` is called. Requests of both
// kinds share batches.
struct Request {
  std::function<void(std::span<std::byte> item)> write;
  std::function<void(RunResult&&)> on_result;
  Standing standing;
  std::shared_ptr<DeviceWriter> writer{};
  std::shared_ptr<DeviceItem> item{};
  // Of a network on a GPU: outputs of 16 KiB and more stay there until somebody reads them
  // (MemoryKind::kCuda), as far as the others of the batch agree. Otherwise they come to the host
  // with the batch, which is the faster way for who reads them anyway.
  bool keep_large_outputs = false;
  // Of a network whose engine reads_on_device(): what it makes of the outputs is what comes back
  // (device_reader.h). Null, or where it found more than it has room for: the outputs themselves.
  std::shared_ptr<DeviceReader> reader{};
};

class Engine {
 public:
  struct Statistics {
    std::uint64_t runs = 0;
    std::uint64_t items = 0;
    std::uint64_t failures = 0;
    std::uint64_t abandoned = 0;  // requests that were given up before their run
    std::size_t queued = 0;       // requests that wait now
    double run_seconds_p50 = 0;   // over the last 512 runs
    double run_seconds_p95 = 0;
  };

  // The engine for these options: an existing one if model (hash), device, input shape and outputs
  // are equal; the largest batch size asked for wins. Loads the model, makes it batchable where its
  // graph allows (checked against single runs, 1e-5 relative) and chooses its threads by
  // measurement. Throws Error(kModel): not an ONNX file, truncated, not one image input, an
  // operator that is missing; Error(kDevice): the device is unknown or not there; Error(kNotFound):
  // no such file.
  static std::shared_ptr<Engine> open(const EngineOptions& options);

  virtual ~Engine() = default;

  virtual const TensorInfo& input() const = 0;
  virtual const std::vector<TensorInfo>& outputs() const = 0;
  virtual int max_batch() const = 0;              // 1 where the model cannot be batched
  virtual int concurrency() const = 0;            // batches that run side by side
  virtual const std::string& device() const = 0;  // "cpu" or "cuda:0"
  virtual cuda::DevicePtr gpu() const = 0;        // null: the CPU
  virtual bool reads_on_device() const = 0;       // whether Request::reader may be set
  virtual const std::string& model_sha256()
      const = 0;  // of the model file as it is on disk, lower-case hexadecimal
  virtual std::string describe()
      const = 0;  // a line for people: device, workers × threads, batch, why
  virtual Statistics statistics() const = 0;

  // Queues the requests, together; never waits. Throws Error(kInput), and queues none, if one lacks
  // a function, or wants work on a GPU of an engine that has none.
  virtual void submit(std::vector<Request> requests) = 0;

  // Answers the abandoned requests that wait now, so that what they hold is let go of before their
  // turn comes. Never waits.
  virtual void drop_abandoned() = 0;
};

}  // namespace sightline
