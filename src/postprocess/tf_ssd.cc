// SPDX-License-Identifier: LGPL-2.1-or-later
//
// SSD as TensorFlow's object detection exports it, with suppression inside.

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "postprocess/detector.h"
#include "postprocess/family.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "outputs with \"boxes\" [n,4] (top, left, bottom, right; 0 to 1 of the input), \"scores\" [n] "
    "and "
    "\"classes\" [n] in their names, and perhaps \"num\"";

constexpr std::int64_t kMostRows = 1 << 20;

struct Layout {
  std::size_t boxes, scores, classes, rows;
};

std::optional<std::size_t> named(const NetworkShape& network, const char* word) {
  for (std::size_t i = 0; i < network.outputs.size(); ++i)
    if (network.outputs[i].name.find(word) != std::string::npos) return i;
  return std::nullopt;
}

Layout find_layout(const ConfigFile& config, const NetworkShape& network) {
  const auto boxes = named(network, "boxes"), scores = named(network, "scores"),
             classes = named(network, "classes");
  if (!boxes || !scores || !classes) reject_outputs(config, network, kExpected);
  const Shape& shape = network.outputs[*boxes].shape;
  if (shape.size() != 2 || shape[0] < 1 || shape[0] > kMostRows || shape[1] != 4)
    reject_outputs(config, network, kExpected);
  for (const std::size_t other : {*scores, *classes})
    if (network.outputs[other].shape != Shape{shape[0]}) reject_outputs(config, network, kExpected);
  return {*boxes, *scores, *classes, static_cast<std::size_t>(shape[0])};
}

class TensorFlowSsd final : public Detector {
 public:
  TensorFlowSsd(const ConfigFile& config, const NetworkShape& network)
      : TensorFlowSsd(config, network, find_layout(config, network)) {}

 private:
  TensorFlowSsd(const ConfigFile& config, const NetworkShape& network, const Layout& layout)
      : Detector(config, network, class_count(config), ClusterMode::kNone), layout_(layout) {}

  // Classes are counted from 1, where labels and thresholds begin at 0; 0 is the background. Rows
  // after the last detection score 0.
  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    for_each_reaching(outputs[layout_.scores], 0, 1, least_threshold(),
                      [&](std::size_t row, float confidence) {
                        const float id = outputs[layout_.classes][row];
                        if (!(id >= 1 && id < static_cast<float>(classes()) + 1)) return;
                        const int class_id = static_cast<int>(id) - 1;
                        if (confidence > 0 && confidence >= threshold(class_id))
                          found.push_back({confidence, class_id, static_cast<int>(row), {}});
                      });
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const float* edges = outputs[layout_.boxes].data() + 4 * static_cast<std::size_t>(row);
    const auto width = static_cast<float>(network().input.width);
    const auto height = static_cast<float>(network().input.height);
    const float left = edges[1] * width, top = edges[0] * height;
    return {left, top, edges[3] * width - left, edges[2] * height - top};
  }

  Layout layout_;
};

const FamilyRegistration registration(
    {{"tf-ssd"},
     NetworkRole::kDetector,
     std::string("boxes of SSD as TensorFlow exports it, after suppression: ") + kExpected,
     make_family<TensorFlowSsd>,
     [](const ConfigFile& config, const NetworkShape& network) {
       return finds([&] { return find_layout(config, network); });
     }});

}  // namespace

}  // namespace sightline
