// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include <glib.h>

#include "core/shared_values.h"
#include "engine/device_reader.h"
#include "postprocess/cuda/screener.h"
#include "postprocess/screening.h"
#include "stage/output_screen.h"

namespace sightline {

namespace {

// Of hits that come to the host from each item, at first and at most.
constexpr std::size_t kFirstBytes = 8 << 10, kMostBytes = 48 << 10;

// Of what a HitReader found of an item.
std::size_t count_of(std::span<const Tensor> found) {
  std::int32_t count = 0;
  std::memcpy(&count, found[0].data, sizeof count);
  return static_cast<std::size_t>(count);
}

// What the readers of one detector share.
struct Tables {
  Tables(const cuda::DevicePtr& gpu, const Screening& screening, const NetworkShape& network)
      : screener(gpu, screening), sparse(screening, network), words(words_a_hit(screening)) {}

  const cuda::Screener screener;
  const SparseOutputs sparse;
  const std::size_t words;  // of a hit
};

// Which reader the next request gets.
class Readers : public std::enable_shared_from_this<Readers> {
 public:
  Readers(std::shared_ptr<const Tables> tables, std::size_t most_bytes)
      : tables_(std::move(tables)),
        hit_bytes_(tables_->words * sizeof(std::int32_t)),
        most_hits_(most_hits(tables_->sparse.screening())),
        most_bytes_(most_bytes) {}

  std::shared_ptr<DeviceReader> current() {
    const std::lock_guard lock(mutex_);
    if (reader_ == nullptr && !gave_up_) reader_ = make_reader(kFirstBytes / hit_bytes_);
    return reader_;
  }
  // A reader with room for `capacity` hits has found `count`.
  void need(std::size_t count, std::size_t capacity);

 private:
  std::shared_ptr<DeviceReader> make_reader(std::size_t capacity);

  const std::shared_ptr<const Tables> tables_;
  const std::size_t hit_bytes_, most_hits_, most_bytes_;
  std::mutex mutex_;  // guards the next three
  std::shared_ptr<DeviceReader> reader_;
  std::size_t capacity_ = 0;  // of reader_
  bool gave_up_ = false;
};

class HitReader final : public DeviceReader {
 public:
  HitReader(std::shared_ptr<const Tables> tables, std::weak_ptr<Readers> readers,
            std::size_t capacity)
      : tables_(std::move(tables)),
        readers_(std::move(readers)),
        capacity_(capacity),
        results_{
            {"hit-count", ElementType::kInt32, {1}},
            {"hits", ElementType::kInt32, {static_cast<std::int64_t>(capacity * tables_->words)}}} {
  }

  const std::vector<TensorInfo>& results() const override { return results_; }

  void read(std::span<const Tensor> outputs, int count, std::span<const cuda::Address> results,
            cuda::Address /*scratch*/, const cuda::Stream& stream) override {
    tables_->screener.run(outputs, count, {results[0], results[1], capacity_}, stream);
  }

  bool is_complete(std::span<const Tensor> found) const override {
    const std::size_t count = count_of(found);
    if (count <= capacity_) return true;
    if (const auto readers = readers_.lock()) readers->need(count, capacity_);
    return false;
  }

 private:
  const std::shared_ptr<const Tables> tables_;
  const std::weak_ptr<Readers> readers_;
  const std::size_t capacity_;
  const std::vector<TensorInfo> results_;
};

std::shared_ptr<DeviceReader> Readers::make_reader(std::size_t capacity) {
  capacity_ = std::clamp<std::size_t>(capacity, 1, std::max<std::size_t>(most_hits_, 1));
  return std::make_shared<HitReader>(tables_, weak_from_this(), capacity_);
}

void Readers::need(std::size_t count, std::size_t capacity) {
  const std::lock_guard lock(mutex_);
  if (reader_ == nullptr || capacity_ != capacity) return;  // others have said so already
  reader_.reset();
  const std::size_t room = std::max(2 * capacity, count + count / 4);
  if (room * hit_bytes_ <= most_bytes_) {
    reader_ = make_reader(room);
    return;
  }
  gave_up_ = true;
  g_info(
      "%zu rows of a detector's outputs reach its thresholds: from now on all of its outputs come "
      "to the host. A higher pre-cluster-threshold lets only hits come",
      count);
}

class CudaOutputScreen final : public OutputScreen {
 public:
  CudaOutputScreen(std::shared_ptr<const Tables> tables, std::size_t most_bytes)
      : tables_(std::move(tables)), readers_(std::make_shared<Readers>(tables_, most_bytes)) {}

  std::shared_ptr<DeviceReader> reader() const override { return readers_->current(); }

  std::vector<Tensor> restore(const std::vector<Tensor>& found) const override {
    const std::span hits(reinterpret_cast<const std::int32_t*>(found.at(1).data), found[1].count());
    return tables_->sparse.restore(hits.first(count_of(found) * tables_->words));
  }

 private:
  const std::shared_ptr<const Tables> tables_;
  const std::shared_ptr<Readers> readers_;
};

bool is_float(const NetworkShape::Output& output) {
  return output.type == ElementType::kFloat32 || output.type == ElementType::kFloat16;
}

}  // namespace

std::shared_ptr<const OutputScreen> make_cuda_output_screen(const Engine& engine,
                                                            const Postprocessor& postprocessor,
                                                            const NetworkShape& network) {
  const Screening screening = postprocessor.screening();
  if (screening.empty() || !std::ranges::all_of(network.outputs, is_float)) return nullptr;
  std::size_t bytes = 0;
  for (const NetworkShape::Output& output : network.outputs)
    bytes += element_count(output.shape) * size_of(output.type);
  if (bytes <= 2 * kFirstBytes) return nullptr;
  // The same for all stages that look for the same, so that one launch reads a batch for them.
  static SharedValues<std::pair<const Engine*, Screening>, const CudaOutputScreen> all;
  return all.get({&engine, screening}, [&] {
    return std::make_shared<const CudaOutputScreen>(
        std::make_shared<const Tables>(engine.gpu(), screening, network),
        std::min(kMostBytes, bytes / 2));
  });
}

}  // namespace sightline
