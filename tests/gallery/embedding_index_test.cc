// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/embedding_index.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "faces.h"
#include "gallery/byte_scores.h"
#include "gallery/neighbor_graph.h"
#include "gallery/search_threads.h"
#include "scratch.h"
#include "simd_targets.h"

namespace sightline {
namespace {

using Method = EmbeddingIndex::Method;
using Rows = std::map<std::int64_t, std::pair<std::uint32_t, std::vector<float>>>;  // by id

constexpr std::size_t kAlwaysBytes = 16, kNeverBytes = SIZE_MAX;

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// The best of each owner in double precision, sorted.
std::vector<std::pair<double, std::uint32_t>> owners_by_reference(const Rows& rows,
                                                                  std::span<const float> query) {
  std::map<std::uint32_t, double> best;
  for (const auto& [id, row] : rows) {
    const double similarity = product(row.second, query);
    const auto [known, is_new] = best.emplace(row.first, similarity);
    if (!is_new) known->second = std::max(known->second, similarity);
  }
  std::vector<std::pair<double, std::uint32_t>> sorted;
  for (const auto& [owner, similarity] : best) sorted.emplace_back(-similarity, owner);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Sums of n products of unit vectors in single precision are off by less than n × 2^-24.
double tolerance(std::size_t dimensions) {
  return static_cast<double>(dimensions) * std::ldexp(1.0, -24) + 1e-7;
}

void expect_owners(const EmbeddingIndex& index, const Rows& rows, std::span<const float> queries,
                   std::size_t count) {
  const std::size_t dimensions = static_cast<std::size_t>(index.dimensions());
  const auto found = index.nearest_owners(queries, count);
  ASSERT_EQ(found.size(), queries.size() / dimensions);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto expected = owners_by_reference(rows, queries.subspan(i * dimensions, dimensions));
    ASSERT_EQ(found[i].size(), std::min(count, expected.size()));
    for (std::size_t place = 0; place < found[i].size(); ++place) {
      EXPECT_NEAR(found[i][place].similarity, -expected[place].first, tolerance(dimensions));
      EXPECT_EQ(found[i][place].owner, index.owner(found[i][place].row));
    }
  }
}

struct Filled {
  EmbeddingIndex index;
  Rows rows;

  Filled(int dimensions, std::size_t bytes_from) : index(dimensions, bytes_from) {}
  void add(std::int64_t id, std::uint32_t owner, std::vector<float> values) {
    index.add({id, owner, values});
    rows[id] = {owner, std::move(values)};
  }
  void remove(const std::vector<std::int64_t>& ids) {
    index.remove(ids);
    for (const std::int64_t id : ids) rows.erase(id);
  }
};

Filled filled(int count, int dimensions, std::size_t bytes_from) {
  Filled all(dimensions, bytes_from);
  for (int i = 0; i < count; ++i)
    all.add(i + 1, static_cast<std::uint32_t>(i / 3),
            unit_vector(static_cast<unsigned>(i), dimensions));
  return all;
}

std::vector<float> queries_of(int count, int dimensions) {
  std::vector<float> queries;
  for (int i = 0; i < count; ++i) {
    const auto one = unit_vector(static_cast<unsigned>(500'000 + i), dimensions);
    queries.insert(queries.end(), one.begin(), one.end());
  }
  return queries;
}

// What the bytes stand for, multiplied in double precision.
TEST(ByteScores, AreTheProductsOfTheBytesOnEveryTarget) {
  on_every_target([] {
    for (const int dimensions : {1, 3, 4, 5, 63, 64, 65, 128, 130, 512, 2047, 2048}) {
      constexpr std::size_t kGroups = 9, kRows = kGroups * kGroupRows;
      const std::vector<float> centre = unit_vector(77, dimensions);
      std::vector<std::uint8_t> bytes(kGroups * group_bytes(static_cast<std::size_t>(dimensions)));
      std::vector<float> scales(kRows), biases(kRows);
      for (std::size_t row = 0; row < kRows; ++row) {
        const ByteRow byte_row = write_byte_row(
            unit_vector(static_cast<unsigned>(row), dimensions), centre,
            bytes.data() + row / kGroupRows * group_bytes(static_cast<std::size_t>(dimensions)),
            row % kGroupRows);
        scales[row] = byte_row.scale;
        biases[row] = byte_row.bias;
      }
      std::vector<ByteQuery> queries;
      for (unsigned i = 0; i < 5; ++i)
        queries.push_back(byte_query(unit_vector(1000 + i, dimensions), centre));
      std::vector<float> scores(queries.size() * kRows);
      byte_scores({bytes.data(), scales.data(), biases.data(), kGroups,
                   quads(static_cast<std::size_t>(dimensions))},
                  queries, scores);
      for (std::size_t i = 0; i < queries.size(); ++i) {
        for (std::size_t row = 0; row < kRows; ++row) {
          const std::uint8_t* group =
              bytes.data() + row / kGroupRows * group_bytes(static_cast<std::size_t>(dimensions));
          double sum = 0;
          for (std::size_t d = 0; d < queries[i].bytes.size(); ++d)
            sum += queries[i].bytes[d] *
                   (group[(d / 4 * kGroupRows + row % kGroupRows) * 4 + d % 4] - 128);
          const double expected = sum * queries[i].scale * scales[row] + biases[row] +
                                  static_cast<double>(queries[i].offset);
          ASSERT_NEAR(scores[i * kRows + row], expected, 1e-6) << dimensions << ", row " << row;
        }
      }
    }
  });
}

// Rounding each of n numbers of two vectors by at most half a step changes the product by about
// sqrt(n) / 2 times the steps; five times that is never seen.
TEST(ByteScores, AreNearTheProductsOfTheVectors) {
  for (const int dimensions : {64, 128, 512, 2048}) {
    const std::vector<float> centre(static_cast<std::size_t>(dimensions), 0.01f);
    std::vector<std::uint8_t> bytes(group_bytes(static_cast<std::size_t>(dimensions)));
    for (unsigned seed = 0; seed < 100; ++seed) {
      const std::vector<float> row = unit_vector(seed, dimensions);
      const std::vector<float> query = unit_vector(seed + 1000, dimensions);
      const ByteRow byte_row = write_byte_row(row, centre, bytes.data(), seed % kGroupRows);
      std::vector<float> scales(kGroupRows, byte_row.scale), biases(kGroupRows, byte_row.bias);
      std::vector<float> scores(kGroupRows);
      const ByteQuery byte = byte_query(query, centre);
      byte_scores({bytes.data(), scales.data(), biases.data(), 1,
                   quads(static_cast<std::size_t>(dimensions))},
                  {&byte, 1}, scores);
      EXPECT_NEAR(scores[seed % kGroupRows], product(row, query),
                  2.5 * (byte_row.scale + byte.scale));
    }
  }
}

TEST(ByteScores, OfTwoVectorsAreTheirDistanceOnEveryTarget) {
  on_every_target([] {
    for (const int dimensions : {1, 2, 63, 64, 65, 128, 200, 512}) {
      const std::vector<float> centre(static_cast<std::size_t>(dimensions), 0.02f);
      const std::size_t size = byte_vector_size(static_cast<std::size_t>(dimensions));
      std::vector<std::byte> a(size), b(size);
      const auto left = unit_vector(1, dimensions), right = unit_vector(2, dimensions);
      write_byte_vector(left, centre, a.data());
      write_byte_vector(right, centre, b.data());
      const std::size_t count = 4 * quads(static_cast<std::size_t>(dimensions));
      const float distance = byte_distance()(a.data(), b.data(), &count);
      EXPECT_NEAR(distance, 2 - 2 * product(left, right), 0.1) << dimensions;
      EXPECT_NEAR(byte_distance()(b.data(), a.data(), &count), distance, 1e-6);
      EXPECT_NEAR(byte_distance()(a.data(), a.data(), &count), 0, 0.05);
    }
  });
}

TEST(ByteScores, PlacesAboveAFloorAreFoundOnEveryTarget) {
  on_every_target([] {
    std::vector<float> scores(203, 0.5f);
    for (const std::size_t place : {0, 17, 64, 200, 202}) scores[place] = 0.75f;
    std::vector<std::uint32_t> places(scores.size());
    ASSERT_EQ(find_above(scores, 0.5f, places), 5u);
    EXPECT_EQ(places[1], 17u);
    EXPECT_EQ(places[4], 202u);
    EXPECT_EQ(find_above(scores, 0.75f, places), 0u);
    EXPECT_EQ(find_above({}, 0, places), 0u);
  });
}

TEST(EmbeddingIndex, FindsWhatTheReferenceFindsInEveryDimension) {
  for (const std::size_t bytes_from : {kNeverBytes, kAlwaysBytes}) {
    for (const int dimensions : {1, 2, 7, 16, 63, 64, 65, 128, 129, 511, 2048}) {
      SCOPED_TRACE(std::to_string(dimensions) + (bytes_from == kNeverBytes ? "" : ", bytes"));
      const Filled all = filled(300, dimensions, bytes_from);
      EXPECT_EQ(all.index.method(),
                bytes_from == kNeverBytes ? Method::kSinglePrecision : Method::kBytes);
      for (const std::size_t count : {1, 2, 5})
        expect_owners(all.index, all.rows, queries_of(3, dimensions), count);
    }
  }
}

TEST(EmbeddingIndex, FindsWhatTheReferenceFindsOnEveryTarget) {
  on_every_target([] {
    const Filled all = filled(500, 128, kAlwaysBytes);
    expect_owners(all.index, all.rows, queries_of(37, 128), 2);
  });
}

// 40,000 × 128 bytes are shared between threads.
TEST(EmbeddingIndex, SharesLargeSearchesBetweenThreads) {
  const Filled all = filled(40'000, 128, kAlwaysBytes);
  expect_owners(all.index, all.rows, queries_of(33, 128), 2);
  std::vector<std::thread> threads;  // one of them gets the helpers, the others do without
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { expect_owners(all.index, all.rows, queries_of(5, 128), 2); });
  for (std::thread& thread : threads) thread.join();
}

TEST(EmbeddingIndex, OfNothingFindsNothing) {
  const EmbeddingIndex empty(128);
  EXPECT_EQ(empty.size(), 0u);
  EXPECT_TRUE(empty.nearest_owners(queries_of(1, 128), 2).at(0).empty());
  EXPECT_TRUE(empty.nearest_rows(queries_of(1, 128), 2).at(0).empty());
  EXPECT_TRUE(empty.nearest_rows({}, 2).empty());
  const Filled one = filled(1, 128, kAlwaysBytes);
  ASSERT_EQ(one.index.nearest_owners(queries_of(1, 128), 2).at(0).size(), 1u);
  EXPECT_TRUE(one.index.nearest_owners(queries_of(1, 128), 0).at(0).empty());
}

TEST(EmbeddingIndex, EqualRowsAreFoundInTheirOrder) {
  for (const std::size_t bytes_from : {kNeverBytes, kAlwaysBytes}) {
    Filled all = filled(300, 64, bytes_from);
    for (std::uint32_t i = 0; i < 100; ++i) all.add(1000 + i, 500 + i, unit_vector(9999, 64));
    const std::vector<Match> found = all.index.nearest_rows(unit_vector(9999, 64), 5).at(0);
    ASSERT_EQ(found.size(), 5u);
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].row, 300 + i);
  }
}

// The nearest 400 rows are of one person; the second person is found all the same.
TEST(EmbeddingIndex, TheSecondOwnerIsFoundBehindManyRowsOfTheFirst) {
  Filled all = filled(5000, 32, kAlwaysBytes);
  const std::vector<float> query = unit_vector(123456, 32);
  for (int i = 0; i < 400; ++i) {
    std::vector<float> near = query;
    near[static_cast<std::size_t>(i) % near.size()] += 0.01f * static_cast<float>(i % 7);
    all.add(10'000 + i, 5000, to_unit_length(near));
  }
  expect_owners(all.index, all.rows, query, 3);
  for (int i = 400; i < 4000; ++i) all.add(10'000 + i, 5000, query);  // more than are compared
  expect_owners(all.index, all.rows, query, 3);
}

TEST(EmbeddingIndex, RemovedRowsAreNotFound) {
  for (const std::size_t bytes_from : {kNeverBytes, kAlwaysBytes}) {
    Filled all = filled(3000, 48, bytes_from);
    const std::vector<float> queries = queries_of(5, 48);
    for (int round = 0; round < 5; ++round) {
      std::vector<std::int64_t> nearest;
      for (const auto& matches : all.index.nearest_rows(queries, 60))
        for (const Match& match : matches) nearest.push_back(all.index.id(match.row));
      all.remove(nearest);
      ASSERT_EQ(all.index.size(), all.rows.size());
      expect_owners(all.index, all.rows, queries, 3);
    }
    EXPECT_TRUE(all.index.remove({-5, 1'000'000}).empty());
    for (int i = 0; i < 50; ++i)
      all.add(7000 + i, 2, unit_vector(static_cast<unsigned>(70'000 + i), 48));
    expect_owners(all.index, all.rows, queries, 3);
    const EmbeddingIndex compacted = all.index.compacted();
    EXPECT_EQ(compacted.rows(), all.rows.size());
    expect_owners(compacted, all.rows, queries, 3);
  }
}

TEST(EmbeddingIndex, CopiesDoNotSeeEachOthersChanges) {
  for (const std::size_t bytes_from : {kNeverBytes, kAlwaysBytes}) {
    const Filled before = filled(1500, 24, bytes_from);
    Filled one = before, other = before;
    const std::vector<float> query = unit_vector(4242, 24);
    for (int i = 0; i < 600; ++i)
      one.add(5000 + i, 900, unit_vector(static_cast<unsigned>(80'000 + i), 24));
    one.remove({1, 2, 3, 1499});
    other.add(5000, 901, query);  // where the first copy has put another row
    expect_owners(before.index, before.rows, query, 4);
    expect_owners(one.index, one.rows, query, 4);
    expect_owners(other.index, other.rows, query, 4);
  }
}

TEST(EmbeddingIndex, SimilaritiesOfOwnersAreOfTheirNearestRows) {
  Filled all = filled(3000, 40, kNeverBytes);
  all.remove({1, 2, 3});  // owner 0 has no others
  const std::vector<float> query = unit_vector(31, 40);
  std::vector<float> best(all.index.owners());
  all.index.similarities_of_owners(query, best);
  EXPECT_EQ(best[0], -std::numeric_limits<float>::infinity());
  for (const auto& [similarity, owner] : owners_by_reference(all.rows, query))
    EXPECT_NEAR(best[owner], -similarity, tolerance(40));
  int rows = 0;
  all.index.for_each_row_of(7, [&](std::uint32_t row) { rows += all.index.owner(row) == 7; });
  EXPECT_EQ(rows, 3);
}

// One thread adds and removes; others search all the while, and none waits long.
TEST(EmbeddingIndex, IsSearchedByThreadsWhileItChanges) {
  std::mutex mutex;
  auto published = std::make_shared<const EmbeddingIndex>(filled(2000, 64, 1024).index);
  const auto current = [&] {
    const std::lock_guard lock(mutex);
    return published;
  };
  const std::vector<float> query = unit_vector(10, 64);  // row 10, which stays
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, searches{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const auto found = current()->nearest_owners(query, 2);
        if (found[0].size() != 2 || found[0][0].row != 10) ++wrong;
        ++searches;
      }
    });
  }
  for (int round = 0; round < 60; ++round) {
    EmbeddingIndex next = *current();
    for (int i = 0; i < 40; ++i) {
      const int id = 10'000 + round * 40 + i;
      next.add({id, static_cast<std::uint32_t>(id), unit_vector(static_cast<unsigned>(id), 64)});
    }
    next.remove({100 + round, 10'000 + round * 40});
    auto fresh = std::make_shared<const EmbeddingIndex>(std::move(next));
    const std::lock_guard lock(mutex);
    published = std::move(fresh);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(searches, 0);
  EXPECT_EQ(current()->size(), 2000u + 60 * 40 - 120);
}

// Known persons and strangers: of 1,000 searches each, 999 find the same row first as single
// precision does.
TEST(EmbeddingIndex, ByBytesTheNearestIsThatOfSinglePrecision) {
  constexpr std::uint32_t kPersons = 10'000, kQueries = 1000;
  RandomFaces faces(128, 5);
  EmbeddingIndex index(128);
  for (std::uint32_t i = 0; i < 2 * kPersons; ++i)
    index.add({i + 1, i / 2, faces.embedding_of(i / 2)});
  ASSERT_EQ(index.method(), Method::kBytes);
  for (const std::uint32_t first : {0u, kPersons}) {
    std::vector<float> queries;
    for (std::uint32_t i = 0; i < kQueries; ++i) {
      const std::vector<float> query = faces.embedding_of(first + i * 7);
      queries.insert(queries.end(), query.begin(), query.end());
    }
    const auto exact = index.nearest_rows(Method::kSinglePrecision, queries, 1);
    const auto found = index.nearest_rows(Method::kBytes, queries, 1);
    std::size_t agreed = 0;
    for (std::uint32_t i = 0; i < kQueries; ++i) agreed += found[i][0].row == exact[i][0].row;
    EXPECT_GE(agreed, 999u) << (first == 0 ? "known persons" : "strangers");
  }
}

// A graph of some rows; the others are searched beside it.
class GraphTest : public testing::Test {
 protected:
  static constexpr int kPersons = 4000, kDimensions = 128;

  GraphTest() : faces_(kDimensions, 3), all_(kDimensions, kAlwaysBytes) {
    for (std::uint32_t person = 0; person < kPersons; ++person)
      for (int i = 0; i < 2; ++i) all_.add(2 * person + i + 1, person, faces_.embedding_of(person));
  }
  void make_graph(std::size_t threads) {
    graph_ = std::make_shared<NeighborGraph>(all_.index.centre(), all_.index.rows());
    graph_->add_all(all_.index.rows(), threads,
                    [&](std::size_t row) { return all_.index.values(row); }, {});
    all_.index.set_graph(graph_);
    ASSERT_EQ(all_.index.method(), Method::kGraph);
  }
  // The share of the nearest ten that is found.
  double recall() {
    std::size_t found = 0, wanted = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
      const std::vector<float> query =
          i % 2 == 0 ? faces_.embedding_of(i * 7 % kPersons) : faces_.embedding_of(1'000'000 + i);
      const auto exact = all_.index.nearest_rows(Method::kSinglePrecision, query, 10).at(0);
      const auto near = all_.index.nearest_rows(query, 10).at(0);
      for (const Match& match : near)
        found += std::any_of(exact.begin(), exact.end(),
                             [&](const Match& other) { return other.row == match.row; });
      wanted += exact.size();
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
  }

  // Of a graph that one thread made, whose places are in the order of the rows.
  std::vector<std::byte> outline_of(std::size_t row) const {
    const std::span<const std::byte> all = graph_->outlines();
    const std::size_t bytes = all.size() / graph_->size();
    const auto outline = all.subspan(row * bytes, bytes);
    return {outline.begin(), outline.end()};
  }
  // A file with the nodes alone.
  struct File {
    explicit File(const std::filesystem::path& path, std::span<const std::byte> nodes)
        : handle(::open(path.c_str(), O_CREAT | O_RDWR, 0600)) {
      EXPECT_EQ(::write(handle, nodes.data(), nodes.size()), static_cast<ssize_t>(nodes.size()));
    }
    ~File() { ::close(handle); }
    int handle;
  };

  RandomFaces faces_;
  Filled all_;
  std::shared_ptr<NeighborGraph> graph_;
};

TEST_F(GraphTest, FindsNearlyAllThatIsNearest) {
  make_graph(1);
  EXPECT_GT(recall(), 0.99);
}

// Also those that the way in leads to, which are at no distance from it.
TEST_F(GraphTest, EveryRowIsNearestToItself) {
  make_graph(2);
  int missed = 0;
  for (std::uint32_t row = 0; row < all_.index.rows(); row += 3) {
    const std::vector<std::uint32_t> near = graph_->near(all_.index.values(row), 64);
    ASSERT_GE(near.size(), 64u);
    missed += near[0] != row;
  }
  EXPECT_LT(missed, 27);  // 1 %
}

TEST_F(GraphTest, IsTheSameAfterItWasStored) {
  make_graph(2);
  graph_->add(faces_.embedding_of(77'777));
  const Scratch scratch;
  const File file(scratch / "nodes", graph_->nodes());
  const std::vector<std::byte> rest = graph_->rest();
  const auto read = NeighborGraph::restore(
      all_.index.centre(), {file.handle, 0, graph_->nodes().size(), graph_->outlines(), rest});
  EXPECT_TRUE(std::ranges::equal(read->outlines(), graph_->outlines()));
  for (std::uint32_t i = 0; i < 20; ++i) {
    const std::vector<float> query = faces_.embedding_of(400'000 + i);
    EXPECT_EQ(read->near(query, 100), graph_->near(query, 100));
  }
}

TEST_F(GraphTest, PartsOfAnotherGraphAreRefused) {
  make_graph(1);
  const Scratch scratch;
  const File file(scratch / "nodes", graph_->nodes());
  const std::vector<std::byte> rest = graph_->rest();
  const NeighborGraph::Stored whole{file.handle, 0, graph_->nodes().size(), graph_->outlines(),
                                    rest};
  const auto refused = [&](const NeighborGraph::Stored& stored) {
    return complaint_of(ErrorCode::kInput,
                        [&] { NeighborGraph::restore(all_.index.centre(), stored); });
  };
  EXPECT_EQ(refused(whole), "");
  NeighborGraph::Stored other = whole;
  other.outlines = other.outlines.first(other.outlines.size() - 64);
  EXPECT_NE(refused(other), "");
  other = whole;
  other.outlines = {};
  EXPECT_NE(refused(other), "");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{40}, std::size_t{1000}, rest.size() / 2, rest.size() - 1}) {
    other = whole;
    other.rest = other.rest.first(size);
    EXPECT_NE(refused(other), "") << size;
  }
}

TEST_F(GraphTest, RowsThatAreNotInItAreFoundBesideIt) {
  make_graph(1);
  for (std::uint32_t i = 0; i < 500; ++i)
    all_.add(50'000 + i, kPersons + i, faces_.embedding_of(kPersons + i));
  EXPECT_GT(recall(), 0.99);
  const std::vector<float> last = all_.rows[50'499].second;
  EXPECT_EQ(all_.index.nearest_rows(last, 1).at(0).at(0).row, 2u * kPersons + 499);
  while (graph_->size() < all_.index.rows()) graph_->add(all_.index.values(graph_->size()));
  EXPECT_EQ(all_.index.nearest_rows(last, 1).at(0).at(0).row, 2u * kPersons + 499);
  EXPECT_GT(recall(), 0.99);
}

TEST_F(GraphTest, RemovedRowsAreNotFoundAndTheirBytesAreGone) {
  make_graph(1);
  const std::vector<float> query = all_.rows[11].second;
  std::vector<std::byte> bytes(byte_vector_size(kDimensions));
  write_byte_vector(query, all_.index.centre(), bytes.data());
  const std::vector<std::byte> outline = outline_of(11);
  const auto holds = [&] {
    const auto nodes = graph_->nodes();
    return std::search(nodes.begin(), nodes.end(), bytes.begin() + sizeof(ByteVector),
                       bytes.end()) != nodes.end();
  };
  const auto holds_outline = [&] {
    const auto all = graph_->outlines();
    return std::search(all.begin(), all.end(), outline.begin() + sizeof(float), outline.end()) !=
           all.end();
  };
  ASSERT_TRUE(holds());
  ASSERT_TRUE(holds_outline());
  std::vector<std::int64_t> near;
  const std::vector<Match> nearest = all_.index.nearest_rows(query, 300).at(0);
  for (const Match& match : nearest) near.push_back(all_.index.id(match.row));
  std::vector<std::uint32_t> gone;
  for (const std::int64_t id : near) gone.push_back(static_cast<std::uint32_t>(id - 1));
  all_.remove(near);
  expect_owners(all_.index, all_.rows, query, 2);  // all that a search comes across was removed
  graph_->wipe(gone);
  EXPECT_FALSE(holds());
  EXPECT_FALSE(holds_outline());
  EXPECT_GT(recall(), 0.96);  // 300 of 8000, all about one place, were ways to others
}

TEST_F(GraphTest, TheSecondPersonIsFoundBehindManyRowsOfTheFirst) {
  const std::vector<float> query = faces_.embedding_of(17);
  for (int i = 0; i < 300; ++i) {
    std::vector<float> near = query;
    near[static_cast<std::size_t>(i) % near.size()] += 1e-4f * static_cast<float>(i);
    all_.add(60'000 + i, 17, to_unit_length(near));
  }
  make_graph(1);
  expect_owners(all_.index, all_.rows, query, 2);
}

TEST_F(GraphTest, FindsAsMuchWhenMostOfItWasAddedLater) {
  const std::size_t rows = all_.index.rows();
  graph_ = std::make_shared<NeighborGraph>(all_.index.centre(), rows);
  const auto values = [&](std::size_t row) { return all_.index.values(row); };
  graph_->add_all(rows / 8, 1, values, {});
  while (graph_->size() < rows) graph_->add(values(graph_->size()));
  all_.index.set_graph(graph_);
  EXPECT_GT(recall(), 0.99);
}

TEST_F(GraphTest, IsSearchedWhileItGrows) {
  make_graph(1);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread searching([&] {
    const EmbeddingIndex index = all_.index;
    while (!stop) wrong += index.nearest_rows(index.values(42), 1).at(0).at(0).row != 42;
  });
  for (std::uint32_t i = 0; i < 300; ++i) graph_->add(faces_.embedding_of(900'000 + i));
  stop = true;
  searching.join();
  EXPECT_EQ(wrong, 0);
}

// Every row in its turn, those that the ways lead over too: what stays is found all the same.
TEST_F(GraphTest, IsSearchedWhileItForgets) {
  make_graph(1);
  constexpr std::uint32_t kStays = 42;
  const std::span<const float> kept = all_.index.values(kStays);
  std::atomic<bool> stop{false};
  std::atomic<int> searches{0}, none{0}, missed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (; !stop; ++searches) {
        const std::vector<std::uint32_t> near = graph_->near(kept, 64);
        none += near.empty();
        missed += std::ranges::find(near, kStays) == near.end();
      }
    });
  }
  std::vector<std::uint32_t> gone;
  for (std::uint32_t row = 0; row < graph_->size(); ++row)
    if (row != kStays) gone.push_back(row);
  std::ranges::shuffle(gone, std::mt19937(5));
  graph_->wipe(std::span(gone).first(gone.size() / 4));  // more, and the rows are made anew
  const int before = searches, missed_before = missed;
  graph_->wipe(std::span(gone).subspan(gone.size() / 4));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(before, 0);
  EXPECT_EQ(none, 0);
  EXPECT_LE(missed_before, before / 20);
}

}  // namespace
}  // namespace sightline
