// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A detector, landmarks and embeddings without anything around the networks: as many runs as a
// cascade needs, in the same batches. Standard input says how many faces each frame has; prints the
// seconds of all runs. Part of bench/cascade_bench.
//
//   bare_cascade DETECT.onnx LANDMARKS.onnx EMBED.onnx THREADS < face-counts

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "bare_network.h"

namespace sightline::bench {
namespace {

// One network with the batches that its model allows; each size is a session that has run before.
class BatchedNetwork {
 public:
  BatchedNetwork(std::string model, int threads) : model_(std::move(model)), threads_(threads) {
    one_item_ = with_batch(1).input().size();
    open_ = with_batch(2).input().size() > one_item_;
  }

  // Has sessions that have run before for such a number of items.
  void prepare(int items) {
    if (items > 0) with_batch(open_ ? items : 1);
  }
  // In one run, or in one an item if the model's batch is fixed at one.
  void run(int items) {
    if (items == 0) return;
    for (int i = 0; i < (open_ ? 1 : items); ++i) with_batch(open_ ? items : 1).run();
  }

 private:
  BareNetwork& with_batch(int batch) {
    const auto found = networks_.find(batch);
    if (found != networks_.end()) return found->second;
    BareNetwork network(model_, threads_, batch);
    for (int run = 0; run < 2; ++run) network.run();
    return networks_.emplace(batch, std::move(network)).first->second;
  }

  const std::string model_;
  const int threads_;
  std::map<int, BareNetwork> networks_;
  std::size_t one_item_ = 0;
  bool open_ = false;
};

double seconds_of(const std::vector<int>& faces, BatchedNetwork& detect, BatchedNetwork& landmarks,
                  BatchedNetwork& embed) {
  constexpr int kLooks = 2;  // a face is embedded as it is and as a mirror shows it
  for (const int count : faces) {
    detect.prepare(1);
    landmarks.prepare(count);
    embed.prepare(kLooks * count);
  }
  const auto start = std::chrono::steady_clock::now();
  for (const int count : faces) {
    detect.run(1);
    landmarks.run(count);
    embed.run(kLooks * count);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  const int threads = argc == 5 ? std::atoi(argv[4]) : 0;
  if (threads < 1) {
    std::fprintf(stderr,
                 "usage: bare_cascade DETECT.onnx LANDMARKS.onnx EMBED.onnx THREADS < "
                 "face-counts\n");
    return 2;
  }
  std::vector<int> faces;
  for (int count = 0; std::cin >> count;) faces.push_back(count);
  try {
    BatchedNetwork detect(argv[1], threads), landmarks(argv[2], threads), embed(argv[3], threads);
    std::printf("%.6f\n", seconds_of(faces, detect, landmarks, embed));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
