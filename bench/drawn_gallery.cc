// SPDX-License-Identifier: LGPL-2.1-or-later

#include "drawn_gallery.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <span>

#include "../tests/gallery/faces.h"
#include "gallery/dot_products.h"
#include "gallery/search_threads.h"

namespace sightline::bench {
namespace {

constexpr unsigned kSeed = 20;
constexpr double kBetweenReports = 5;  // seconds

float cosine(std::span<const float> a, std::span<const float> b) {
  float similarity = 0;
  dot_products(a, b, {&similarity, 1});
  return similarity;
}

void append(std::vector<float>& values, const std::vector<float>& more) {
  values.insert(values.end(), more.begin(), more.end());
}

}  // namespace

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

Progress::Progress(const char* what, std::size_t all)
    : what_(what), all_(all), begin_(now()), next_(begin_ + kBetweenReports) {}

void Progress::at(std::size_t done) {
  const double time = now();
  if (time < next_) return;
  next_ = time + kBetweenReports;
  std::fprintf(stderr, "%s: %.0f %% of %zu after %.0f s\n", what_,
               100.0 * static_cast<double>(done) / static_cast<double>(all_), all_, time - begin_);
}

DrawnGallery::DrawnGallery(std::size_t rows, int dimensions, std::size_t pictures,
                           std::size_t queries)
    : index(dimensions, std::min(rows, EmbeddingIndex::kBytesFrom)) {
  RandomFaces faces(dimensions, kSeed);
  Progress progress("drawing embeddings", rows);
  std::vector<float> values(static_cast<std::size_t>(dimensions));
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t person = row / pictures;
    faces.embedding_of(person, values);
    const double begin = now();
    index.add({static_cast<std::int64_t>(row) + 1, static_cast<std::uint32_t>(person), values});
    seconds_to_add += now() - begin;
    progress.at(row);
  }
  std::mt19937_64 random(kSeed);
  for (std::size_t i = 0; i < queries; ++i) {
    append(known.values, faces.embedding_of(random() % ((rows + pictures - 1) / pictures)));
    append(strangers.values, faces.embedding_of(rows + i));
  }
  for (Queries* each : {&known, &strangers})
    each->exact =
        index.nearest_rows(EmbeddingIndex::Method::kSinglePrecision, each->values, kNearest);
}

double recall(const Found& found, const Found& exact, std::size_t count) {
  std::size_t hits = 0, wanted = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const auto first = std::span(found[i]).first(std::min(count, found[i].size()));
    const auto nearest = std::span(exact[i]).first(std::min(count, exact[i].size()));
    for (const Match& match : nearest)
      hits += std::ranges::find(first, match.row, &Match::row) != first.end();
    wanted += nearest.size();
  }
  return static_cast<double>(hits) / static_cast<double>(wanted);
}

std::shared_ptr<NeighborGraph> make_graph(const EmbeddingIndex& index,
                                          const NeighborGraph::Shape& shape, double& seconds) {
  Progress progress("making the graph", index.rows());
  const double begin = now();
  auto graph = std::make_shared<NeighborGraph>(index.centre(), index.rows(), shape);
  graph->add_all(
      index.rows(), search_threads(), [&](std::size_t row) { return index.values(row); },
      [&](std::size_t done) {
        progress.at(done);
        return true;
      });
  seconds = now() - begin;
  return graph;
}

void print_quantiles(int dimensions) {
  constexpr std::uint64_t kPersons = 20'000;
  RandomFaces faces(dimensions, kSeed + 1);
  std::vector<float> same, different, last = faces.embedding_of(0);
  for (std::uint64_t person = 1; person < kPersons; ++person) {
    const std::vector<float> one = faces.embedding_of(person);
    same.push_back(cosine(one, faces.embedding_of(person)));
    different.push_back(cosine(one, last));
    last = one;
  }
  const auto print = [](const char* name, const auto& value_of) {
    std::printf("  %-22s", name);
    for (const MeasuredSimilarity& each : kMeasured) std::printf(" %6.3f", value_of(each));
    std::printf("\n");
  };
  const auto drawn = [](std::vector<float>& all) {
    std::ranges::sort(all);
    return [&all](const MeasuredSimilarity& each) {
      return all[static_cast<std::size_t>(each.part * static_cast<double>(all.size()))];
    };
  };
  std::printf("similarities of pairs, at %%");
  for (const MeasuredSimilarity& each : kMeasured) std::printf(" %6.4g", 100 * each.part);
  std::printf("\n");
  print("one person, drawn", drawn(same));
  print("one person, measured", [](const MeasuredSimilarity& each) { return each.same; });
  print("two persons, drawn", drawn(different));
  print("two persons, measured", [](const MeasuredSimilarity& each) { return each.different; });
}

}  // namespace sightline::bench
