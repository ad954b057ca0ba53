// SPDX-License-Identifier: LGPL-2.1-or-later

#include "faces.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

namespace sightline {
namespace {

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// A normal spread has thinner tails than the one that was measured: 0.004 at the lower one, which
// is a fifth of the distance between its 5 and 95 percent. What was measured, at 5, 25, 50, 75 and
// 95 percent of the pairs (faces.h).
void expect_percentiles(std::vector<double> similarities, const std::vector<double>& measured) {
  std::sort(similarities.begin(), similarities.end());
  const std::vector<double> parts{0.05, 0.25, 0.5, 0.75, 0.95};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto place =
        static_cast<std::size_t>(parts[i] * static_cast<double>(similarities.size()));
    EXPECT_NEAR(similarities[place], measured[i], 0.004) << 100 * parts[i] << " %";
  }
}

TEST(RandomFaces, AreDistributedAsThoseThatWereMeasured) {
  RandomFaces faces(128, 1);
  std::vector<double> same, different;
  std::vector<float> last = faces.embedding_of(0);
  for (std::uint64_t person = 1; person < 3000; ++person) {
    const std::vector<float> one = faces.embedding_of(person);
    same.push_back(cosine(one, faces.embedding_of(person)));
    different.push_back(cosine(one, last));
    last = one;
    EXPECT_NEAR(cosine(one, one), 1, 1e-6);
  }
  expect_percentiles(same, {0.9868, 0.9905, 0.9922, 0.9939, 0.9961});
  expect_percentiles(different, {0.9596, 0.9663, 0.9707, 0.9749, 0.9801});
}

}  // namespace
}  // namespace sightline
