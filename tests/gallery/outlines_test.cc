// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/outlines.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

#include "faces.h"
#include "scratch.h"
#include "simd_targets.h"

namespace sightline {
namespace {

constexpr std::size_t kLine = OutlineAxes::kLine;

struct alignas(kLine) Line {
  std::byte bytes[kLine];
};

// Rows with their outlines, which begin on lines.
class Outlined {
 public:
  explicit Outlined(std::vector<std::vector<float>> rows)
      : rows_(std::move(rows)), centre_(rows_[0].size()), axes_(rows_[0].size()) {
    for (const std::vector<float>& row : rows_)
      for (std::size_t d = 0; d < row.size(); ++d)
        centre_[d] += row[d] / static_cast<float>(rows_.size());
    axes_ = OutlineAxes(centre_, rows_.size(),
                        [&](std::size_t row) { return std::span<const float>(rows_[row]); });
    lines_.resize(rows_.size() * axes_.outline_bytes() / kLine);
    for (std::size_t row = 0; row < rows_.size(); ++row)
      axes_.write_outline(from_centre(rows_[row]), outlines() + row * axes_.outline_bytes());
  }
  std::vector<float> from_centre(const std::vector<float>& values) const {
    std::vector<float> differences;
    for (std::size_t d = 0; d < values.size(); ++d) differences.push_back(values[d] - centre_[d]);
    return differences;
  }
  std::vector<float> distances(const std::vector<float>& query) const {
    std::vector<std::uint32_t> places;
    for (std::uint32_t row = 0; row < rows_.size(); ++row) places.push_back(row);
    std::vector<float> all(places.size());
    outline_distances(axes_.query(from_centre(query)), outlines(), places, all);
    return all;
  }
  // What the bytes stand for, multiplied in double precision.
  double reference(const std::vector<float>& query, std::size_t row) const {
    const OutlineQuery outline = axes_.query(from_centre(query));
    const std::byte* from = outlines() + row * axes_.outline_bytes();
    float head;
    std::memcpy(&head, from, sizeof head);
    double sum = 0;
    for (std::size_t i = sizeof head; i < axes_.outline_bytes(); ++i)
      sum += static_cast<double>(from[i]) * static_cast<double>(outline.bytes[i]);
    return static_cast<double>(head) + static_cast<double>(outline.offset) +
           static_cast<double>(outline.factor) * sum;
  }
  const OutlineAxes& axes() const { return axes_; }
  std::byte* outlines() const {
    return const_cast<std::byte*>(reinterpret_cast<const std::byte*>(lines_.data()));  // NOLINT
  }
  const std::vector<std::vector<float>>& rows() const { return rows_; }

 private:
  std::vector<std::vector<float>> rows_;
  std::vector<float> centre_;
  OutlineAxes axes_;
  std::vector<Line> lines_;
};

std::vector<std::vector<float>> unit_vectors(unsigned count, int dimensions) {
  std::vector<std::vector<float>> rows;
  for (unsigned i = 0; i < count; ++i) rows.push_back(unit_vector(i, dimensions));
  return rows;
}

std::vector<std::vector<float>> faces(std::uint64_t persons, int dimensions) {
  RandomFaces random(dimensions, 11);
  std::vector<std::vector<float>> rows;
  for (std::uint64_t i = 0; i < 2 * persons; ++i) rows.push_back(random.embedding_of(i / 2));
  return rows;
}

double squared_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  return sum;
}

// A sum of integers is exact; what is added to it is rounded to single precision.
TEST(Outlines, DistancesAreThoseOfTheBytesOnEveryTarget) {
  for (const int dimensions : {1, 3, 60, 61, 130, 300}) {
    for (const unsigned count : {1u, 2u, 5u, 16u, 33u}) {
      const Outlined some(unit_vectors(count, dimensions));
      const std::vector<float> query = unit_vector(1000, dimensions);
      on_every_target([&] {
        const std::vector<float> distances = some.distances(query);
        for (std::size_t row = 0; row < count; ++row)
          EXPECT_NEAR(distances[row], some.reference(query, row), 2e-5) << dimensions;
      });
    }
  }
}

// All axes of 24 dimensions fit in: what is left is what rounding to bytes does, half a step of
// each number, of which the steps are a 127th of the largest.
TEST(Outlines, OfFewDimensionsAreExactButForRounding) {
  const Outlined some(unit_vectors(500, 24));
  ASSERT_EQ(some.axes().outline_bytes(), kLine);
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::vector<float> query = unit_vector(7000 + seed, 24);
    const std::vector<float> distances = some.distances(query);
    for (std::size_t row = 0; row < distances.size(); ++row)
      EXPECT_NEAR(distances[row], squared_distance(query, some.rows()[row]), 0.05);
  }
}

// Of those near a query, as a search sees them: by outlines in one line the nearest ten are among
// the nearest 16.
TEST(Outlines, OfFacesTellWhichAreNearestInOneLine) {
  const Outlined some(faces(3000, 128));
  ASSERT_EQ(some.axes().outline_bytes(), kLine);
  RandomFaces random(128, 11);
  std::size_t found = 0, wanted = 0;
  for (std::uint64_t person = 0; person < 100; ++person) {
    const std::vector<float> query = random.embedding_of(person * 60);  // half of them strangers
    const std::vector<float> distances = some.distances(query);
    std::vector<std::size_t> truly(distances.size()), about(distances.size());
    for (std::size_t i = 0; i < truly.size(); ++i) truly[i] = about[i] = i;
    std::vector<double> exact;
    for (const std::vector<float>& row : some.rows()) exact.push_back(squared_distance(query, row));
    std::ranges::sort(truly, {}, [&](std::size_t row) { return exact[row]; });
    std::ranges::sort(about, {}, [&](std::size_t row) { return distances[row]; });
    for (std::size_t i = 0; i < 10; ++i)
      found += std::find(about.begin(), about.begin() + 16, truly[i]) != about.begin() + 16;
    wanted += 10;
  }
  EXPECT_GT(static_cast<double>(found), 0.98 * static_cast<double>(wanted));
}

// Vectors in any direction differ in all axes alike.
TEST(Outlines, TakeAsManyLinesAsItNeeds) {
  EXPECT_EQ(Outlined(unit_vectors(2000, 100)).axes().outline_bytes(), 2 * kLine);
  EXPECT_EQ(Outlined(unit_vectors(500, 600)).axes().outline_bytes(), 4 * kLine);
  std::vector<std::vector<float>> in_a_plane(300, std::vector<float>(600));
  for (std::size_t i = 0; i < in_a_plane.size(); ++i) {
    in_a_plane[i][i % 2 == 0 ? 5 : 570] = static_cast<float>(i);
    in_a_plane[i][300] = 1;
  }
  EXPECT_EQ(Outlined(in_a_plane).axes().outline_bytes(), kLine);
}

TEST(Outlines, OfRowsThatAreAllAlikeAreTheirDistance) {
  const std::vector<float> one = unit_vector(3, 32), other = unit_vector(4, 32);
  const Outlined alike(std::vector<std::vector<float>>(50, one));
  for (const float distance : alike.distances(one)) EXPECT_NEAR(distance, 0, 1e-3);
  for (const float distance : alike.distances(other))
    EXPECT_NEAR(distance, squared_distance(one, other), 0.05);
}

TEST(Outlines, AxesAreReadAsTheyWereWritten) {
  const Outlined some(faces(100, 128));
  const std::vector<std::byte> written = some.axes().written();
  EXPECT_EQ(written.size(), OutlineAxes::written_size(128, kLine));
  OutlineAxes read(128);
  ASSERT_TRUE(read.read(written, kLine));
  EXPECT_EQ(read.written(), written);
  std::vector<std::byte> outline(kLine);
  read.write_outline(some.from_centre(some.rows()[7]), outline.data());
  EXPECT_TRUE(std::equal(outline.begin(), outline.end(), some.outlines() + 7 * kLine));
}

TEST(Outlines, OtherAxesAreRefused) {
  const std::vector<std::byte> written = Outlined(faces(100, 128)).axes().written();
  OutlineAxes read(128);
  const std::vector<std::byte> before = read.written();
  EXPECT_FALSE(read.read(std::span(written).first(written.size() - 4), kLine));
  EXPECT_FALSE(read.read(written, 2 * kLine));
  for (const std::size_t bytes : {std::size_t{0}, kLine - 1, 8 * kLine})
    EXPECT_FALSE(read.read(written, bytes)) << bytes;
  EXPECT_FALSE(OutlineAxes(64).read(written, kLine));
  for (const float number : {NAN, INFINITY, -1.0f, 0.0f}) {
    std::vector<std::byte> changed = written;
    std::memcpy(changed.data(), &number, sizeof number);  // the step
    EXPECT_FALSE(read.read(changed, kLine)) << number;
  }
  std::vector<std::byte> changed = written;
  std::memset(changed.data() + changed.size() - sizeof(float), 0xff, sizeof(float));
  EXPECT_FALSE(read.read(changed, kLine));
  EXPECT_EQ(read.written(), before);
}

}  // namespace
}  // namespace sightline
