// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/screened_rows.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "gallery/dot_products.h"
#include "scratch.h"

namespace sightline {
namespace {

using Hit = std::tuple<std::size_t, std::size_t, float>;

// Every product, one by one.
std::vector<Hit> reference(std::span<const float> rows, std::size_t width,
                           const std::vector<ScreenedRows::Query>& queries, std::size_t first) {
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < queries.size(); ++i)
    for (std::size_t row = first; row < rows.size() / width; ++row) {
      float product = 0;
      dot_products(rows.subspan(row * width, width), queries[i].values, {&product, 1});
      if (product >= queries[i].limit) hits.emplace_back(i, row, product);
    }
  return hits;
}

std::vector<Hit> found(const ScreenedRows& rows, const std::vector<ScreenedRows::Query>& queries,
                       std::size_t first) {
  std::vector<Hit> hits;
  rows.find(queries, first, [&](std::size_t query, std::size_t row, float product) {
    hits.emplace_back(query, row, product);
  });
  // In order of rows for each query, whichever query comes first.
  std::ranges::stable_sort(hits, {}, [](const Hit& hit) { return std::get<0>(hit); });
  return hits;
}

// In a narrow cone, as faces' are, with a few that are nowhere near.
std::vector<float> cone(std::size_t count, int width, float angle) {
  std::vector<float> rows;
  const std::vector<float> axis = unit_vector(12345, width);
  for (unsigned i = 0; i < count; ++i) {
    std::vector<float> row = unit_vector(i, width);
    const float share = i % 97 == 0 ? 0.9f : angle;
    for (std::size_t k = 0; k < row.size(); ++k) row[k] = axis[k] + share * row[k];
    row = to_unit_length(row);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

TEST(ScreenedRows, FindExactlyWhatComparingOneByOneFinds) {
  for (const int width : {1, 3, 64, 130}) {
    for (const std::size_t count : {1, 15, 16, 17, 1024, 1500}) {
      const std::vector<float> values = cone(count, width, 0.2f);
      const ScreenedRows rows(values, static_cast<std::size_t>(width));
      std::vector<ScreenedRows::Query> queries;
      for (std::size_t i = 0; i < std::min<std::size_t>(count, 16); ++i)
        for (const float limit : {-1.0f, 0.9f, 0.98f, 0.995f, 0.99999f, 2.0f})
          queries.push_back({rows.row(i * 7 % count), limit});
      for (const std::size_t first : {std::size_t{0}, count / 2, count - 1, count})
        EXPECT_EQ(found(rows, queries, first),
                  reference(values, static_cast<std::size_t>(width), queries, first))
            << width << " x " << count << " from " << first;
    }
  }
}

TEST(ScreenedRows, RowsOfZerosAndOfAnyLengthAreComparedAsWell) {
  std::vector<float> values = cone(40, 16, 0.3f);
  std::fill_n(values.begin() + 5 * 16, 16, 0.0f);
  for (std::size_t i = 9 * 16; i < 10 * 16; ++i) values[i] *= 100;
  const ScreenedRows rows(values, 16);
  std::vector<ScreenedRows::Query> queries;
  for (std::size_t i = 0; i < 40; ++i)
    for (const float limit : {-5.0f, 0.0f, 0.97f, 50.0f}) queries.push_back({rows.row(i), limit});
  EXPECT_EQ(found(rows, queries, 0), reference(values, 16, queries, 0));
}

TEST(ScreenedRows, ThereMayBeNone) {
  const ScreenedRows rows({}, 16);
  EXPECT_EQ(rows.size(), 0u);
  const std::vector<float> query = unit_vector(1, 16);
  rows.find(std::vector<ScreenedRows::Query>{{query, -1}}, 0,
            [](std::size_t, std::size_t, float) { ADD_FAILURE(); });
}

}  // namespace
}  // namespace sightline
