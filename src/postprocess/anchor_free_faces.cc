// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Face detectors with five landmarks that tell distances from the cells of three grids: SCRFD and
// YuNet.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "postprocess/box_table.h"
#include "postprocess/detector.h"
#include "postprocess/family.h"

namespace sightline {

namespace {

constexpr std::size_t kPoints = 5;
constexpr std::array kStrides = {8, 16, 32};

// What one grid gives: a row for each cell, by lines, and each of a cell's anchors.
struct Part {
  int stride;
  std::size_t width;  // of the grid, in cells
  std::size_t first;  // row
  std::size_t rows;
  std::vector<std::size_t> outputs;  // one for each kind
};

std::int64_t cells_along(int pixels, int stride) {
  return (std::int64_t{pixels} + stride - 1) / stride;
}

// Kinds of outputs: the word that their names begin with and the numbers that a row has.
struct Kind {
  const char* word;
  std::int64_t columns;
};

std::string expected_text(Size input, std::span<const Kind> kinds, std::int64_t anchors) {
  std::string text = "for each of the strides 8, 16 and 32, which have";
  for (const int stride : kStrides)
    text += " " + std::to_string(cells_along(input.width, stride) *
                                 cells_along(input.height, stride) * anchors);
  text += " rows, outputs";
  for (const Kind& kind : kinds)
    text += " " + std::string(kind.word) + "… [rows," + std::to_string(kind.columns) + "]";
  return text;
}

// By shape and, where two kinds have as many columns, by name.
std::vector<Part> find_parts(const ConfigFile& config, const NetworkShape& network,
                             std::span<const Kind> kinds, std::int64_t anchors) {
  constexpr std::int64_t kMostRows = 1 << 22;
  std::vector<Part> parts;
  std::size_t first = 0;
  for (const int stride : kStrides) {
    const std::int64_t width = cells_along(network.input.width, stride);
    const std::int64_t rows = width * cells_along(network.input.height, stride) * anchors;
    Part part{stride, static_cast<std::size_t>(width), first, static_cast<std::size_t>(rows), {}};
    for (const Kind& kind : kinds) {
      std::vector<std::size_t> fitting, called;
      for (std::size_t i = 0; i < network.outputs.size(); ++i) {
        if (network.outputs[i].shape != Shape{rows, kind.columns}) continue;
        fitting.push_back(i);
        if (network.outputs[i].name.starts_with(kind.word)) called.push_back(i);
      }
      if (fitting.size() > 1) fitting = called;
      if (fitting.size() != 1 || rows > kMostRows)
        reject_outputs(config, network, expected_text(network.input, kinds, anchors));
      part.outputs.push_back(fitting.front());
    }
    first += part.rows;
    parts.push_back(std::move(part));
  }
  return parts;
}

class GridFaces : public Detector {
 protected:
  GridFaces(const ConfigFile& config, const NetworkShape& network, std::vector<Part> parts,
            std::size_t anchors)
      : Detector(config, network, 1), parts_(std::move(parts)), anchors_(anchors) {}

  // A row in its grid.
  struct Place {
    const Part& part;
    std::size_t row;  // in the part
    float x, y;       // of the cell, in cells

    float stride() const { return static_cast<float>(part.stride); }
  };

  Place place_of(int row) const {
    const auto index = static_cast<std::size_t>(row);
    std::size_t part = parts_.size() - 1;
    while (parts_[part].first > index) --part;
    const std::size_t within = index - parts_[part].first, cell = within / anchors_;
    return {parts_[part], within, static_cast<float>(cell % parts_[part].width),
            static_cast<float>(cell / parts_[part].width)};
  }

  // Of rows that score: the outputs of these kinds, whole.
  ScreenPart screen_of(const Part& part, std::size_t scores, std::span<const Kind> kinds,
                       std::initializer_list<std::size_t> beside) const {
    ScreenPart screen;
    screen.rows = part.rows;
    screen.scores = {part.outputs[scores], 0, 1};
    for (const std::size_t kind : beside) {
      const auto columns = static_cast<std::size_t>(kinds[kind].columns);
      screen.beside.push_back({part.outputs[kind], 0, columns, 0, 1, columns});
    }
    return screen;
  }

  const std::vector<Part> parts_;
  const std::size_t anchors_;
};

// --- SCRFD (insightface): two anchors a cell; distances from the cell's corner, in strides.

constexpr Kind kScrfdKinds[] = {{"score", 1}, {"bbox", 4}, {"kps", 10}};

class Scrfd final : public GridFaces {
 public:
  static constexpr std::int64_t kAnchors = 2;

  Scrfd(const ConfigFile& config, const NetworkShape& network)
      : GridFaces(config, network, find_parts(config, network, kScrfdKinds, kAnchors), kAnchors) {}

 private:
  enum { kScore, kBox, kKeypoints };

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    for (const Part& part : parts_)
      for_each_reaching(outputs[part.outputs[kScore]], 0, 1, threshold(0),
                        [&](std::size_t row, float confidence) {
                          found.push_back({confidence, 0, static_cast<int>(part.first + row), {}});
                        });
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const Place at = place_of(row);
    const float* d = outputs[at.part.outputs[kBox]].data() + 4 * at.row;
    const float left = (at.x - d[0]) * at.stride(), top = (at.y - d[1]) * at.stride();
    return {left, top, (at.x + d[2]) * at.stride() - left, (at.y + d[3]) * at.stride() - top};
  }

  std::vector<Point> landmarks(const FloatOutputs& outputs, int row) const override {
    const Place at = place_of(row);
    const float* d = outputs[at.part.outputs[kKeypoints]].data() + 2 * kPoints * at.row;
    std::vector<Point> points;
    for (std::size_t i = 0; i < kPoints; ++i)
      points.push_back({(at.x + d[2 * i]) * at.stride(), (at.y + d[2 * i + 1]) * at.stride()});
    return points;
  }

  Screening screening() const override {
    Screening all;
    for (const Part& part : parts_)
      all.emplace_back(screen_of(part, kScore, kScrfdKinds, {kBox, kKeypoints})).least = {
          threshold(0)};
    return all;
  }
};

const FamilyRegistration scrfd({{"scrfd"},
                                NetworkRole::kDetector,
                                "insightface's SCRFD, five landmarks: for each of the strides 8, "
                                "16 and 32 scores [2·cells,1], "
                                "boxes [2·cells,4] and points [2·cells,10]",
                                [](const ConfigFile& config,
                                   const NetworkShape& network) -> std::unique_ptr<Postprocessor> {
                                  return std::make_unique<Scrfd>(config, network);
                                }});

// --- YuNet (OpenCV's zoo, 2023): one anchor a cell; the score is the mean of two, by their
// product.

constexpr Kind kYuNetKinds[] = {{"cls", 1}, {"obj", 1}, {"bbox", 4}, {"kps", 10}};

class YuNet final : public GridFaces {
 public:
  YuNet(const ConfigFile& config, const NetworkShape& network)
      : GridFaces(config, network, find_parts(config, network, kYuNetKinds, 1), 1) {}

 private:
  enum { kClass, kObject, kBox, kKeypoints };

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    const float least = threshold(0);
    const float each = least_of_each();
    for (const Part& part : parts_)
      for_each_reaching(
          outputs[part.outputs[kClass]], 0, 1, each, [&](std::size_t row, float value) {
            const auto limited = [](float v) { return std::clamp(v, 0.0f, 1.0f); };
            const float other = outputs[part.outputs[kObject]][row];
            const float confidence = std::sqrt(limited(value) * limited(other));
            if (confidence >= least)
              found.push_back({confidence, 0, static_cast<int>(part.first + row), {}});
          });
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const Place at = place_of(row);
    const float* d = outputs[at.part.outputs[kBox]].data() + 4 * at.row;
    return centred((at.x + d[0]) * at.stride(), (at.y + d[1]) * at.stride(),
                   std::exp(d[2]) * at.stride(), std::exp(d[3]) * at.stride());
  }

  std::vector<Point> landmarks(const FloatOutputs& outputs, int row) const override {
    const Place at = place_of(row);
    const float* d = outputs[at.part.outputs[kKeypoints]].data() + 2 * kPoints * at.row;
    std::vector<Point> points;
    for (std::size_t i = 0; i < kPoints; ++i)
      points.push_back({(at.x + d[2 * i]) * at.stride(), (at.y + d[2 * i + 1]) * at.stride()});
    return points;
  }

  Screening screening() const override {
    const float each = least_of_each();
    Screening all;
    for (const Part& part : parts_) {
      ScreenPart& screen =
          all.emplace_back(screen_of(part, kObject, kYuNetKinds, {kBox, kKeypoints}));
      // Negative ones are taken for 0, which may do.
      screen.least = {each > 0 ? each : -std::numeric_limits<float>::infinity()};
      screen.gate = {{part.outputs[kClass], 0, 1}, each, false};
    }
    return all;
  }

  // Neither score is above 1, so each alone must reach the square; a little less, for rounding.
  float least_of_each() const { return threshold(0) * threshold(0) * (1 - 1e-5f); }
};

const FamilyRegistration yunet({{"yunet"},
                                NetworkRole::kDetector,
                                "OpenCV's YuNet, five landmarks: for each of the strides 8, 16 and "
                                "32 cls… and obj… [cells,1], "
                                "bbox… [cells,4] and kps… [cells,10]",
                                [](const ConfigFile& config,
                                   const NetworkShape& network) -> std::unique_ptr<Postprocessor> {
                                  return std::make_unique<YuNet>(config, network);
                                }});

}  // namespace

}  // namespace sightline
