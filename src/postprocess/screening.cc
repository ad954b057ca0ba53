// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/screening.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "core/error.h"

namespace sightline {

namespace {

constexpr std::size_t kScoreWord = 2, kGateWord = 3, kFirstBeside = 4;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kKeptBlocks = 16;
constexpr std::uint16_t kHalfNan = 0x7e00;

std::size_t columns_beside(const ScreenPart& part) {
  std::size_t columns = 0;
  for (const Strided& numbers : part.beside) columns += numbers.columns;
  return columns;
}

}  // namespace

Screening Postprocessor::screening() const { return {}; }

std::size_t words_a_hit(const Screening& screening) {
  std::size_t most = 0;
  for (const ScreenPart& part : screening) most = std::max(most, columns_beside(part));
  return kFirstBeside + most;
}

std::size_t most_hits(const Screening& screening) {
  std::size_t hits = 0;
  for (const ScreenPart& part : screening)
    hits += part.rows * (part.best_only ? 1 : part.least.size());
  return hits;
}

// Memory of all outputs of an item. All of it is NaN but what was touched.
struct SparseOutputs::Block {
  std::vector<std::byte> memory;
  struct Touched {
    std::size_t offset, bytes;
  };
  std::vector<Touched> touched;

  void write(std::size_t offset, const void* from, std::size_t bytes) {
    std::memcpy(memory.data() + offset, from, bytes);
    touched.push_back({offset, bytes});
  }
  void forget() {
    for (const Touched& one : touched) fill(one.offset, one.bytes);
    touched.clear();
  }
  void fill(std::size_t offset, std::size_t bytes) {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    if (bytes == sizeof kHalfNan)
      std::memcpy(memory.data() + offset, &kHalfNan, bytes);
    else
      std::memcpy(memory.data() + offset, &kNan, bytes);
  }
};

struct SparseOutputs::Blocks {
  std::mutex mutex;
  std::vector<std::unique_ptr<Block>> free;
};

SparseOutputs::SparseOutputs(Screening screening, const NetworkShape& network)
    : screening_(std::move(screening)),
      outputs_(network.outputs),
      blocks_(std::make_shared<Blocks>()) {
  std::size_t offset = 0;
  for (const NetworkShape::Output& output : outputs_) {
    offsets_.push_back(offset);
    const std::size_t bytes = element_count(output.shape) * size_of(output.type);
    offset += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  offsets_.push_back(offset);
}

void SparseOutputs::put(Block& block, const Strided& place, std::size_t row, std::size_t id,
                        std::span<const std::int32_t> words) const {
  const NetworkShape::Output& output = outputs_[place.output];
  const std::size_t bytes = size_of(output.type);
  for (std::size_t i = 0; i < place.columns; ++i) {
    const std::size_t offset = offsets_[place.output] + place.at(row, id, i) * bytes;
    if (output.type == ElementType::kFloat16) {
      const std::uint16_t half = float_to_half(std::bit_cast<float>(words[i]));
      block.write(offset, &half, bytes);
    } else {
      block.write(offset, &words[i], bytes);
    }
  }
}

std::shared_ptr<SparseOutputs::Block> SparseOutputs::take() const {
  std::unique_ptr<Block> taken;
  {
    const std::lock_guard lock(blocks_->mutex);
    if (!blocks_->free.empty()) {
      taken = std::move(blocks_->free.back());
      blocks_->free.pop_back();
    }
  }
  if (taken == nullptr) {
    taken = std::make_unique<Block>();
    taken->memory.resize(offsets_.back());
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      const std::size_t bytes = size_of(outputs_[o].type);
      for (std::size_t i = 0; i < element_count(outputs_[o].shape); ++i)
        taken->fill(offsets_[o] + i * bytes, bytes);
    }
  }
  return {taken.release(), [blocks = blocks_](Block* used) {
            std::unique_ptr<Block> own(used);
            own->forget();
            const std::lock_guard lock(blocks->mutex);
            if (blocks->free.size() < kKeptBlocks) blocks->free.push_back(std::move(own));
          }};
}

void SparseOutputs::scatter(Block& block, std::span<const std::int32_t> hit) const {
  auto row = static_cast<std::size_t>(hit[0]);
  const auto id = static_cast<std::size_t>(hit[1]);
  auto part = screening_.begin();
  while (part != screening_.end() && row >= part->rows) row -= (part++)->rows;
  if (part == screening_.end() || id >= part->least.size())  // negative ones are huge here
    throw Error(ErrorCode::kModel, "row " + std::to_string(hit[0]) + " and class " +
                                       std::to_string(hit[1]) +
                                       " were found in the outputs, which have no such");
  Strided score = part->scores;
  score.columns = 1;
  put(block, score, row, id, hit.subspan(kScoreWord, 1));
  if (part->gate) put(block, part->gate->numbers, row, id, hit.subspan(kGateWord, 1));
  std::size_t at = kFirstBeside;
  for (const Strided& beside : part->beside) {
    put(block, beside, row, id, hit.subspan(at, beside.columns));
    at += beside.columns;
  }
}

std::vector<Tensor> SparseOutputs::restore(std::span<const std::int32_t> hits) const {
  const std::shared_ptr<Block> block = take();
  const std::size_t words = words_a_hit(screening_);
  for (std::size_t first = 0; first + words <= hits.size(); first += words)
    scatter(*block, hits.subspan(first, words));
  std::vector<Tensor> tensors;
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    Tensor tensor{outputs_[o].name, outputs_[o].type, outputs_[o].shape};
    tensor.data = block->memory.data() + offsets_[o];
    tensor.owner = block;
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace sightline
