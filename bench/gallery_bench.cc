// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Searching 100,000 embeddings of 128 numbers (51 MB), compared with merely reading as much memory
// and with an obvious loop; then what a whole decision and a reload cost.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <stdlib.h>

#include <benchmark/benchmark.h>

#include "gallery/gallery.h"

namespace sightline {
namespace {

constexpr int kDimensions = 128;
constexpr int kRows = 100000;
constexpr int kPersons = 10000;

std::vector<float> random_floats(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

const std::vector<float>& rows() {
  static const std::vector<float> rows = random_floats(std::size_t{kRows} * kDimensions);
  return rows;
}

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(rows().size() * sizeof(float)));
}

// glibc's memchr, which finds nothing: one pass over the same number of bytes.
void ReadingAsMuchMemory(benchmark::State& state) {
  const std::vector<char> zeros(rows().size() * sizeof(float), 0);
  for (auto _ : state) benchmark::DoNotOptimize(std::memchr(zeros.data(), 1, zeros.size()));
  count_bytes(state);
}
BENCHMARK(ReadingAsMuchMemory)->Unit(benchmark::kMillisecond);

void ObviousLoop(benchmark::State& state) {
  const std::vector<float> query = random_floats(kDimensions);
  for (auto _ : state) {
    float best = -1e30f;
    for (std::size_t row = 0; row < kRows; ++row) {
      float sum = 0;
      for (std::size_t i = 0; i < kDimensions; ++i) sum += rows()[row * kDimensions + i] * query[i];
      best = std::max(best, sum);
    }
    benchmark::DoNotOptimize(best);
  }
  count_bytes(state);
}
BENCHMARK(ObviousLoop)->Unit(benchmark::kMillisecond);

void Nearest(benchmark::State& state) {
  const std::vector<float> query = random_floats(kDimensions);
  for (auto _ : state)
    benchmark::DoNotOptimize(nearest(rows(), kDimensions, query, static_cast<int>(state.range(0))));
  count_bytes(state);
}
BENCHMARK(Nearest)->Arg(1)->Arg(10)->Unit(benchmark::kMillisecond);

// A gallery of kPersons with one embedding each, in a folder that goes away.
class StoredGallery {
 public:
  StoredGallery() {
    std::string name = (std::filesystem::temp_directory_path() / "sightline-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error(ErrorCode::kFailed, "no temporary folder");
    directory_ = name;
    const auto gallery = Gallery::open(path(), Gallery::Mode::kCreate);
    gallery->require_model({"bench", "bench", kDimensions});
    gallery->begin();
    for (int i = 0; i < kPersons; ++i) {
      gallery->add_embedding(
          gallery->add_person("Person " + std::to_string(i)).id,
          std::span(rows()).subspan(static_cast<std::size_t>(i) * kDimensions, kDimensions), "",
          {});
    }
    gallery->commit();
  }
  ~StoredGallery() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::filesystem::path path() const { return directory_ / "people.db"; }

 private:
  std::filesystem::path directory_;
};

void OpenMatcherOf10000(benchmark::State& state) {
  const StoredGallery stored;
  for (auto _ : state) benchmark::DoNotOptimize(Matcher::open(stored.path(), {}));
}
BENCHMARK(OpenMatcherOf10000)->Unit(benchmark::kMillisecond);

void DecideAmong10000(benchmark::State& state) {
  const StoredGallery stored;
  const auto matcher = Matcher::open(stored.path(), {});
  const std::vector<float> query = random_floats(kDimensions);
  for (auto _ : state) benchmark::DoNotOptimize(matcher->decide(query));
}
BENCHMARK(DecideAmong10000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sightline

BENCHMARK_MAIN();
