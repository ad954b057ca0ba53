// SPDX-License-Identifier: LGPL-2.1-or-later
//
// DetectNet_v2, the detector of NVIDIA's TAO: a grid whose cells say, for each class, how sure they
// are of an object and where its edges are.

#include <cstdint>
#include <optional>

#include "postprocess/detector.h"
#include "postprocess/family.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "two outputs of one grid: coverage [classes,h,w] (0 to 1) and boxes [4·classes,h,w]";

// Edges are told as distances from the cell's centre, in this many pixels.
constexpr float kUnit = 35;
constexpr float kHalfPixel = 0.5f;

struct Grid {
  std::size_t coverage, boxes;  // outputs
  std::size_t classes, height, width;

  std::size_t cells() const { return height * width; }
};

std::optional<Grid> as_grid(const NetworkShape& network, std::size_t coverage, std::size_t boxes) {
  constexpr std::int64_t kMost = 1 << 14;  // cells along a side, and classes
  const Shape &a = network.outputs[coverage].shape, &b = network.outputs[boxes].shape;
  if (a.size() != 3 || b.size() != 3 || b[0] != 4 * a[0] || a[1] != b[1] || a[2] != b[2])
    return std::nullopt;
  for (const std::int64_t side : a)
    if (side < 1 || side > kMost) return std::nullopt;
  return Grid{coverage, boxes, static_cast<std::size_t>(a[0]), static_cast<std::size_t>(a[1]),
              static_cast<std::size_t>(a[2])};
}

Grid find_grid(const ConfigFile& config, const NetworkShape& network) {
  std::optional<Grid> grid;
  if (network.outputs.size() == 2) {
    grid = as_grid(network, 0, 1);
    if (!grid) grid = as_grid(network, 1, 0);
  }
  if (!grid) reject_outputs(config, network, kExpected);
  return *grid;
}

// Rows count the cells of the first class, then those of the second, …
class DetectNet final : public Detector {
 public:
  DetectNet(const ConfigFile& config, const NetworkShape& network)
      : DetectNet(config, network, find_grid(config, network)) {}

 private:
  DetectNet(const ConfigFile& config, const NetworkShape& network, const Grid& grid)
      : Detector(config, network, static_cast<int>(grid.classes)), grid_(grid) {}

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    for (int id = 0; id < classes(); ++id) {
      const std::size_t first = static_cast<std::size_t>(id) * grid_.cells();
      for_each_reaching(outputs[grid_.coverage].subspan(first, grid_.cells()), 0, 1, threshold(id),
                        [&](std::size_t cell, float confidence) {
                          found.push_back({confidence, id, static_cast<int>(first + cell), {}});
                        });
    }
  }

  Screening screening() const override {
    ScreenPart part;
    part.rows = grid_.cells();
    part.scores = {grid_.coverage, 0, 1, grid_.cells()};
    part.least.assign(thresholds().begin(), thresholds().end());
    part.beside = {{grid_.boxes, 0, 1, 4 * grid_.cells(), grid_.cells(), 4}};
    return {part};
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const std::size_t id = static_cast<std::size_t>(row) / grid_.cells();
    const std::size_t cell = static_cast<std::size_t>(row) % grid_.cells();
    const auto centre = [](std::size_t index, int pixels, std::size_t cells) {
      const float stride = static_cast<float>(pixels) / static_cast<float>(cells);
      return static_cast<float>(index) * stride + kHalfPixel;
    };
    const float x = centre(cell % grid_.width, network().input.width, grid_.width);
    const float y = centre(cell / grid_.width, network().input.height, grid_.height);
    const auto distance = [&](std::size_t edge) {
      return kUnit * outputs[grid_.boxes][(4 * id + edge) * grid_.cells() + cell];
    };
    const float left = x - distance(0), top = y - distance(1);
    return {left, top, x + distance(2) - left, y + distance(3) - top};
  }

  Grid grid_;
};

const FamilyRegistration registration({{"detectnet-v2"},
                                       NetworkRole::kDetector,
                                       std::string("boxes of DetectNet_v2 (TAO): ") + kExpected,
                                       make_family<DetectNet>,
                                       [](const ConfigFile& config, const NetworkShape& network) {
                                         return has_output_named(network, "cov") &&
                                                has_output_named(network, "bbox") &&
                                                finds([&] { return find_grid(config, network); });
                                       }});

}  // namespace

}  // namespace sightline
