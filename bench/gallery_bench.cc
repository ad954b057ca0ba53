// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Searching galleries of any size: what it takes, what it finds, what it keeps in memory, beside
// merely reading the bytes and beside FAISS and hnswlib. Embeddings are drawn, distributed as real
// ones (drawn_gallery.h); the quantiles of both are printed first.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <malloc.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "changing_gallery.h"
#include "command_line.h"
#include "gallery/byte_scores.h"
#include "gallery/index_file.h"
#include "gallery/search_threads.h"
#include "other_indexes.h"
#include "process_status.h"
#include "search_times.h"

namespace sightline::bench {
namespace {

using Method = EmbeddingIndex::Method;
using Json = nlohmann::json;

constexpr std::size_t kAtOnce = 32;  // queries of one search, of all objects of a frame
constexpr std::size_t kParts = 4;    // that a thread reads
constexpr double kMega = 1e6;

struct Options {
  std::vector<std::size_t> sizes{1000, 10'000, 100'000, 1'000'000};
  int dimensions = 128, pictures = 2, queries = 2000, rounds = 7, changes = 10'000;
  double seconds = 0.5;  // of one way in one round
  bool alone = false, no_graph = false;
  std::string json;

  bool take_sizes(const std::string& text) {
    sizes.clear();
    std::stringstream words(text);
    for (std::string word; std::getline(words, word, ',');)
      sizes.push_back(std::strtoull(word.c_str(), nullptr, 10));
    return !sizes.empty() && std::ranges::find(sizes, 0u) == sizes.end();
  }
};

// Memory of a size that threads share in reading, as a search does.
class Reading {
 public:
  explicit Reading(std::size_t bytes) : bytes_(bytes, 0) {}
  // glibc's memchr, which finds nothing: one pass.
  void run() const {
    const std::size_t parts = search_threads() * kParts;
    const std::size_t size = (bytes_.size() + parts - 1) / parts;
    share_search(parts, [&](std::size_t part) {
      const std::size_t begin = std::min(part * size, bytes_.size());
      const void* volatile found =
          std::memchr(bytes_.data() + begin, 1, std::min(size, bytes_.size() - begin));
      static_cast<void>(found);
    });
  }

 private:
  std::vector<char> bytes_;
};

// A folder that goes away.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sightline-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error(ErrorCode::kFailed, "no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// All that is measured of one size.
class Measurement {
 public:
  Measurement(const Options& options, std::size_t rows)
      : options_(options),
        rows_(rows),
        dimensions_(static_cast<std::size_t>(options.dimensions)),
        drawn_(rows, options.dimensions, static_cast<std::size_t>(options.pictures),
               static_cast<std::size_t>(options.queries)) {
    result_["rows"] = rows;
    result_["dimensions"] = dimensions_;
    result_["threads"] = search_threads();
    std::printf("\n%zu x %zu, %d of a person, %zu threads\n", rows, dimensions_, options.pictures,
                search_threads());
  }

  Json run() {
    make();
    measure_times();
    measure_finds();
    others_.clear();
    measure_file();
    if (options_.changes > 0) measure_while_changing();
    return result_;
  }

 private:
  std::span<const float> query(const Queries& queries, std::size_t i, std::size_t count) const {
    const std::size_t all = queries.values.size() / dimensions_ / count;
    return std::span(queries.values).subspan(i % all * count * dimensions_, count * dimensions_);
  }
  void make();
  void measure_times();
  void measure_finds();
  void measure_file();
  void measure_while_changing();
  void add_way(const std::string& key, const std::string& name, std::size_t queries,
               std::function<void(std::size_t)> run, const std::string& beside = "");
  void add_searches(Method method, const std::string& key, const std::string& name,
                    std::size_t queries, const std::string& beside);
  void print_times() const;
  void say_found(const std::string& key, const std::string& name,
                 const std::function<Found(const Queries&)>& find);

  const Options& options_;
  const std::size_t rows_, dimensions_;
  DrawnGallery drawn_;
  std::vector<std::unique_ptr<OtherIndex>> others_;
  std::vector<Way> ways_;
  Json result_;
};

void Measurement::make() {
  Json& seconds = result_["seconds"];
  Json& memory = result_["bytes_a_row"];
  const auto of_row = [&](std::size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(rows_);
  };
  seconds["add"] = drawn_.seconds_to_add;
  memory["rows"] = static_cast<double>(dimensions_ * sizeof(float));
  memory["rows_and_bytes"] = of_row(drawn_.index.memory());
  if (!options_.no_graph) {
    ::malloc_trim(0);
    const double before = resident_megabytes();
    double made = 0;
    drawn_.index.set_graph(make_graph(drawn_.index, {}, made));
    seconds["graph"] = made;
    memory["with_graph"] = of_row(drawn_.index.memory());
    memory["graph_resident"] = (resident_megabytes() - before) * kMega / static_cast<double>(rows_);
  }
  std::printf("  memory a row: %.0f bytes in single precision, %.0f with bytes",
              memory["rows"].get<double>(), memory["rows_and_bytes"].get<double>());
  if (!options_.no_graph) std::printf(", %.0f with the graph", memory["with_graph"].get<double>());
  std::printf("\n  made in: rows and bytes %.2f s", drawn_.seconds_to_add);
  if (!options_.no_graph) std::printf(", graph %.1f s", seconds["graph"].get<double>());
  if (!options_.alone) {
    if (auto flat = flat_of_faiss(drawn_.index, search_threads()))
      others_.push_back(std::move(flat));
    if (!options_.no_graph) others_.push_back(graph_of_hnswlib(drawn_.index, search_threads()));
  }
  for (const auto& other : others_) {
    seconds[other->name()] = other->seconds_to_make;
    std::printf(", %s %.1f s", other->name().c_str(), other->seconds_to_make);
  }
  std::printf("\n");
}

void Measurement::add_way(const std::string& key, const std::string& name, std::size_t queries,
                          std::function<void(std::size_t)> run, const std::string& beside) {
  ways_.push_back({key, name, queries, std::move(run), beside, {}, {}});
}

// Known persons and strangers in turn.
void Measurement::add_searches(Method method, const std::string& key, const std::string& name,
                               std::size_t queries, const std::string& beside) {
  add_way(
      key, name, queries,
      [this, method, queries](std::size_t turn) {
        const Queries& from = turn % 2 == 0 ? drawn_.known : drawn_.strangers;
        drawn_.index.nearest_rows(method, query(from, turn / 2, queries), 2);
      },
      beside);
}

void Measurement::measure_times() {
  const std::size_t vectors = rows_ * dimensions_ * sizeof(float);
  const Reading bytes(rows_ * (quads(dimensions_) * 4 + 2 * sizeof(float))), all(vectors);
  add_way("read_bytes", "reading the bytes", 1, [&](std::size_t) { bytes.run(); });
  add_searches(Method::kBytes, "bytes", "bytes", 1, "read_bytes");
  add_searches(Method::kBytes, "bytes_32", "bytes, 32 queries at once", kAtOnce, "read_bytes");
  add_way("read_rows", "reading the rows", 1, [&](std::size_t) { all.run(); });
  add_searches(Method::kSinglePrecision, "exact", "single precision", 1, "read_rows");
  add_searches(Method::kSinglePrecision, "exact_32", "single precision, 32 at once", kAtOnce,
               "read_rows");
  for (const auto& other : others_) {
    for (const std::size_t count :
         other->is_exact() ? std::vector{std::size_t{1}, kAtOnce} : std::vector{std::size_t{1}}) {
      const std::string many = count > 1 ? ", 32 at once" : "";
      add_way(
          other->name() + many, other->name() + many, count,
          [this, count, index = other.get()](std::size_t turn) {
            const Queries& from = turn % 2 == 0 ? drawn_.known : drawn_.strangers;
            index->nearest(query(from, turn / 2, count), 2);
          },
          !other->is_exact() ? "graph_known"
          : count > 1        ? "exact_32"
                             : "exact");
    }
  }
  if (!options_.no_graph) {
    for (const bool known : {true, false})
      add_way(known ? "graph_known" : "graph_strangers",
              known ? "graph, known persons" : "graph, strangers", 1,
              [this, known](std::size_t turn) {
                drawn_.index.nearest_rows(
                    Method::kGraph, query(known ? drawn_.known : drawn_.strangers, turn, 1), 2);
              });
  }
  take_turns(ways_, options_.rounds, options_.seconds);
  print_times();
  for (const Way& way : ways_) {
    Json& each = result_["seconds_a_query"][way.key];
    each["median"] = quantile(way.seconds, 0.5);
    each["p99"] = quantile(way.seconds, 0.99);
    if (way.beside.empty()) continue;
    each["ratio"] = ratio(way, *std::ranges::find(ways_, way.beside, &Way::key));
    each["ratio_to"] = way.beside;
  }
}

void Measurement::print_times() const {
  std::printf("  %-32s %12s %12s\n", "time of a query, ms", "median", "p99");
  for (const Way& way : ways_) {
    std::printf("  %-32s %12.4f %12.4f", way.name.c_str(), 1e3 * quantile(way.seconds, 0.5),
                1e3 * quantile(way.seconds, 0.99));
    if (const auto beside = std::ranges::find(ways_, way.beside, &Way::key); beside != ways_.end())
      std::printf("   %.2f of %s", ratio(way, *beside), beside->name.c_str());
    std::printf("\n");
  }
}

void Measurement::say_found(const std::string& key, const std::string& name,
                            const std::function<Found(const Queries&)>& find) {
  std::printf("  %-32s", name.c_str());
  for (const Queries* queries : {&drawn_.known, &drawn_.strangers}) {
    const Found found = find(*queries);
    const double first = recall(found, queries->exact, 1);
    const double ten = recall(found, queries->exact, DrawnGallery::kNearest);
    std::printf("  %9.5f %9.5f", first, ten);
    Json& each = result_["found"][key][queries == &drawn_.known ? "known" : "strangers"];
    each = {{"first", first}, {"ten", ten}};
  }
  std::printf("\n");
}

void Measurement::measure_finds() {
  std::printf("  %-32s  %9s %9s  %9s %9s   of %d queries each\n", "found of what is nearest: known",
              "first", "ten", "str. first", "ten", options_.queries);
  const auto by = [this](Method method) {
    return [this, method](const Queries& queries) {
      return drawn_.index.nearest_rows(method, queries.values, DrawnGallery::kNearest);
    };
  };
  say_found("bytes", "bytes", by(Method::kBytes));
  if (!options_.no_graph) say_found("graph", "graph", by(Method::kGraph));
  for (const auto& other : others_)
    if (!other->is_exact())
      say_found(other->name(), other->name(), [&](const Queries& queries) {
        return other->nearest(queries.values, DrawnGallery::kNearest);
      });
}

void Measurement::measure_file() {
  const Folder folder;
  const std::filesystem::path file = folder.path() / "people.db.index";
  StoredIndex stored{{"bench", 1, {"bench", "bench", options_.dimensions}}, {}, drawn_.index};
  for (std::size_t owner = 0; owner < drawn_.index.owners(); ++owner)
    stored.persons.add({std::to_string(owner), "Person " + std::to_string(owner), {}});
  double begin = now();
  write_index_file(file, stored);
  const double written = now() - begin;
  std::vector<double> loads, searches;
  for (int i = 0; i < 3; ++i) {
    begin = now();
    const StoredIndex read = read_index_file(file);
    loads.push_back(now() - begin);
    begin = now();
    read.index.nearest_rows(query(drawn_.known, 0, 1), 2);
    searches.push_back(now() - begin);
  }
  const double megabytes = static_cast<double>(std::filesystem::file_size(file)) / kMega;
  const double load = quantile(loads, 0.5), first = quantile(searches, 0.5);
  std::printf("  index file: %.1f MB, written in %.2f s, loaded in %.3f s, first search %.2f ms\n",
              megabytes, written, load, 1e3 * first);
  result_["file"] = {{"megabytes", megabytes},
                     {"seconds_to_write", written},
                     {"seconds_to_load", load},
                     {"seconds_of_first_search", first}};
}

void Measurement::measure_while_changing() {
  const ChangeFigures figures = measure_changes(drawn_, static_cast<std::size_t>(options_.changes));
  const auto say = [&](const char* key, const char* name, const SearchFigures& search) {
    std::printf("  %-32s median %.3f, p99 %.3f, longest %.3f ms\n", name, 1e3 * search.median,
                1e3 * search.p99, 1e3 * search.longest);
    std::printf(
        "  %32s longest at work %.3f ms; of %zu, %zu lost their core, %zu waited, at most %.3f "
        "ms\n",
        "", 1e3 * search.longest_at_work, search.count, search.lost_core, search.waited,
        1e3 * search.longest_waited);
    result_["changing"][key] = {
        {"median", search.median},   {"p99", search.p99},
        {"longest", search.longest}, {"longest_at_work", search.longest_at_work},
        {"searches", search.count},  {"lost_core", search.lost_core},
        {"waited", search.waited},   {"longest_waited", search.longest_waited}};
  };
  say("idle", "searches while nothing changes", figures.idle);
  say("during", "searches during changes", figures.during);
  std::printf("  %zu rows added or removed in %.1f s; longest wait for an index %.4f ms\n",
              figures.changes, figures.seconds, 1e3 * figures.longest_wait);
  result_["changing"]["changes"] = figures.changes;
  result_["changing"]["seconds"] = figures.seconds;
  result_["changing"]["longest_wait"] = figures.longest_wait;
}

void measure(const Options& options) {
  print_quantiles(options.dimensions);
  Json results = Json::array();
  for (const std::size_t rows : options.sizes) results.push_back(Measurement(options, rows).run());
  if (options.json.empty()) return;
  std::ofstream file(options.json);
  file << results.dump(1) << "\n";
  if (!file) throw Error(ErrorCode::kFailed, options.json + " cannot be written");
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  sightline::bench::Options options;
  return sightline::bench::CommandLine(
             "gallery_bench",
             "[--sizes 1000,10000,…] [--dimensions 128] [--pictures 2 (of a person)] "
             "[--queries 2000] [--rounds 7] [--seconds 0.5] [--changes 10000] [--no-graph] "
             "[--alone (without FAISS and hnswlib)] [--json FILE]")
      .option("--sizes", [&](const std::string& text) { return options.take_sizes(text); })
      .option("--dimensions", options.dimensions)
      .option("--pictures", options.pictures)
      .option("--queries", options.queries, 32)
      .option("--rounds", options.rounds)
      .option("--seconds", options.seconds)
      .option("--changes", options.changes, 0)
      .flag("--no-graph", options.no_graph)
      .flag("--alone", options.alone)
      .option("--json", options.json)
      .run(argc, argv, [&] { sightline::bench::measure(options); });
}
