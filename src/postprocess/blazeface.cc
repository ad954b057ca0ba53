// SPDX-License-Identifier: LGPL-2.1-or-later
//
// MediaPipe's BlazeFace, short range: 896 anchors with a box and six points each (right eye, left
// eye, nose, mouth, right ear, left ear; right is the person's own). The front model sees 128 × 128
// pixels, the older back model 256 × 256; their anchors lie on the same grids.

#include <algorithm>
#include <array>
#include <cmath>

#include "postprocess/detector.h"
#include "postprocess/family.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "for a square input: scores [512,1] and [384,1], boxes with 6 points [512,16] and [384,16], in "
    "any order; or each pair joined to [896,1] and [896,16]";

struct Grid {
  std::size_t cells;    // a side
  std::size_t anchors;  // a cell, all in its centre
  constexpr std::size_t rows() const { return cells * cells * anchors; }
};

constexpr std::array<Grid, 2> kGrids = {{{16, 2}, {8, 6}}};
constexpr std::size_t kRows = 896, kNumbers = 16;  // a row: x, y, width, height, six points
constexpr std::size_t kPoints = 6;
static_assert(kGrids[0].rows() + kGrids[1].rows() == kRows);

// Centres of the anchors, 0 to 1, in the order of the rows.
std::vector<Point> make_anchors() {
  std::vector<Point> anchors;
  anchors.reserve(kRows);
  for (const Grid& grid : kGrids)
    for (std::size_t row = 0; row < grid.rows(); ++row) {
      const std::size_t cell = row / grid.anchors;
      const auto side = static_cast<float>(grid.cells);
      anchors.push_back({(static_cast<float>(cell % grid.cells) + 0.5f) / side,
                         (static_cast<float>(cell / grid.cells) + 0.5f) / side});
    }
  return anchors;
}

// The rows [first, first + rows) lie in these two outputs.
struct Part {
  std::size_t scores, regressors;
  std::size_t first, rows;
};

std::size_t find_output(const ConfigFile& config, const NetworkShape& network, const Shape& shape) {
  for (std::size_t i = 0; i < network.outputs.size(); ++i)
    if (network.outputs[i].shape == shape) return i;
  reject_outputs(config, network, kExpected);
}

std::vector<Part> find_parts(const ConfigFile& config, const NetworkShape& network) {
  if (network.input.width != network.input.height) reject_outputs(config, network, kExpected);
  std::vector<std::size_t> sizes;
  if (network.outputs.size() == 2) sizes = {kRows};
  if (network.outputs.size() == 4) sizes = {kGrids[0].rows(), kGrids[1].rows()};
  if (sizes.empty()) reject_outputs(config, network, kExpected);
  std::vector<Part> parts;
  std::size_t first = 0;
  for (const std::size_t rows : sizes) {
    const auto n = static_cast<std::int64_t>(rows);
    parts.push_back({find_output(config, network, {n, 1}),
                     find_output(config, network, {n, std::int64_t{kNumbers}}), first, rows});
    first += rows;
  }
  return parts;
}

// MediaPipe clips scores before the sigmoid, so that its exp() never overflows.
float sigmoid(float score) { return 1 / (1 + std::exp(-std::min(std::max(score, -100.f), 100.f))); }

// A little below the score whose sigmoid is `confidence`: what is below needs no exp().
float least_score(float confidence) {
  constexpr float kSaturated = 15, kMargin = 0.01f;
  if (confidence > 1) return confidence;  // of a class that is filtered out: infinity
  const float score = std::log(confidence / (1 - confidence));  // ∓ infinity for 0 and 1
  return std::min(score, kSaturated) - kMargin;
}

class BlazeFace final : public Detector {
 public:
  BlazeFace(const ConfigFile& config, const NetworkShape& network)
      : Detector(config, network, 1), parts_(find_parts(config, network)) {}

 private:
  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    const float least = least_score(threshold(0));
    for (const Part& part : parts_)
      for_each_reaching(outputs[part.scores], 0, 1, least, [&](std::size_t index, float score) {
        const float confidence = sigmoid(score);
        if (confidence >= threshold(0))
          found.push_back({confidence, 0, static_cast<int>(part.first + index), {}});
      });
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const float* numbers = numbers_of(outputs, row);
    const Point center = point(numbers, row);
    return {center.x - numbers[2] / 2, center.y - numbers[3] / 2, numbers[2], numbers[3]};
  }

  std::vector<Point> landmarks(const FloatOutputs& outputs, int row) const override {
    const float* numbers = numbers_of(outputs, row);
    std::vector<Point> points;
    points.reserve(kPoints);
    for (std::size_t i = 0; i < kPoints; ++i) points.push_back(point(numbers + 4 + 2 * i, row));
    return points;
  }

  Screening screening() const override {
    Screening all;
    for (const Part& part : parts_) {
      ScreenPart& screen = all.emplace_back();
      screen.rows = part.rows;
      screen.scores = {part.scores, 0, 1};
      screen.least = {least_score(threshold(0))};
      screen.beside = {{part.regressors, 0, kNumbers, 0, 1, kNumbers}};
    }
    return all;
  }

  const float* numbers_of(const FloatOutputs& outputs, int row) const {
    auto index = static_cast<std::size_t>(row);
    const Part& part = index < parts_[0].rows ? parts_[0] : parts_[1];
    return outputs[part.regressors].data() + (index - part.first) * kNumbers;
  }

  // Offsets are in pixels of the input, from the anchor.
  Point point(const float* offset, int row) const {
    const Point& anchor = anchors_[static_cast<std::size_t>(row)];
    return {anchor.x * static_cast<float>(network().input.width) + offset[0],
            anchor.y * static_cast<float>(network().input.height) + offset[1]};
  }

  std::vector<Part> parts_;
  std::vector<Point> anchors_ = make_anchors();
};

const FamilyRegistration registration({{"blazeface"},
                                       NetworkRole::kDetector,
                                       std::string("MediaPipe's face detector, six landmarks: ") +
                                           kExpected,
                                       make_family<BlazeFace>,
                                       [](const ConfigFile& config, const NetworkShape& network) {
                                         return finds([&] { return find_parts(config, network); });
                                       }});

}  // namespace

}  // namespace sightline
