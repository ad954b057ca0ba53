// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sessions of ONNX Runtime's CUDA provider. Items are written on the GPU, or come from the host;
// small outputs come back to the host, large ones stay until somebody reads them.
//
// All work of a batch is put into one stream: writing, the network, copying. The lock is held while
// it is put there, not while it is done, so that one batch is prepared while another runs.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <climits>

#include "core/cuda.h"
#include "core/error.h"
#include "engine/onnx_file.h"
#include "engine/ort_cuda_run.h"
#include "engine/session.h"

namespace sightline {

namespace {

// Sizes of batches that are prepared; what is between is filled up.
constexpr std::array kSizes = {1, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};

// Outputs of an item of this size and more stay on the GPU.
constexpr std::size_t kLargeOutput = std::size_t{16} << 10;
constexpr std::size_t kKeptBlocks = 4;

class OrtCudaSession final : public Session {
 public:
  OrtCudaSession(std::string_view model, const SessionOptions& options)
      : options_(options),
        bytes_(model),
        open_batch_(onnx::read_summary(model).inputs.at(0).shape.value().front() < 0),
        device_(cuda::Device::open(options.gpu.value())),
        stream_(device_),
        downloads_(std::make_shared<const cuda::Stream>(device_)) {
    const OrtModel& first = load(1).run->model();
    input_ = first.input();
    outputs_ = first.outputs();
    max_batch_ = open_batch_ ? INT_MAX : first.max_batch();
  }

  const TensorInfo& input() const override { return input_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override { return max_batch_; }
  cuda::DevicePtr gpu() const override { return device_; }
  bool may_keep(std::size_t i) const override {
    return item_bytes(outputs_[i]).value_or(0) >= kLargeOutput;
  }

  bool reads_on_device() const override {
    return std::all_of(outputs_.begin(), outputs_.end(),
                       [](const TensorInfo& info) { return item_bytes(info).value_or(0) > 0; });
  }

  HostMemory host_memory(std::size_t bytes) const override {
    const auto pinned = std::make_shared<cuda::PinnedMemory>(device_, bytes);
    return {pinned->data(), [pinned](std::byte*) {}};
  }

  std::vector<Tensor> run(const std::byte* items, int count,
                          std::span<const std::span<std::byte>> memory) const override {
    BatchWork work;
    work.items = items;
    work.count = count;
    work.memory = memory;
    return run_batch(work).outputs;
  }

  BatchResults run_batch(const BatchWork& work) const override {
    cuda::Event done(device_);
    BatchResults results;
    {
      const std::lock_guard lock(mutex_);
      try {
        Prepared& prepared = prepared_for(work.count);
        write(*prepared.run, work);
        prepared.run->enqueue();
        results.read = read(*prepared.run, work);
        if (work.outputs_wanted) results.outputs = take_outputs(prepared, work.count, work.memory);
        done.record(stream_);
      } catch (const Ort::Exception& error) {
        stream_.wait_on_host();
        throw Error(ErrorCode::kFailed, std::string("ONNX Runtime: ") + error.what());
      } catch (...) {
        stream_.wait_on_host();
        throw;
      }
    }
    done.wait_on_host();
    return results;
  }

  void prepare(int count) const override {
    const int largest = std::min(count, max_batch_);
    for (const int size : kSizes) {
      prepare_size(std::min(size, largest));
      if (size >= largest) break;
    }
  }

  // As many as a prepared size has, unless filling up the next one costs less.
  int preferred_count(int waiting) const override {
    const std::lock_guard lock(mutex_);
    const auto above = prepared_.lower_bound(waiting);
    if (!open_batch_ || above == prepared_.begin() || above == prepared_.end()) return waiting;
    const int below = std::prev(above)->first;
    return waiting * 4 >= above->first * 3 ? waiting : below;
  }

  std::string describe() const override {
    const std::lock_guard lock(mutex_);
    return prepared_.rbegin()->second.run->describe();
  }

 private:
  struct Prepared {
    Prepared(std::string_view model, const SessionOptions& options, const cuda::Stream& stream)
        : run(OrtCudaRun::load(model, options, stream)),
          kept(kept_bytes(run->model(), run->rows()), kKeptBlocks,
               [device = stream.device()](std::size_t bytes) { return on_device(device, bytes); }) {
    }

    const std::unique_ptr<OrtCudaRun> run;
    TensorPool kept;  // blocks for the outputs that stay on the GPU, one after the other
  };
  using Sizes = std::map<int, Prepared>;

  // Whoever asked for a size that was not there waits until it is.
  Prepared& load(int size) const {
    const auto found = prepared_.find(size);
    if (found != prepared_.end()) return found->second;
    try {
      const std::string model =
          open_batch_ ? onnx::with_input_shape(bytes_, size, item_shape()) : bytes_;
      return prepared_.try_emplace(size, model, options_, stream_).first->second;
    } catch (const Ort::Exception& error) {
      throw Error(ErrorCode::kModel, std::string("does not load onto the GPU: ") + error.what());
    }
  }

  static HostMemory on_device(const cuda::DevicePtr& device, std::size_t bytes) {
    const auto memory =
        std::make_shared<cuda::DeviceMemory>(device, std::max<std::size_t>(bytes, 1));
    return {reinterpret_cast<std::byte*>(memory->address()), [memory](std::byte*) {}};
  }

  Shape item_shape() const {
    const Shape shape = onnx::read_summary(bytes_).inputs.at(0).shape.value();
    return {shape.begin() + 1, shape.end()};
  }

  static std::size_t aligned(std::size_t bytes) {
    return (bytes + TensorPool::kAlignment - 1) / TensorPool::kAlignment * TensorPool::kAlignment;
  }

  static std::size_t kept_bytes(const OrtModel& model, int size) {
    std::size_t bytes = 0;
    for (const TensorInfo& output : model.outputs())
      if (const std::size_t item = item_bytes(output).value_or(0); item >= kLargeOutput)
        bytes += aligned(item * static_cast<std::size_t>(size));
    return bytes;
  }

  Prepared& prepared_for(int count) const {
    if (!open_batch_) return prepared_.begin()->second;  // the file says which size
    const auto found = prepared_.lower_bound(count);
    return found != prepared_.end() ? found->second : load(count);
  }

  void prepare_size(int size) const {
    const std::lock_guard lock(mutex_);
    if (open_batch_) load(size);
  }

  void write(const OrtCudaRun& run, const BatchWork& work) const {
    const std::size_t item = run.model().input_bytes();
    cuda::Address to = run.input();
    const cuda::Address end = to + item * static_cast<std::size_t>(work.count);
    for (const DevicePart& part : work.written) {
      const std::size_t bytes = part.items.size() * item;
      part.writer->write(part.items, to, bytes, stream_);
      to += bytes;
    }
    if (to < end) stream_.upload(to, work.items, end - to);
    if (const std::size_t rest = run.input() + run.input_bytes() - end; rest > 0)
      stream_.fill(end, 0, rest);
  }

  // What readers make of the outputs, which will be on the host once the stream is done.
  std::vector<std::vector<Tensor>> read(const OrtCudaRun& run, const BatchWork& work) const {
    reserve(found_, found_bytes(work));
    std::size_t scratch = 0;
    for (const DeviceRead& part : work.read)
      scratch = std::max(scratch, part.reader->scratch_bytes(part.count));
    reserve(scratch_, scratch);
    std::vector<std::vector<Tensor>> results;
    cuda::Address to = found_.address();
    for (const DeviceRead& part : work.read) {
      const std::size_t bytes = found_bytes(part);
      read(run, part, to);
      results.push_back(download_found(part, to, bytes));
      to += bytes;
    }
    return results;
  }

  void read(const OrtCudaRun& run, const DeviceRead& part, cuda::Address to) const {
    std::vector<Tensor> outputs;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      Tensor tensor{outputs_[i].name, outputs_[i].type, outputs_[i].shape, MemoryKind::kCuda};
      tensor.data = reinterpret_cast<const std::byte*>(run.output(i)) +
                    static_cast<std::size_t>(part.first) * tensor.bytes();
      tensor.shape.insert(tensor.shape.begin(), part.count);
      outputs.push_back(std::move(tensor));
    }
    std::vector<cuda::Address> addresses;
    for (const TensorInfo& info : part.reader->results()) {
      addresses.push_back(to);
      to += result_bytes(info, part.count);
    }
    part.reader->read(outputs, part.count, addresses, scratch_.address(), stream_);
  }

  std::vector<Tensor> download_found(const DeviceRead& part, cuda::Address from,
                                     std::size_t bytes) const {
    const std::shared_ptr<std::byte> block = pinned(bytes);
    stream_.download(block.get(), from, bytes);
    std::vector<Tensor> tensors;
    std::size_t offset = 0;
    for (const TensorInfo& info : part.reader->results()) {
      Tensor tensor{info.name, info.type, info.shape};
      tensor.shape.insert(tensor.shape.begin(), part.count);
      tensor.data = block.get() + offset;
      tensor.owner = block;
      offset += result_bytes(info, part.count);
      tensors.push_back(std::move(tensor));
    }
    return tensors;
  }

  // Of sizes that are powers of two, so that there are few pools.
  std::shared_ptr<std::byte> pinned(std::size_t bytes) const {
    const std::size_t size = std::bit_ceil(std::max<std::size_t>(bytes, 4096));
    const auto allocate = [this](std::size_t wanted) { return host_memory(wanted); };
    return pinned_.try_emplace(size, size, kKeptBlocks, allocate).first->second.take();
  }

  static std::size_t result_bytes(const TensorInfo& info, int count) {
    return aligned(item_bytes(info).value() * static_cast<std::size_t>(count));
  }
  static std::size_t found_bytes(const DeviceRead& part) {
    std::size_t bytes = 0;
    for (const TensorInfo& info : part.reader->results()) bytes += result_bytes(info, part.count);
    return bytes;
  }
  static std::size_t found_bytes(const BatchWork& work) {
    std::size_t bytes = 0;
    for (const DeviceRead& part : work.read) bytes += found_bytes(part);
    return bytes;
  }
  // Grows, never shrinks; what is under way is waited for then.
  void reserve(cuda::DeviceMemory& memory, std::size_t bytes) const {
    if (bytes <= memory.bytes()) return;
    stream_.wait_on_host();
    memory = {};
    memory = cuda::DeviceMemory(device_, std::bit_ceil(bytes));
  }

  // The outputs, whose data are where they are to be once the stream is done.
  std::vector<Tensor> take_outputs(Prepared& prepared, int count,
                                   std::span<const std::span<std::byte>> memory) const {
    std::shared_ptr<std::byte> block;
    std::size_t used = 0;
    std::vector<Tensor> results;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const OrtCudaRun& run = *prepared.run;
      Tensor tensor = run.model().result(i, run.output_shape(i), run.rows(), count);
      const std::span<std::byte> to = i < memory.size() ? memory[i] : std::span<std::byte>();
      if (to.size() < tensor.bytes() && run.is_on_device(i) && may_keep(i)) {
        if (block == nullptr) block = prepared.kept.take();
        keep(tensor, run.output(i), block, used);
        used += aligned(tensor.bytes());
      } else {
        download(tensor, run, i, to);
      }
      results.push_back(std::move(tensor));
    }
    return results;
  }

  void keep(Tensor& tensor, cuda::Address from, const std::shared_ptr<std::byte>& block,
            std::size_t offset) const {
    stream_.copy(reinterpret_cast<cuda::Address>(block.get()) + offset, from, tensor.bytes());
    tensor.memory = MemoryKind::kCuda;
    tensor.data = block.get() + offset;
    tensor.owner = block;
    tensor.on_device = std::make_shared<const DeviceElements>(
        device_->info().ordinal,
        [stream = downloads_](void* to, const std::byte* data, std::size_t bytes) {
          stream->download(to, reinterpret_cast<cuda::Address>(data), bytes);
          stream->wait_on_host();
        });
  }

  void download(Tensor& tensor, const OrtCudaRun& run, std::size_t i,
                std::span<std::byte> memory) const {
    const std::size_t bytes = tensor.bytes();
    std::byte* to = memory.data();
    if (memory.size() < bytes) {
      const auto own = std::make_shared<std::vector<std::byte>>(bytes);
      to = own->data();
      tensor.owner = own;
    }
    tensor.data = to;
    if (bytes == 0) return;
    if (run.is_on_device(i))
      stream_.download(to, run.output(i), bytes);
    else
      std::memcpy(to, run.output_on_host(i), bytes);
  }

  const SessionOptions options_;
  const std::string bytes_;  // of the model, for sizes that are asked for later
  const bool open_batch_;
  const cuda::DevicePtr device_;
  const cuda::Stream stream_;
  const std::shared_ptr<const cuda::Stream> downloads_;  // of what stayed, when it is read
  TensorInfo input_;
  std::vector<TensorInfo> outputs_;
  int max_batch_ = 1;
  mutable std::mutex mutex_;  // who puts work into the stream has it, and what is below
  mutable Sizes prepared_;
  mutable cuda::DeviceMemory found_, scratch_;  // of readers; used again by the next batch
  mutable std::map<std::size_t, TensorPool> pinned_;
};

}  // namespace

std::unique_ptr<const Session> load_cuda_session(std::string_view model,
                                                 const SessionOptions& options) {
  return std::make_unique<OrtCudaSession>(model, options);
}

std::string gpu_name(int gpu) { return cuda::Device::open(gpu)->info().name; }

std::string gpu_complaint(int gpu) {
  try {
    ort_environment();
    SessionOptions options;
    options.gpu = gpu;
    const cuda::DevicePtr device = cuda::Device::open(gpu);  // whose errors say more
    cuda_options(options, nullptr, OrtCudaRun::Layout::kChannelsFirst);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace sightline
