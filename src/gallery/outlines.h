// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Embeddings in a line of cache: where they lie along the axes in which embeddings differ most.
//
// What a walk along a graph waits for is memory, since the thousands of rows that it compares lie
// anywhere. Embeddings of faces differ in half as many axes as they have dimensions, so that a byte
// for each of 60 axes, and the distance to the centre, tell nearly as well which row is nearer as a
// byte for each of 128 dimensions, and take one line instead of three or four.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sightline {

// What outlines are compared with.
struct OutlineQuery {
  std::vector<std::int8_t> bytes;  // as many as an outline has
  float factor = 0;                // of the sum of products
  float offset = 0;
  float usual = 0;  // how far embeddings are, squared, in the mean
};

// Orthogonal axes through the centre of some rows, and the steps of the bytes along them.
class OutlineAxes {
 public:
  static constexpr std::size_t kLine = 64;  // bytes
  // Outlines have as many lines, up to the most, as it takes to hold this part of what rows differ
  // by. Of faces, one line holds 0.98.
  static constexpr double kHeld = 0.95;
  static constexpr std::size_t kMostLines = 4;

  // The first axes of the space itself: for rows of which nothing is known yet.
  explicit OutlineAxes(std::size_t dimensions);
  // Those in which rows 0 … count-1 differ most; a few thousand of them are looked at. values(row)
  // is of the same dimensions as the centre.
  OutlineAxes(std::span<const float> centre, std::size_t count,
              const std::function<std::span<const float>(std::size_t)>& values);

  std::size_t outline_bytes() const { return bytes_; }  // whole lines
  // Of an embedding's differences to the centre.
  void write_outline(std::span<const float> differences, std::byte* into) const;
  OutlineQuery query(std::span<const float> differences) const;

  // For a file. read() is false, and leaves these axes as they are, if what was written is of other
  // dimensions or no axes.
  std::vector<std::byte> written() const;
  static std::size_t written_size(std::size_t dimensions, std::size_t outline_bytes);
  bool read(std::span<const std::byte> written, std::size_t outline_bytes);

 private:
  std::size_t axes() const { return axes_.size() / dimensions_; }
  std::vector<float> along(std::span<const float> differences) const;
  double find(std::span<const float> rows);
  void set_step(std::span<const float> rows);

  std::size_t dimensions_;
  std::size_t bytes_ = kLine;
  float step_ = 1;           // along an axis, of 1 in a byte
  float spread_ = 0;         // the mean of the squared distances from the centre
  std::vector<float> axes_;  // of unit length, one after the other
};

// distances[i] ≈ the squared distance from the query to the embedding whose outline begins at
// outlines + places[i] × the bytes of an outline; `outlines` is on a boundary of lines. Runs on the
// best instruction set of this CPU.
void outline_distances(const OutlineQuery& query, const std::byte* outlines,
                       std::span<const std::uint32_t> places, std::span<float> distances);

}  // namespace sightline
