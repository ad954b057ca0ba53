// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/engine.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include <climits>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "core/error.h"
#include "engine/batch_choice.h"
#include "engine/batchable_model.h"
#include "engine/batcher.h"
#include "engine/half_precision.h"
#include "engine/model_demand.h"
#include "engine/model_file.h"
#include "engine/onnx_file.h"
#include "engine/thread_choice.h"

namespace sightline {

namespace {

// Where nobody asked for more: every item is resident memory.
constexpr int kDefaultBatch = 4;
constexpr std::size_t kDefaultBlockBytes = std::size_t{16} << 20;
// A GPU gains from batches what a CPU does not.
constexpr int kDefaultGpuBatch = 64;
constexpr std::size_t kDefaultGpuBlockBytes = std::size_t{64} << 20;

constexpr int kGpuWorkers = 2;

struct Loaded {
  std::string device;
  std::string device_name;  // of a GPU, and a comma
  std::string sha256;
  int largest_batch = 1;
  std::string why_batch;
  ThreadChoice threads;
  BatchChoice batch;  // where nobody asks for another
};

class SharedEngine final : public Engine {
 public:
  explicit SharedEngine(Loaded loaded)
      : loaded_(std::move(loaded)), batcher_(loaded_.threads.session, loaded_.threads.workers, 1) {}

  const TensorInfo& input() const override { return loaded_.threads.session->input(); }
  const std::vector<TensorInfo>& outputs() const override {
    return loaded_.threads.session->outputs();
  }
  int max_batch() const override { return batcher_.max_batch(); }
  int concurrency() const override { return loaded_.threads.workers; }
  const std::string& device() const override { return loaded_.device; }
  cuda::DevicePtr gpu() const override { return loaded_.threads.session->gpu(); }
  bool reads_on_device() const override { return loaded_.threads.session->reads_on_device(); }
  const std::string& model_sha256() const override { return loaded_.sha256; }
  Statistics statistics() const override { return batcher_.statistics(); }

  std::string describe() const override {
    const ThreadChoice& threads = loaded_.threads;
    const std::string how = threads.session->describe();
    return loaded_.device + " (" + loaded_.device_name + runtime_name() +
           "), workers × threads: " + std::to_string(threads.workers) + " × " +
           std::to_string(threads.threads) + " (" + threads.why + "), batch: up to " +
           std::to_string(max_batch()) + " (" + loaded_.why_batch +
           (loaded_.batch.why.empty() ? "" : "; ") + loaded_.batch.why + ")" +
           (how.empty() ? "" : ", run as " + how);
  }

  void submit(std::vector<Request> requests) override { batcher_.submit(std::move(requests)); }
  void drop_abandoned() override { batcher_.drop_abandoned(); }

  // The largest batch that anybody asked for wins, as far as the model allows.
  void grow(int batch_size) {
    if (batch_size == 0) batch_size = loaded_.batch.size;
    batch_size = std::min(batch_size, loaded_.largest_batch);
    loaded_.threads.session->prepare(batch_size);
    batcher_.grow(batch_size);
  }

 private:
  const Loaded loaded_;
  Batcher batcher_;
};

// The engines of the process, as long as somebody has them.
class Registry {
 public:
  // Everything but the batch size.
  using Key = std::tuple<std::string, std::string, Shape, std::vector<std::string>, bool, bool,
                         bool, int, int>;

  // The engine of this key; `load` makes it if there is none. One is loaded at a time, since loads
  // measure; engines that exist are found meanwhile.
  template <typename F>
  std::shared_ptr<SharedEngine> find_or(const Key& key, F&& load) {
    if (auto engine = find(key)) return engine;
    const std::lock_guard one_at_a_time(loading_);
    if (auto engine = find(key)) return engine;  // loaded while this one waited
    std::shared_ptr<SharedEngine> engine = load();
    const std::lock_guard lock(mutex_);
    std::erase_if(engines_, [](const auto& entry) { return entry.second.expired(); });
    engines_[key] = engine;
    return engine;
  }

 private:
  std::shared_ptr<SharedEngine> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = engines_.find(key);
    return found == engines_.end() ? nullptr : found->second.lock();
  }

  std::mutex loading_;
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<SharedEngine>> engines_;
};

Registry& registry() {
  static Registry the_registry;
  return the_registry;
}

// Loading and measuring leave holes of many megabytes, which the allocator would keep.
void return_free_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

ThreadChoice share_cores(BatchableModel& model, SessionOptions session_options,
                         const EngineOptions& options) {
  return choose_threads(std::move(model.session), options.workers, options.threads, [&](int count) {
    session_options.threads = count;
    return std::shared_ptr<const Session>(load_session(model.bytes, session_options));
  });
}

// What is batchable was found on the CPU, where a batch gives what single runs give to the last
// bits. One worker prepares a full batch, or hands out results, while another's runs.
ThreadChoice move_to_gpu(BatchableModel& model, SessionOptions session_options,
                         const ModelDemand& demand, const EngineOptions& options) {
  model.session.reset();
  session_options.tensorrt = options.tensorrt;
  session_options.half_precision = options.half_precision;
  // ONNX Runtime 1.29 ends the process for some networks of float16 with channels last.
  session_options.channels_last =
      options.channels_last && !options.half_precision && !options.tensorrt;
  if (options.half_precision && !options.tensorrt)
    model.bytes = onnx::with_half_precision(model.bytes);
  session_options.gpu = demand.gpu;
  ThreadChoice choice;
  choice.session = load_session(model.bytes, session_options);
  choice.workers = options.workers == 0 ? kGpuWorkers : options.workers;
  choice.why = options.workers == 0 ? "one prepares a batch while another's runs" : "as set";
  return choice;
}

void check_gpu_only(const EngineOptions& options, const ModelDemand& demand) {
  if (demand.gpu) return;
  if (options.half_precision)
    throw Error(ErrorCode::kDevice,
                "precision = fp16 is for networks on a GPU (device = cuda:0), this one runs on the "
                "CPU. Use precision = fp32, or a model file of float16");
  if (options.tensorrt)
    throw Error(ErrorCode::kDevice,
                "provider = tensorrt is for networks on a GPU (device = cuda:0), this one runs on "
                "the CPU");
}

std::shared_ptr<SharedEngine> load(const ModelFile& file, const ModelDemand& demand,
                                   const EngineOptions& options) {
  check_gpu_only(options, demand);
  SessionOptions session_options;
  session_options.outputs = demand.outputs;
  session_options.folder = std::filesystem::absolute(options.model).parent_path();
  BatchableModel model = make_batchable(file.bytes, demand.item, session_options,
                                        options.batch_size > 1 || demand.gpu);
  ThreadChoice threads = demand.gpu ? move_to_gpu(model, session_options, demand, options)
                                    : share_cores(model, session_options, options);
  BatchChoice batch;
  if (options.batch_size == 0) {
    const std::size_t block = demand.gpu ? kDefaultGpuBlockBytes : kDefaultBlockBytes;
    const std::size_t fitting = block / item_bytes(threads.session->input()).value();
    const std::size_t limit =
        std::min<std::size_t>(fitting, demand.gpu ? kDefaultGpuBatch : kDefaultBatch);
    const int largest = std::min(static_cast<int>(limit), model.largest_batch);
    threads.session->prepare(largest);
    batch = choose_batch(*threads.session, threads.workers, largest);
  }
  return_free_memory();
  const std::string precision = options.half_precision ? "float16, " : "";
  const std::string name = demand.gpu ? gpu_name(*demand.gpu) + ", " + precision : "";
  return std::make_shared<SharedEngine>(Loaded{demand.device, name, file.sha256,
                                               model.largest_batch, std::move(model.why),
                                               std::move(threads), std::move(batch)});
}

void check_numbers(const EngineOptions& options) {
  if (options.batch_size < 0 || options.workers < 0 || options.threads < 0)
    throw Error(ErrorCode::kConfig, "batch-size, engine-workers and engine-threads are 0 or more");
}

}  // namespace

std::shared_ptr<Engine> Engine::open(const EngineOptions& wanted) {
  check_numbers(wanted);
  EngineOptions options = wanted;
  const ModelFile file = ModelFile::read(options.model);
  try {
    const ModelDemand demand = resolve(options, onnx::read_summary(file.bytes));
    options.half_precision |= options.half_on_gpu && demand.gpu;
    const Registry::Key key = {file.sha256,           demand.device,          demand.item,
                               demand.outputs,        options.half_precision, options.tensorrt,
                               options.channels_last, options.workers,        options.threads};
    std::shared_ptr<SharedEngine> engine =
        registry().find_or(key, [&] { return load(file, demand, options); });
    engine->grow(options.batch_size);
    return engine;
  } catch (const Error& error) {
    throw Error(error.code() == ErrorCode::kDevice ? ErrorCode::kDevice : ErrorCode::kModel,
                options.model.string() + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kModel, options.model.string() + ": needs more memory than there is");
  }
}

}  // namespace sightline
