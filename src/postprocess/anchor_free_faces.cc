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
#include "postprocess/grid.h"

namespace sightline {

namespace {

constexpr std::size_t kPoints = 5;

// What one grid gives: a row for each cell, by lines, and each of a cell's anchors.
struct Part {
  int stride;
  std::size_t width;  // of the grid, in cells
  std::size_t first;  // row
  std::size_t rows;
  std::vector<std::size_t> outputs;  // one for each kind
};

// Kinds of outputs: the word that their names begin with and the numbers that a row has.
struct Kind {
  const char* word;
  std::int64_t columns;
};

std::string expected_text(Size input, std::span<const Kind> kinds, std::int64_t anchors) {
  std::string text = "for each of the strides 8, 16 and 32, which have";
  for (const int stride : kUsualStrides)
    text += " " + std::to_string(cells_of(input, stride) * anchors);
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
  for (const int stride : kUsualStrides) {
    const std::int64_t width = cells_along(network.input.width, stride);
    const std::int64_t rows = cells_of(network.input, stride) * anchors;
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

constexpr std::size_t kBoxColumns = 4, kPointColumns = 2 * kPoints;

class GridFaces : public Detector {
 protected:
  // The last two of `kinds` are boxes and points.
  GridFaces(const ConfigFile& config, const NetworkShape& network, std::span<const Kind> kinds,
            std::int64_t anchors)
      : Detector(config, network, 1),
        parts_(find_parts(config, network, kinds, anchors)),
        anchors_(static_cast<std::size_t>(anchors)),
        boxes_(kinds.size() - 2),
        points_(kinds.size() - 1) {}

  // Adds a candidate for each row whose number in output `kind` reaches `least` and whose
  // confidence(part, row, number) reaches the threshold.
  template <typename Confidence>
  void find_in_parts(const FloatOutputs& outputs, std::size_t kind, float least,
                     std::vector<Candidate>& found, Confidence&& confidence) const {
    for (const Part& part : parts_)
      for_each_reaching(outputs[part.outputs[kind]], 0, 1, least,
                        [&](std::size_t row, float number) {
                          const float sure = confidence(part, row, number);
                          if (sure >= threshold(0))
                            found.push_back({sure, 0, static_cast<int>(part.first + row), {}});
                        });
  }

  // What a row says of its cell, in strides.
  struct Cell {
    float x, y, stride;      // the cell's corner, in strides; pixels
    const float* distances;  // of its box, or of its points

    Point place(float dx, float dy) const { return {(x + dx) * stride, (y + dy) * stride}; }
  };

  virtual Rect box_of(const Cell& cell) const = 0;

  // Of rows whose number in output `kind` reaches something: their boxes and points, whole.
  ScreenPart screen_of(const Part& part, std::size_t kind) const {
    ScreenPart screen;
    screen.rows = part.rows;
    screen.scores = {part.outputs[kind], 0, 1};
    for (const auto& [beside, columns] : {std::pair(boxes_, kBoxColumns), {points_, kPointColumns}})
      screen.beside.push_back({part.outputs[beside], 0, columns, 0, 1, columns});
    return screen;
  }

  const std::vector<Part> parts_;

 private:
  Rect box(const FloatOutputs& outputs, int row) const final {
    return box_of(cell_of(outputs, row, boxes_, kBoxColumns));
  }

  std::vector<Point> landmarks(const FloatOutputs& outputs, int row) const final {
    const Cell cell = cell_of(outputs, row, points_, kPointColumns);
    std::vector<Point> points;
    for (std::size_t i = 0; i < kPoints; ++i)
      points.push_back(cell.place(cell.distances[2 * i], cell.distances[2 * i + 1]));
    return points;
  }

  Cell cell_of(const FloatOutputs& outputs, int row, std::size_t kind, std::size_t columns) const {
    const auto index = static_cast<std::size_t>(row);
    std::size_t part = parts_.size() - 1;
    while (parts_[part].first > index) --part;
    const Part& of = parts_[part];
    const std::size_t within = index - of.first, cell = within / anchors_;
    return {static_cast<float>(cell % of.width), static_cast<float>(cell / of.width),
            static_cast<float>(of.stride), outputs[of.outputs[kind]].data() + columns * within};
  }

  const std::size_t anchors_, boxes_, points_;
};

// --- SCRFD (insightface): two anchors a cell; distances from the cell's corner, in strides.

constexpr Kind kScrfdKinds[] = {{"score", 1}, {"bbox", 4}, {"kps", 10}};
constexpr std::int64_t kScrfdAnchors = 2;

class Scrfd final : public GridFaces {
 public:
  Scrfd(const ConfigFile& config, const NetworkShape& network)
      : GridFaces(config, network, kScrfdKinds, kScrfdAnchors) {}

 private:
  enum { kScore };

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    find_in_parts(outputs, kScore, threshold(0), found,
                  [](const Part&, std::size_t, float score) { return score; });
  }

  Rect box_of(const Cell& cell) const override {
    const float* d = cell.distances;
    const Point start = cell.place(-d[0], -d[1]), end = cell.place(d[2], d[3]);
    return {start.x, start.y, end.x - start.x, end.y - start.y};
  }

  Screening screening() const override {
    Screening all;
    for (const Part& part : parts_)
      all.emplace_back(screen_of(part, kScore)).least = {threshold(0)};
    return all;
  }
};

const FamilyRegistration scrfd({{"scrfd"},
                                NetworkRole::kDetector,
                                "insightface's SCRFD, five landmarks: for each of the strides 8, "
                                "16 and 32 scores [2·cells,1], "
                                "boxes [2·cells,4] and points [2·cells,10]",
                                make_family<Scrfd>,
                                [](const ConfigFile& config, const NetworkShape& network) {
                                  return network.outputs.size() == 9 && finds([&] {
                                           return find_parts(config, network, kScrfdKinds,
                                                             kScrfdAnchors);
                                         });
                                }});

// --- YuNet (OpenCV's zoo, 2023): one anchor a cell; the score is the mean of two, by their
// product.

constexpr Kind kYuNetKinds[] = {{"cls", 1}, {"obj", 1}, {"bbox", 4}, {"kps", 10}};

class YuNet final : public GridFaces {
 public:
  YuNet(const ConfigFile& config, const NetworkShape& network)
      : GridFaces(config, network, kYuNetKinds, 1) {}

 private:
  enum { kClass, kObject };

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    find_in_parts(outputs, kClass, least_of_each(), found,
                  [&](const Part& part, std::size_t row, float value) {
                    const float other = outputs[part.outputs[kObject]][row];
                    if (!std::isfinite(other)) return 0.0f;
                    const auto limited = [](float v) { return std::clamp(v, 0.0f, 1.0f); };
                    return std::sqrt(limited(value) * limited(other));
                  });
  }

  Rect box_of(const Cell& cell) const override {
    const float* d = cell.distances;
    const Point centre = cell.place(d[0], d[1]);
    return centred(centre.x, centre.y, std::exp(d[2]) * cell.stride, std::exp(d[3]) * cell.stride);
  }

  Screening screening() const override {
    const float each = least_of_each();
    Screening all;
    for (const Part& part : parts_) {
      ScreenPart& screen = all.emplace_back(screen_of(part, kObject));
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
                                make_family<YuNet>,
                                [](const ConfigFile& config, const NetworkShape& network) {
                                  return network.outputs.size() == 12 && finds([&] {
                                           return find_parts(config, network, kYuNetKinds, 1);
                                         });
                                }});

}  // namespace

}  // namespace sightline
