// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Embeddings as bytes, and their similarities to queries at the speed of memory.
//
// What is made bytes is the difference to a centre c, the mean of the stored embeddings: those of
// faces lie in a narrow cone, so that the differences are small, and so is what rounding does to
// them. With q for the query and x for a row,
//
//     q · x  =  (q − c) · (x − c)  +  c · (x − c)  +  q · c
//
// where the first product is of bytes, the second belongs to the row and the third to the query.
//
// Rows lie in groups of 16, and a group byte by byte so that one instruction works on 4 dimensions
// of all of them: bytes [dimension / 4][row of the group][dimension % 4], each plus 128. Then no
// sum has to be taken over the lanes of a register.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

inline constexpr std::size_t kGroupRows = 16;

// How many times 4 dimensions there are; the last may be filled up with zeros.
constexpr std::size_t quads(std::size_t dimensions) { return (dimensions + 3) / 4; }
constexpr std::size_t group_bytes(std::size_t dimensions) {
  return quads(dimensions) * 4 * kGroupRows;
}

// What makes a row of its bytes: q · x ≈ scale · sum of products + bias + what belongs to q.
struct ByteRow {
  float scale = 0;
  float bias = 0;
};

// Writes row `lane` of the group that begins at `group`.
ByteRow write_byte_row(std::span<const float> values, std::span<const float> centre,
                       std::uint8_t* group, std::size_t lane);

struct ByteQuery {
  std::vector<std::int8_t> bytes;   // a multiple of 4
  std::vector<std::int32_t> evens;  // bytes 0 and 2 of each four, as pairs of 16 bits
  std::vector<std::int32_t> odds;   // and bytes 1 and 3
  std::int32_t excess = 0;          // what the 128 of each byte of a row adds to the sum
  float scale = 0;
  float offset = 0;
};
ByteQuery byte_query(std::span<const float> values, std::span<const float> centre);

// Rows in whole groups.
struct ByteGroups {
  const std::uint8_t* bytes = nullptr;
  const float* scales = nullptr;
  const float* biases = nullptr;
  std::size_t groups = 0;
  std::size_t quads = 0;
};

// scores[i × rows + r] ≈ queries[i] · row r, where rows = 16 × groups. Runs on the best instruction
// set of this CPU; with VNNI, 64 products an instruction.
void byte_scores(const ByteGroups& rows, std::span<const ByteQuery> queries,
                 std::span<float> scores);

// Writes the places of the scores above `floor`, in order, and returns how many there are.
std::size_t find_above(std::span<const float> scores, float floor, std::span<std::uint32_t> places);

// One embedding as bytes alone, of which two can be compared: a row of a graph.
struct ByteVector {
  float scale = 0;
  float squared_length = 0;  // of the difference to the centre
  std::int32_t sum = 0;      // of the bytes
  // The bytes, signed, a multiple of 4 of them, follow.
};
constexpr std::size_t byte_vector_size(std::size_t dimensions) {
  return sizeof(ByteVector) + 4 * quads(dimensions);
}
void write_byte_vector(std::span<const float> values, std::span<const float> centre,
                       std::byte* into);
// Adds the difference to the centre that the bytes stand for.
void add_byte_vector(const std::byte* from, std::span<float> sums);
// The squared distance of two that were written by write_byte_vector(); `count` points to the
// number of bytes (a std::size_t) after the head. Its form is what hnswlib calls.
using ByteDistance = float (*)(const void* a, const void* b, const void* count);
ByteDistance byte_distance();  // the best for this CPU

}  // namespace sightline
