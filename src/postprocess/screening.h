// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which of a network's outputs can matter, found where the outputs lie: a detector looks at
// thousands of rows and goes on with a few. Those few are hits. They are brought along alone, and
// give back outputs that decode() cannot tell from the whole ones.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "postprocess/postprocess.h"

namespace sightline {

// Numbers of an output, by row, class and column.
struct Strided {
  std::size_t output = 0;                          // of NetworkShape::outputs
  std::size_t begin = 0;                           // the element of row 0, class 0, column 0
  std::size_t row = 0, per_class = 0, column = 0;  // elements from one to the next
  std::size_t columns = 1;

  friend bool operator==(const Strided&, const Strided&) = default;
  std::size_t at(std::size_t r, std::size_t c, std::size_t i = 0) const {
    return begin + r * row + c * per_class + i * column;
  }
};

// Scores, and what decode() reads besides of a row, or of a class of it, that scores enough.
struct ScreenPart {
  std::size_t rows = 0;
  Strided scores;            // its columns are of no meaning
  std::vector<float> least;  // one a class: below it a score is none for decode(). Nor is a NaN
  // Of the classes of a row only the one with the first of the largest scores counts, if that is
  // above −1.
  bool best_only = false;
  // Rows where this number is less are out, whatever they score.
  struct Gate {
    Strided numbers;
    float least = 0;
    bool times_score = false;  // it is the product that has to reach `least` of the class

    friend bool operator==(const Gate&, const Gate&) = default;
  };
  std::optional<Gate> gate{};
  std::vector<Strided> beside{};

  friend bool operator==(const ScreenPart&, const ScreenPart&) = default;
};

// Parts one after the other, whose rows are counted through. Empty: decode() looks at everything.
using Screening = std::vector<ScreenPart>;

inline constexpr std::size_t kMostBeside = 3;  // of ScreenPart::beside

// A hit is so many words of 32 bits: its row, its class, then as float32 its score, the gate's
// number (0 without one), and what is beside, filled up to the largest part's.
std::size_t words_a_hit(const Screening& screening);
std::size_t most_hits(const Screening& screening);  // that there can be

// What an item's outputs would be if everything but hits were NaN, which no decode() takes for a
// score.
class SparseOutputs {
 public:
  // `network` is what the screening is of.
  SparseOutputs(Screening screening, const NetworkShape& network);

  const Screening& screening() const { return screening_; }
  // Of float32 or float16, as the network has them. `hits` are words_a_hit() words each, in any
  // order. Memory is used again when the last of the tensors is gone, and may outlive this. Throws
  // Error(kModel) if a hit is of a row or class that there is none of.
  std::vector<Tensor> restore(std::span<const std::int32_t> hits) const;

 private:
  struct Blocks;
  struct Block;

  std::shared_ptr<Block> take() const;
  void scatter(Block& block, std::span<const std::int32_t> hit) const;
  void put(Block& block, const Strided& place, std::size_t row, std::size_t id,
           std::span<const std::int32_t> words) const;

  const Screening screening_;
  const std::vector<NetworkShape::Output> outputs_;
  std::vector<std::size_t> offsets_;  // of each output in a block, then of its end
  std::shared_ptr<Blocks> blocks_;
};

}  // namespace sightline
