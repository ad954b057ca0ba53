// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether faces are told apart as well by bytes as in single precision.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "faces.h"
#include "gallery/embedding_index.h"
#include "gallery/gallery.h"

namespace sightline {
namespace {

using Method = EmbeddingIndex::Method;

struct Pair {
  std::vector<float> query;  // the first picture
  std::uint32_t row = 0;     // of the second
  bool same = false;
};

// What a search says of each pair: the similarity of its second picture, or -1 if that is not among
// the nearest ten.
std::vector<float> similarities(const EmbeddingIndex& index, const std::vector<Pair>& pairs,
                                Method method) {
  std::vector<float> all;
  for (const Pair& pair : pairs) {
    const std::vector<Match> found = index.nearest_rows(method, pair.query, 10).at(0);
    const auto match = std::ranges::find(found, pair.row, &Match::row);
    all.push_back(match == found.end() ? -1 : match->similarity);
  }
  return all;
}

double accuracy(const std::vector<Pair>& pairs, const std::vector<float>& similarities,
                float threshold) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    right += (similarities[i] >= threshold) == pairs[i].same;
  return static_cast<double>(right) / static_cast<double>(pairs.size());
}

// At the shipped threshold, and at each that makes a difference.
void expect_equal_accuracy(const EmbeddingIndex& index, const std::vector<Pair>& pairs) {
  const std::vector<float> exact = similarities(index, pairs, Method::kSinglePrecision);
  const std::vector<float> by_bytes = similarities(index, pairs, Method::kBytes);
  std::vector<float> thresholds = exact;
  thresholds.push_back(kPairThreshold);
  for (const float threshold : thresholds)
    EXPECT_NEAR(accuracy(pairs, by_bytes, threshold), accuracy(pairs, exact, threshold), 1e-4)
        << "at " << threshold;
  EXPECT_GT(accuracy(pairs, exact, kPairThreshold), 0.8);  // the pairs are pairs
}

TEST(Pairs, DrawnFacesAreToldApartByBytesAsInSinglePrecision) {
  constexpr std::uint32_t kPersons = 5000;
  RandomFaces faces(128, 11);
  EmbeddingIndex index(128);
  for (std::uint32_t person = 0; person < kPersons; ++person)
    index.add({person + 1, person, faces.embedding_of(person)});
  ASSERT_EQ(index.method(), Method::kBytes);
  std::vector<Pair> pairs;
  for (std::uint32_t i = 0; i < 1000; ++i)
    pairs.push_back({faces.embedding_of(i), i % 2 == 0 ? i : i + 2000, i % 2 == 0});
  expect_equal_accuracy(index, pairs);
}

// SIGHTLINE_PAIRS is a table as `sightline verify` takes it, and SIGHTLINE_PAIRS_GALLERY a gallery
// that its pictures were enrolled in, `sightline enroll FOLDER --force --gallery …`; no two of them
// have one name.
class RealPairs : public testing::Test {
 protected:
  void SetUp() override {
    const char* const table = std::getenv("SIGHTLINE_PAIRS");
    const char* const gallery = std::getenv("SIGHTLINE_PAIRS_GALLERY");
    if (table == nullptr || gallery == nullptr)
      GTEST_SKIP() << "SIGHTLINE_PAIRS and SIGHTLINE_PAIRS_GALLERY are not set";
    read_gallery(gallery);
    read_pairs(table);
  }

  static std::string name_of(const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    return name.substr(0, name.find('#'));
  }
  void read_gallery(const std::string& location) {
    const auto gallery = Gallery::open(location, Gallery::Mode::kReadOnly);
    std::uint32_t owner = 0;
    for (const Person& person : gallery->persons()) {
      for (const StoredEmbedding& each : gallery->embeddings(person.id)) {
        rows_[name_of(each.source)] = static_cast<std::uint32_t>(index_.rows());
        index_.add({each.id, owner, each.values});
      }
      ++owner;
    }
    ASSERT_EQ(index_.method(), Method::kBytes);
  }
  void read_pairs(const std::string& table) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the names of the columns
    while (std::getline(file, line)) {
      std::stringstream cells(line);
      std::string a, b, same;
      std::getline(cells, a, '\t');
      std::getline(cells, b, '\t');
      std::getline(cells, same);
      const auto first = rows_.find(name_of(a)), second = rows_.find(name_of(b));
      if (first == rows_.end() || second == rows_.end()) continue;  // no face was found in it
      const std::span<const float> values = index_.values(first->second);
      pairs_.push_back({{values.begin(), values.end()}, second->second, same == "1"});
    }
    ASSERT_GT(pairs_.size(), 100u) << table;
  }

  EmbeddingIndex index_{128, 16};
  std::map<std::string, std::uint32_t> rows_;
  std::vector<Pair> pairs_;
};

TEST_F(RealPairs, AreToldApartByBytesAsInSinglePrecision) { expect_equal_accuracy(index_, pairs_); }

}  // namespace
}  // namespace sightline
