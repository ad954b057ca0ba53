// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What decoding a detector's outputs costs, beside a plain loop that does the same. Usage:
// postprocess_bench

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "core/config_file.h"
#include "postprocess/postprocess.h"

namespace sightline {
namespace {

constexpr std::size_t kBoxes = 8400, kClasses = 80, kColumns = 4 + kClasses;
constexpr float kThreshold = 0.25f;
constexpr int kRounds = 400;

// Nearly all boxes see nothing; some dozens lie on each of twelve objects.
std::vector<float> realistic_output() {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> faint(0, 0.02f), sure(0.3f, 0.95f), place(40, 600),
      jitter(-6, 6);
  std::vector<float> values(kBoxes * kColumns);
  for (float& value : values) value = faint(random);
  for (int object = 0; object < 12; ++object) {
    const float x = place(random), y = place(random);
    const std::size_t id = random() % kClasses;
    for (int i = 0; i < 25; ++i) {
      const std::size_t box = random() % kBoxes;
      values[box] = x + jitter(random), values[kBoxes + box] = y + jitter(random);
      values[2 * kBoxes + box] = 80 + jitter(random), values[3 * kBoxes + box] = 90;
      values[(4 + id) * kBoxes + box] = sure(random);
    }
  }
  return values;
}

struct Box {
  float left, top, right, bottom, score;
  std::size_t id;
};

float overlap(const Box& a, const Box& b) {
  const float w = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float h = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (w <= 0 || h <= 0) return 0;
  const float both = w * h;
  return both /
         ((a.right - a.left) * (a.bottom - a.top) + (b.right - b.left) * (b.bottom - b.top) - both);
}

// As tutorials have it.
std::vector<Box> plain(const std::vector<float>& values) {
  std::vector<Box> found;
  for (std::size_t i = 0; i < kBoxes; ++i) {
    float best = 0;
    std::size_t id = 0;
    for (std::size_t c = 0; c < kClasses; ++c)
      if (values[(4 + c) * kBoxes + i] > best) best = values[(4 + c) * kBoxes + i], id = c;
    if (best < kThreshold) continue;
    const float x = values[i], y = values[kBoxes + i], w = values[2 * kBoxes + i],
                h = values[3 * kBoxes + i];
    found.push_back({x - w / 2, y - h / 2, x + w / 2, y + h / 2, best, id});
  }
  std::ranges::sort(found, std::ranges::greater{}, &Box::score);
  std::vector<Box> kept;
  for (const Box& box : found)
    if (std::ranges::none_of(kept, [&](const Box& better) {
          return better.id == box.id && overlap(better, box) > 0.45f;
        }))
      kept.push_back(box);
  return kept;
}

template <typename Act>
double median_ms(const Act& act) {
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    act();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::ranges::nth_element(times, times.begin() + kRounds / 2);
  return times[kRounds / 2];
}

int run() {
  const std::vector<float> values = realistic_output();
  const std::vector<Tensor> outputs = {Tensor::copy_of("output0", {kColumns, kBoxes}, values)};
  const ConfigFile config = ConfigFile::parse(
      "[property]\nmodel-family=yolov8\n[class-attrs-all]\npre-cluster-threshold=0.25\n"
      "nms-iou-threshold=0.45\n",
      "bench");
  const NetworkShape network{{640, 640}, {{"output0", ElementType::kFloat32, {kColumns, kBoxes}}}};
  const auto ours = make_postprocessor(config, network);
  const std::size_t found = ours->decode(outputs).detections.size(), theirs = plain(values).size();
  if (found != theirs) {
    std::fprintf(stderr, "%zu boxes, the plain loop finds %zu\n", found, theirs);
    return 1;
  }
  const double ms = median_ms([&] { ours->decode(outputs); });
  const double plain_ms = median_ms([&] { plain(values); });
  std::printf(
      "[%zu,%zu] at %.2f, %zu boxes left: %.3f ms, a plain loop %.3f ms: %.1f times as fast\n",
      kColumns, kBoxes, static_cast<double>(kThreshold), found, ms, plain_ms, plain_ms / ms);
  return 0;
}

}  // namespace
}  // namespace sightline

int main() { return sightline::run(); }
