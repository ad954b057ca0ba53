// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network on bare ONNX Runtime: what a stage is compared with.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace sightline::bench {

// A session with an input tensor of its own, of which nobody else knows. Throws Ort::Exception.
class BareNetwork {
 public:
  // `threads` within a run. An open batch dimension becomes `batch`, other open ones 1.
  BareNetwork(const std::string& model, int threads, int batch = 1);
  ~BareNetwork();
  BareNetwork(BareNetwork&&) noexcept;
  BareNetwork& operator=(BareNetwork&&) noexcept;

  std::span<std::byte> input();
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct BareRate {
  double runs_per_second = 0;  // of all loops together
  double writing_seconds = 0;  // of one thread, for the input of one run; 0 if it is not written
};

// Writes the input of run `number` as a stage would.
using InputWriter = std::function<void(std::size_t number, std::span<std::byte> item)>;

// `loops` threads run a network of their own each, with `threads` threads within a run, for so many
// seconds.
BareRate run_bare(const std::string& model, int loops, int threads, double seconds,
                  const InputWriter& write = {});

}  // namespace sightline::bench
