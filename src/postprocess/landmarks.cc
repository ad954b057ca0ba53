// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Points of the region as a whole: 68 of a face, for one.

#include <algorithm>
#include <cmath>

#include "postprocess/family.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "one output [2n] or [n,2] of x and y in turn (landmark-scale: unit, 0 to 1 of the input, or "
    "pixel)";

// Unknown dimensions are looked at again when a tensor is there.
bool is_fitting(const Shape& shape) {
  const Shape essential = without_ones(shape);
  if (essential.size() == 1) return essential[0] < 0 || (essential[0] > 0 && essential[0] % 2 == 0);
  return essential.size() == 2 && essential[0] != 0 && essential[1] == 2;
}

class Landmarks final : public Postprocessor {
 public:
  Landmarks(const ConfigFile& config, const NetworkShape& network) : network_(network) {
    require_float_outputs(config, network);
    if (network.outputs.size() != 1 || !is_fitting(network.outputs[0].shape))
      reject_outputs(config, network, kExpected);
    bool unit = true;
    if (const auto value = config.find("property", "landmark-scale"))
      unit = value->as_one_of<bool>({{"unit", true}, {"pixel", false}});
    if (unit)
      scale_ = {static_cast<float>(network.input.width), static_cast<float>(network.input.height)};
  }

  NetworkRole role() const override { return NetworkRole::kLandmarks; }

  // One number that is not finite takes all points away: who aligns by them counts on every one.
  Results decode(std::span<const Tensor> outputs) const override {
    const FloatOutputs values(outputs, network_);
    if (!is_fitting(values.shape(0)))
      throw Error(ErrorCode::kModel, "output \"" + network_.outputs[0].name + "\" is " +
                                         to_string(values.shape(0)) + ", expected " + kExpected);
    Results results;
    const std::span<const float> numbers = values[0];
    for (std::size_t i = 0; i + 1 < numbers.size(); i += 2)
      results.landmarks.push_back({numbers[i] * scale_.x, numbers[i + 1] * scale_.y});
    const auto finite = [](const Point& p) { return std::isfinite(p.x) && std::isfinite(p.y); };
    if (!std::all_of(results.landmarks.begin(), results.landmarks.end(), finite))
      results.landmarks.clear();
    return results;
  }

 private:
  NetworkShape network_;
  Point scale_{1, 1};
};

const FamilyRegistration registration({{"landmarks"},
                                       NetworkRole::kLandmarks,
                                       std::string("points of the region: ") + kExpected,
                                       make_family<Landmarks>});

}  // namespace

}  // namespace sightline
