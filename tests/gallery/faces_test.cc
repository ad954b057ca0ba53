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
// is a fifth of the distance between its 5 and 95 percent. Those, and what is between, are
// compared.
void expect_as_measured(std::vector<double> similarities, double MeasuredSimilarity::*kind) {
  std::sort(similarities.begin(), similarities.end());
  for (const MeasuredSimilarity& measured : kMeasured) {
    if (measured.part < 0.05 || measured.part > 0.95) continue;
    const auto place =
        static_cast<std::size_t>(measured.part * static_cast<double>(similarities.size()));
    EXPECT_NEAR(similarities[place], measured.*kind, 0.004) << 100 * measured.part << " %";
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
  expect_as_measured(same, &MeasuredSimilarity::same);
  expect_as_measured(different, &MeasuredSimilarity::different);
}

}  // namespace
}  // namespace sightline
