// SPDX-License-Identifier: LGPL-2.1-or-later
//
// RetinaFace as insightface's mnet.25 has it: on three grids two anchors a cell, each with a
// probability, a box and five points (the eyes, the nose, the corners of the mouth; from the
// picture's left to its right).

#include <array>
#include <cmath>

#include "postprocess/detector.h"
#include "postprocess/family.h"
#include "postprocess/grid.h"

namespace sightline {

namespace {

constexpr std::size_t kAnchors = 2, kPoints = 5;  // a cell, an anchor
constexpr float kFirstCenter = 8;                 // 7.5 in pixel indices, at any stride
constexpr float kPointDeviation = 0.2f;           // what the network was trained to

struct Scale {
  int stride;
  std::array<float, kAnchors> sizes;  // sides of the anchors, in pixels of the input
};

constexpr std::array<Scale, 3> kScales = {{{32, {512, 256}}, {16, {128, 64}}, {8, {32, 16}}}};

// Channels are planes of height × width. Of the scores the first two are the background.
struct Part {
  Scale scale;
  std::size_t scores, boxes, points;  // outputs
  std::size_t width, cells;           // of the grid
  std::size_t first;                  // row
};

std::string expected(Size input) {
  std::string text =
      "nine outputs, for each stride scores [4,h,w], boxes [8,h,w] and points [20,h,w] with [h,w] "
      "being";
  for (const Scale& scale : kScales)
    text += " " + to_string({cells_along(input.height, scale.stride),
                             cells_along(input.width, scale.stride)});
  return text;
}

std::vector<Part> find_parts(const ConfigFile& config, const NetworkShape& network) {
  constexpr std::int64_t kMostCells = 1 << 20;  // rows are counted in int
  std::vector<Part> parts;
  std::size_t first = 0;
  for (const Scale& scale : kScales) {
    const std::int64_t height = cells_along(network.input.height, scale.stride);
    const std::int64_t width = cells_along(network.input.width, scale.stride);
    const auto find = [&](std::int64_t channels) {
      for (std::size_t i = 0; i < network.outputs.size(); ++i)
        if (network.outputs[i].shape == Shape{channels, height, width}) return i;
      reject_outputs(config, network, expected(network.input));
    };
    if (network.outputs.size() != 3 * kScales.size() || height * width > kMostCells)
      reject_outputs(config, network, expected(network.input));
    const auto cells = static_cast<std::size_t>(height * width);
    parts.push_back(
        {scale, find(4), find(8), find(20), static_cast<std::size_t>(width), cells, first});
    first += cells * kAnchors;
  }
  return parts;
}

// Rows count the scales as kScales does, in each the cells by lines, in each its anchors.
struct Anchor {
  const Part& part;
  std::size_t cell, index;  // of the grid; in the cell

  float size() const { return part.scale.sizes[index]; }
  Point center() const {
    const auto stride = static_cast<float>(part.scale.stride);
    return {kFirstCenter + static_cast<float>(cell % part.width) * stride,
            kFirstCenter + static_cast<float>(cell / part.width) * stride};
  }
  // Number i of the anchor, each anchor having `count` of them in a row of planes.
  float number(std::span<const float> planes, std::size_t count, std::size_t i) const {
    return planes[(index * count + i) * part.cells + cell];
  }
};

class RetinaFace final : public Detector {
 public:
  RetinaFace(const ConfigFile& config, const NetworkShape& network)
      : Detector(config, network, 1), parts_(find_parts(config, network)) {}

 private:
  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    for (const Part& part : parts_)
      for (std::size_t anchor = 0; anchor < kAnchors; ++anchor) {
        const auto plane =
            outputs[part.scores].subspan((kAnchors + anchor) * part.cells, part.cells);
        for_each_reaching(plane, 0, 1, threshold(0), [&](std::size_t cell, float confidence) {
          const std::size_t row = part.first + cell * kAnchors + anchor;
          found.push_back({confidence, 0, static_cast<int>(row), {}});
        });
      }
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const Anchor anchor = anchor_of(row);
    const auto delta = [&](std::size_t i) {
      return anchor.number(outputs[anchor.part.boxes], 4, i);
    };
    const float size = anchor.size();
    const Point center = {anchor.center().x + delta(0) * size, anchor.center().y + delta(1) * size};
    const float width = size * std::exp(delta(2)), height = size * std::exp(delta(3));
    return {center.x - width / 2, center.y - height / 2, width, height};
  }

  std::vector<Point> landmarks(const FloatOutputs& outputs, int row) const override {
    const Anchor anchor = anchor_of(row);
    const float scale = anchor.size() * kPointDeviation;
    std::vector<Point> points;
    points.reserve(kPoints);
    for (std::size_t i = 0; i < kPoints; ++i) {
      const auto delta = [&](std::size_t axis) {
        return anchor.number(outputs[anchor.part.points], 2 * kPoints, 2 * i + axis);
      };
      points.push_back(
          {anchor.center().x + delta(0) * scale, anchor.center().y + delta(1) * scale});
    }
    return points;
  }

  // Its rows are cells, its classes their anchors.
  Screening screening() const override {
    Screening all;
    for (const Part& part : parts_) {
      const auto numbers = [&](std::size_t output, std::size_t count) {
        return Strided{output, 0, 1, count * part.cells, part.cells, count};
      };
      ScreenPart& screen = all.emplace_back();
      screen.rows = part.cells;
      screen.scores = {part.scores, kAnchors * part.cells, 1, part.cells};
      screen.least.assign(kAnchors, threshold(0));
      screen.beside = {numbers(part.boxes, 4), numbers(part.points, 2 * kPoints)};
    }
    return all;
  }

  Anchor anchor_of(int row) const {
    const auto index = static_cast<std::size_t>(row);
    std::size_t part = parts_.size() - 1;
    while (parts_[part].first > index) --part;
    const std::size_t within = index - parts_[part].first;
    return {parts_[part], within / kAnchors, within % kAnchors};
  }

  std::vector<Part> parts_;
};

const FamilyRegistration registration(
    {{"retinaface"},
     NetworkRole::kDetector,
     "insightface's face detector, five landmarks: for each of the strides 32, 16 and 8 scores "
     "[4,h,w], boxes [8,h,w] and points [20,h,w]",
     make_family<RetinaFace>,
     [](const ConfigFile& config, const NetworkShape& network) {
       return finds([&] { return find_parts(config, network); });
     }});

}  // namespace

}  // namespace sightline
