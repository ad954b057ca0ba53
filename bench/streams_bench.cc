// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Many streams on one engine: the frames a second of 1, 8 and 16 streams of 1080p NV12 from memory
// together, each stream a pipeline of its own, taking turns; what a stream keeps resident; and the
// share of the cores' time that is used.
//
//   streams_bench PLUGIN CONFIG [--seconds S] [--rounds N] [--streams 1,8,16]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "command_line.h"
#include "memory_stream.h"
#include "process_status.h"
#include "stage/model.h"

namespace sightline::bench {
namespace {

struct Options {
  std::string plugin, config;
  double seconds = 3;
  int rounds = 5;
  std::vector<int> streams = {1, 8, 16};  // the first is what the others are compared with
};

bool read_streams(const std::string& text, std::vector<int>& streams) {
  streams.clear();
  std::istringstream list(text);
  for (std::string word; std::getline(list, word, ',');) streams.push_back(std::atoi(word.c_str()));
  return streams.size() >= 2 && *std::ranges::min_element(streams) >= 1;
}

struct Turn {
  double rate = 0;      // frames a second of all streams together
  double cpu = 0;       // share of the cores' time
  double resident = 0;  // MB while all streams run
};

Turn run(const Options& options, const MemoryVideo& video, int count) {
  std::vector<std::unique_ptr<MemoryStream>> streams;
  for (int i = 0; i < count; ++i)
    streams.push_back(
        std::make_unique<MemoryStream>(video, "sightinfer config-file=" + options.config));
  for (const auto& stream : streams) stream->wait_for(10);
  const auto cores = static_cast<double>(std::max(1u, std::thread::hardware_concurrency()));
  const double cpu_before = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  Turn turn;
  turn.rate = frames_per_second(streams, options.seconds);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  turn.cpu = (cpu_seconds() - cpu_before) / elapsed.count() / cores;
  turn.resident = resident_megabytes();
  return turn;
}

// Of the first round alone: what many streams have used once, the allocator keeps.
void print_memory(const Options& options, const std::map<int, Turn>& first_round) {
  const int few = options.streams.front();
  for (const auto& [count, turn] : first_round)
    if (count > few)
      std::printf("memory: %.2f MB a stream from %d to %d streams (%.1f to %.1f MB resident)\n",
                  (turn.resident - first_round.at(few).resident) / (count - few), few, count,
                  first_round.at(few).resident, turn.resident);
}

void measure(const Options& options) {
  load_plugin(options.plugin);
  const MemoryVideo video;
  const auto model = Model::load(options.config, {});  // one engine, arranged once for all turns
  std::printf("%s\n", model->engine().describe().c_str());
  std::map<int, std::vector<double>> rates, ratios, cpu;
  std::map<int, Turn> first_round;
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<int> order = options.streams;
    if (round % 2 == 1) std::reverse(order.begin(), order.end());
    std::map<int, Turn> turns;
    for (const int count : order) turns[count] = run(options, video, count);
    if (round == 0) first_round = turns;
    std::printf("round %d:", round + 1);
    for (const int count : options.streams) {
      const Turn& turn = turns[count];
      rates[count].push_back(turn.rate);
      cpu[count].push_back(turn.cpu);
      ratios[count].push_back(turn.rate / turns[options.streams.front()].rate);
      std::printf(" %d streams %.1f/s (%.3f);", count, turn.rate, ratios[count].back());
    }
    std::printf("\n");
  }
  for (const int count : options.streams)
    std::printf("median: %2d streams %.1f frames/s, %.3f of %d, CPU %.2f of all cores\n", count,
                median(rates[count]), median(ratios[count]), options.streams.front(),
                median(cpu[count]));
  print_memory(options, first_round);
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  Options options;
  return CommandLine("streams_bench", "PLUGIN CONFIG [--seconds S] [--rounds N] [--streams 1,8,16]")
      .word(options.plugin)
      .word(options.config)
      .option("--seconds", options.seconds)
      .option("--rounds", options.rounds)
      .option("--streams",
              [&](const std::string& value) { return read_streams(value, options.streams); })
      .run(argc, argv, [&] { measure(options); });
}
