// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where text is, by differentiable binarization, as PP-OCR's detectors have it: pixels that are
// likely text hang together; the smallest turned box around them is a line, which is widened, since
// networks are taught shrunken lines.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "postprocess/detector.h"
#include "postprocess/family.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "one output [h,w] or [1,h,w]: how likely each pixel is text, 0 to 1";
constexpr std::int64_t kMostSide = 1 << 14;
constexpr float kLeastSide = 3;  // pixels of the map; less is noise

struct Pixel {
  int x, y;
};

// Pixels that touch, corners included, each a connected set.
class Islands {
 public:
  Islands(std::span<const float> map, int width, float threshold)
      : map_(map), width_(width), threshold_(threshold), seen_(map.size()) {}

  // The island of the next pixel that belongs to none yet; empty if there is none.
  std::vector<Pixel> next() {
    for (; at_ < map_.size(); ++at_)
      if (is_new(at_)) return grow(at_);
    return {};
  }

 private:
  bool is_new(std::size_t index) const { return !seen_[index] && map_[index] > threshold_; }

  std::vector<Pixel> grow(std::size_t start) {
    const int height = static_cast<int>(map_.size()) / width_;
    std::vector<Pixel> island{pixel(start)};
    seen_[start] = true;
    for (std::size_t i = 0; i < island.size(); ++i) {
      const Pixel from = island[i];
      for (int y = std::max(0, from.y - 1); y <= std::min(height - 1, from.y + 1); ++y)
        for (int x = std::max(0, from.x - 1); x <= std::min(width_ - 1, from.x + 1); ++x) {
          const auto index = static_cast<std::size_t>(y * width_ + x);
          if (!is_new(index)) continue;
          seen_[index] = true;
          island.push_back({x, y});
        }
    }
    return island;
  }

  Pixel pixel(std::size_t index) const {
    return {static_cast<int>(index) % width_, static_cast<int>(index) / width_};
  }

  std::span<const float> map_;
  int width_;
  float threshold_;
  std::vector<bool> seen_;
  std::size_t at_ = 0;
};

struct Vector {
  double x, y;
};

double cross(Vector a, Vector b, Vector c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

// Andrew's monotone chain, of the centres of the pixels.
std::vector<Vector> convex_hull(const std::vector<Pixel>& island) {
  std::vector<Vector> points;
  for (const auto [x, y] : island) points.push_back({x + 0.5, y + 0.5});
  std::ranges::sort(points, [](Vector a, Vector b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
  std::vector<Vector> hull;
  for (int pass = 0; pass < 2; ++pass) {
    const std::size_t start = hull.size();
    for (const Vector& point : points) {
      while (hull.size() >= start + 2 && cross(hull[hull.size() - 2], hull.back(), point) <= 0)
        hull.pop_back();
      hull.push_back(point);
    }
    hull.pop_back();
    std::ranges::reverse(points);
  }
  return hull;
}

// An upright box and by how much it is turned about its centre.
struct TurnedRect {
  Rect upright;
  double radians = 0;
};

// How far beyond the outermost of its pixels' centres a side of this length lies, on average.
// Level, it lies anywhere from 0 to 1 beyond them: half a pixel. Turned, it sinks through the rows
// of pixels, and the more of their distance it sinks, the closer it comes to one of them; no centre
// is left beyond it when it has sunk by a whole one.
double beyond_centres(double side, double radians) {
  const double left = std::max(0.0, 1 - side * std::abs(std::sin(radians)));
  return left * left / 2;
}

// The least area of all turned boxes around the hull of the centres; one side of it lies on one of
// the hull's. It is given as far as the pixels reach. Turned by at most 45°, so that text that is
// about level reads from its top left corner.
TurnedRect least_box(const std::vector<Vector>& hull) {
  TurnedRect best;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < hull.size(); ++i) {
    const Vector a = hull[i], b = hull[(i + 1) % hull.size()];
    constexpr double kQuarter = std::numbers::pi / 2;
    const double angle = std::remainder(std::atan2(b.y - a.y, b.x - a.x), kQuarter);
    const double c = std::cos(angle), s = std::sin(angle);
    double left = 1e9, right = -1e9, top = 1e9, bottom = -1e9;
    for (const Vector& p : hull) {
      const double along = c * p.x + s * p.y, across = -s * p.x + c * p.y;
      left = std::min(left, along), right = std::max(right, along);
      top = std::min(top, across), bottom = std::max(bottom, across);
    }
    if ((right - left) * (bottom - top) >= least) continue;
    least = (right - left) * (bottom - top);
    const double x = (left + right) / 2, y = (top + bottom) / 2;
    const double width = right - left + 2 * beyond_centres(bottom - top, angle);
    const double height = bottom - top + 2 * beyond_centres(right - left, angle);
    best = {{static_cast<float>(c * x - s * y - width / 2),
             static_cast<float>(s * x + c * y - height / 2), static_cast<float>(width),
             static_cast<float>(height)},
            angle};
  }
  return best;
}

class TextBoxes final : public Detector {
 public:
  TextBoxes(const ConfigFile& config, const NetworkShape& network)
      : Detector(config, network, 1, ClusterMode::kNone) {
    const Shape shape = network.outputs.size() == 1 ? network.outputs[0].shape : Shape{};
    const bool is_map = shape.size() == 2 || (shape.size() == 3 && shape[0] == 1);
    if (!is_map) reject_outputs(config, network, kExpected);
    const std::int64_t height = shape[shape.size() - 2], width = shape[shape.size() - 1];
    if (height < 1 || width < 1 || height > kMostSide || width > kMostSide)
      reject_outputs(config, network, kExpected);
    height_ = static_cast<int>(height), width_ = static_cast<int>(width);
    if (const auto value = config.find("property", "segmentation-threshold"))
      pixel_threshold_ = value->as_float(0, 1);
    if (const auto value = config.find("property", "unclip-ratio"))
      unclip_ratio_ = value->as_float(0, 10);
  }

  Results decode(std::span<const Tensor> outputs) const override {
    const FloatOutputs values(outputs, network());
    std::vector<Candidate> candidates;
    std::vector<OrientedBox> boxes;
    Islands islands(values[0], width_, pixel_threshold_);
    for (auto island = islands.next(); !island.empty(); island = islands.next()) {
      const TurnedRect line = least_box(convex_hull(island));
      if (std::min(line.upright.width, line.upright.height) < kLeastSide) continue;
      const float confidence = mean(values[0], line);
      if (!(confidence >= threshold(0) && confidence <= 1)) continue;
      boxes.push_back(in_input(widened(line)));
      candidates.push_back(
          {confidence, 0, static_cast<int>(boxes.size()) - 1, bounds(boxes.back())});
    }
    keep_strongest(candidates);
    return finish(
        std::move(candidates),
        [&](const Candidate& survivor, Detection& detection) {
          detection.corners = boxes[static_cast<std::size_t>(survivor.row)];
          detection.row = -1;  // it comes from many
        },
        [&](const Candidate& a, const Candidate& b) {
          return iou(boxes[static_cast<std::size_t>(a.row)],
                     boxes[static_cast<std::size_t>(b.row)]);
        });
  }

 private:
  // Of the pixels whose centre lies in the box.
  float mean(std::span<const float> map, const TurnedRect& line) const {
    const Rect around =
        intersection(bounds(turned(line.upright, line.radians)),
                     {0, 0, static_cast<float>(width_), static_cast<float>(height_)});
    const double c = std::cos(line.radians), s = std::sin(line.radians);
    const Point centre = line.upright.center();
    double sum = 0;
    int count = 0;
    for (int y = static_cast<int>(around.y); y < static_cast<int>(std::ceil(around.bottom())); ++y)
      for (int x = static_cast<int>(around.x); x < static_cast<int>(std::ceil(around.right()));
           ++x) {
        const double dx = x + 0.5 - centre.x, dy = y + 0.5 - centre.y;
        if (std::abs(c * dx + s * dy) > line.upright.width / 2.0 ||
            std::abs(-s * dx + c * dy) > line.upright.height / 2.0)
          continue;
        sum += map[static_cast<std::size_t>(y * width_ + x)];
        ++count;
      }
    return count > 0 ? static_cast<float>(sum / count) : 0.0f;
  }

  // By area · ratio / perimeter on each side.
  TurnedRect widened(const TurnedRect& line) const {
    const Rect& box = line.upright;
    const float by = box.area() * unclip_ratio_ / (2 * (box.width + box.height));
    return {{box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by}, line.radians};
  }

  OrientedBox in_input(const TurnedRect& line) const {
    OrientedBox box = turned(line.upright, line.radians);
    for (Point& corner : box)
      corner = {
          corner.x * static_cast<float>(network().input.width) / static_cast<float>(width_),
          corner.y * static_cast<float>(network().input.height) / static_cast<float>(height_)};
    return box;
  }

  int width_ = 0, height_ = 0;
  float pixel_threshold_ = 0.3f;
  float unclip_ratio_ = 1.5f;
};

const FamilyRegistration registration({{"db", "ppocr-det"},
                                       NetworkRole::kDetector,
                                       std::string("oriented boxes of lines of text: ") + kExpected,
                                       make_family<TextBoxes>});

}  // namespace

}  // namespace sightline
