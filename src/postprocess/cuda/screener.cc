// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/cuda/screener.h"

#include <array>
#include <cstdint>
#include <utility>

#include "core/error.h"
#include "postprocess/cuda/screen.h"

// What nvcc made of screen.cu.
extern "C" {
extern const unsigned char sightline_screen_kernels[];
extern const unsigned char sightline_screen_kernels_end[];
}

namespace sightline::cuda {

namespace {

static_assert(kMostNumbersBeside >= static_cast<int>(kMostBeside));

ScreenNumbers numbers(const Strided& place, std::span<const Tensor> outputs, int count) {
  const Tensor& tensor = outputs[place.output];
  const auto number = [](std::size_t of) { return static_cast<long long>(of); };
  return {tensor.data,
          tensor.type == ElementType::kFloat16 ? 1 : 0,
          number(tensor.count() / static_cast<std::size_t>(count)),
          number(place.begin),
          number(place.row),
          number(place.per_class),
          number(place.column),
          static_cast<int>(place.columns)};
}

Screen screen_of(const ScreenPart& part, std::span<const Tensor> outputs, int count) {
  Screen screen{};
  screen.rows = static_cast<int>(part.rows);
  screen.classes = static_cast<int>(part.least.size());
  screen.scores = numbers(part.scores, outputs, count);
  screen.best_only = part.best_only ? 1 : 0;
  if (part.gate) {
    screen.has_gate = 1;
    screen.gate_times_score = part.gate->times_score ? 1 : 0;
    screen.gate_least = part.gate->least;
    screen.gate = numbers(part.gate->numbers, outputs, count);
  }
  for (const Strided& beside : part.beside)
    screen.beside[screen.beside_count++] = numbers(beside, outputs, count);
  return screen;
}

}  // namespace

Screener::Screener(DevicePtr device, Screening screening)
    : screening_(std::move(screening)),
      kernels_(std::make_shared<const Module>(
          device, std::span(sightline_screen_kernels, sightline_screen_kernels_end))),
      find_hits_(kernels_->function("find_hits")) {
  std::vector<float> least;
  for (const ScreenPart& part : screening_) {
    if (part.beside.size() > kMostBeside)
      throw Error(ErrorCode::kFailed, "a detector reads more tables beside its scores than " +
                                          std::to_string(kMostBeside));
    least.insert(least.end(), part.least.begin(), part.least.end());
  }
  least_ = DeviceMemory(device, least.size() * sizeof(float));
  const Stream stream(device);
  stream.upload(least_.address(), least.data(), least_.bytes());
  stream.wait_on_host();
}

void Screener::run(std::span<const Tensor> outputs, int count, const Found& found,
                   const Stream& stream) const {
  const auto items = static_cast<unsigned>(count);
  stream.fill(found.counts, 0, items * sizeof(std::int32_t));
  Address least = least_.address();
  int first_row = 0;
  for (const ScreenPart& part : screening_) {
    Screen screen = screen_of(part, outputs, count);
    screen.first_row = first_row;
    screen.least = reinterpret_cast<const float*>(least);
    screen.words = static_cast<int>(words_a_hit(screening_));
    screen.capacity = static_cast<int>(found.capacity);
    screen.counts = reinterpret_cast<int*>(found.counts);
    screen.hits = reinterpret_cast<int*>(found.hits);
    const unsigned blocks =
        static_cast<unsigned>((screen.rows + kScreenThreads - 1) / kScreenThreads);
    const std::array<void*, 1> arguments = {&screen};
    launch(find_hits_, {blocks, items, 1}, {kScreenThreads, 1, 1}, arguments, stream);
    first_row += screen.rows;
    least += part.least.size() * sizeof(float);
  }
}

}  // namespace sightline::cuda
