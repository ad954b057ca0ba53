// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How the parameters of the graph of neighbours were chosen: for each shape what it takes to make,
// and for each width of a search what that takes and finds.

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "command_line.h"
#include "drawn_gallery.h"
#include "gallery/dot_products.h"
#include "process_status.h"
#include "search_times.h"

namespace sightline::bench {
namespace {

struct Options {
  int rows = 200'000, dimensions = 128, pictures = 2, queries = 1000;
  std::vector<NeighborGraph::Shape> shapes{{}};
  std::vector<std::size_t> widths{64, 96, 128, 192, 256};

  static std::vector<std::size_t> numbers(const std::string& text, char between) {
    std::vector<std::size_t> all;
    std::stringstream words(text);
    for (std::string word; std::getline(words, word, between);)
      all.push_back(std::strtoull(word.c_str(), nullptr, 10));
    if (std::ranges::find(all, 0u) != all.end()) all.clear();
    return all;
  }
  bool take_widths(const std::string& text) {
    widths = numbers(text, ',');
    return !widths.empty();
  }
  bool take_shapes(const std::string& text) {
    shapes.clear();
    std::stringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
      const std::vector<std::size_t> both = numbers(word, ':');
      if (both.size() != 2) return false;
      shapes.push_back({both[0], both[1]});
    }
    return !shapes.empty();
  }
};

class Sweep {
 public:
  explicit Sweep(const Options& options)
      : options_(options),
        dimensions_(static_cast<std::size_t>(options.dimensions)),
        drawn_(static_cast<std::size_t>(options.rows), options.dimensions,
               static_cast<std::size_t>(options.pictures),
               static_cast<std::size_t>(options.queries)) {}

  void measure(const NeighborGraph::Shape& shape) {
    double seconds = 0;
    const std::shared_ptr<NeighborGraph> graph = make_graph(drawn_.index, shape, seconds);
    std::printf("\n%zu links, made with %zu candidates: %.1f s, %.0f bytes a row\n", shape.links,
                shape.build_width, seconds,
                static_cast<double>(graph->memory()) / static_cast<double>(options_.rows));
    std::printf("%8s %12s %12s   %s\n", "width", "known, ms", "strangers",
                "found of the first and of ten: known, strangers");
    for (const std::size_t width : options_.widths) measure(*graph, width);
  }

 private:
  // As EmbeddingIndex does with what a graph finds.
  std::vector<Match> search(const NeighborGraph& graph, std::span<const float> query,
                            std::size_t width) const {
    std::vector<Match> matches;
    for (const std::uint32_t row : graph.near(query, width)) {
      if (matches.size() == EmbeddingIndex::kCompared) break;
      Match& match = matches.emplace_back(Match{row, 0, 0});
      dot_products(drawn_.index.values(row), query, {&match.similarity, 1});
    }
    std::ranges::sort(matches, std::greater(), &Match::similarity);
    return matches;
  }

  void measure(const NeighborGraph& graph, std::size_t width) const {
    std::printf("%8zu", width);
    std::vector<Found> found;
    for (const Queries* queries : {&drawn_.known, &drawn_.strangers}) {
      Found& each = found.emplace_back();
      std::vector<double> seconds;
      for (std::size_t i = 0; i < queries->exact.size(); ++i) {
        const double begin = thread_cpu_seconds();
        each.push_back(search(graph, query(*queries, i), width));
        seconds.push_back(thread_cpu_seconds() - begin);
      }
      std::printf(" %12.3f", 1e3 * quantile(seconds, 0.5));
    }
    for (const Queries* queries : {&drawn_.known, &drawn_.strangers}) {
      const Found& each = found[queries == &drawn_.strangers];
      std::printf("   %.4f %.4f", recall(each, queries->exact, 1),
                  recall(each, queries->exact, DrawnGallery::kNearest));
    }
    std::printf("\n");
  }

  std::span<const float> query(const Queries& queries, std::size_t i) const {
    return std::span(queries.values).subspan(i % queries.exact.size() * dimensions_, dimensions_);
  }

  const Options& options_;
  const std::size_t dimensions_;
  DrawnGallery drawn_;
};

void measure(const Options& options) {
  Sweep sweep(options);
  std::printf("%d x %d, %d of a person\n", options.rows, options.dimensions, options.pictures);
  for (const NeighborGraph::Shape& shape : options.shapes) sweep.measure(shape);
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  sightline::bench::Options options;
  return sightline::bench::CommandLine(
             "graph_bench",
             "[--rows 200000] [--dimensions 128] [--pictures 2 (of a person)] [--queries 1000] "
             "[--shapes LINKS:CANDIDATES,…] [--widths 64,96,…]")
      .option("--rows", options.rows, 1000)
      .option("--dimensions", options.dimensions)
      .option("--pictures", options.pictures)
      .option("--queries", options.queries)
      .option("--shapes", [&](const std::string& text) { return options.take_shapes(text); })
      .option("--widths", [&](const std::string& text) { return options.take_widths(text); })
      .run(argc, argv, [&] { sightline::bench::measure(options); });
}
