// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A line of text, read by a network with connectionist temporal classification, as PP-OCR's are: at
// each step the strongest character; repeated ones are one, and blanks are none.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "postprocess/family.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "one output [steps,characters]: how likely each character is at each step, the first one the "
    "blank";
constexpr std::int64_t kMost = 1 << 20;
constexpr std::size_t kBlank = 0, kMostBytes = 1 << 24;

// A character a line, which may be any but a line feed.
std::vector<std::string> read_characters(const ConfigValue& value) {
  std::ifstream file(value.as_path(), std::ios::binary);
  if (!file) value.fail("cannot be read");
  std::vector<std::string> characters;
  std::size_t bytes = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    bytes += line.size() + 1;
    if (bytes > kMostBytes) value.fail("is too large to be a list of characters");
    characters.push_back(line);
  }
  if (characters.empty()) value.fail("is empty, expected a character a line");
  return characters;
}

class TextLines final : public Postprocessor {
 public:
  TextLines(const ConfigFile& config, const NetworkShape& network) : network_(network) {
    require_float_outputs(config, network);
    const auto is_side = [](std::int64_t side) { return side >= 1 && side <= kMost; };
    if (network.outputs.size() != 1 || network.outputs[0].shape.size() != 2 ||
        !std::ranges::all_of(network.outputs[0].shape, is_side))
      reject_outputs(config, network, kExpected);
    classes_ = static_cast<std::size_t>(network.outputs[0].shape[1]);
    read_dictionary(config.get("property", "dictionary-path"));
    if (const auto value = config.find("property", "classifier-type")) attribute_ = value->text();
    if (const auto value = config.find("property", "classifier-threshold"))
      threshold_ = value->as_float(0, 1);
  }

  NetworkRole role() const override { return NetworkRole::kClassifier; }

  // Nothing where no character was read.
  Results decode(std::span<const Tensor> outputs) const override {
    const FloatOutputs values(outputs, network_);
    std::string text;
    double sum = 0;
    int count = 0;
    std::size_t before = kBlank;
    for (std::size_t first = 0; first < values[0].size(); first += classes_) {
      const auto step = values[0].subspan(first, classes_);
      if (!std::ranges::all_of(step, [](float value) { return std::isfinite(value); })) return {};
      const auto best = std::ranges::max_element(step);
      const auto id = static_cast<std::size_t>(best - step.begin());
      if (id != kBlank && id != before) text += characters_[id - 1], sum += *best, ++count;
      before = id;
    }
    const auto confidence = count > 0 ? static_cast<float>(sum / count) : 0.0f;
    Results results;
    if (count > 0 && confidence >= threshold_)
      results.classifications.push_back({attribute_, text, -1, confidence});
    return results;
  }

 private:
  // PP-OCR's networks know a space after the characters of their file.
  void read_dictionary(const ConfigValue& value) {
    characters_ = read_characters(value);
    if (characters_.size() + 2 == classes_) characters_.emplace_back(" ");
    if (characters_.size() + 1 != classes_)
      value.fail("holds " + std::to_string(characters_.size()) + " characters, expected " +
                 std::to_string(classes_ - 1) + ", or one less: without the space");
  }

  NetworkShape network_;
  std::size_t classes_ = 0;
  std::vector<std::string> characters_;
  std::string attribute_ = "text";
  float threshold_ = 0;
};

const FamilyRegistration registration({{"ctc", "ppocr-rec"},
                                       NetworkRole::kClassifier,
                                       std::string("the text of the region: ") + kExpected,
                                       make_family<TextLines>,
                                       [](const ConfigFile& config, const NetworkShape& network) {
                                         return config.peek("property", "dictionary-path") &&
                                                network.outputs.size() == 1 &&
                                                network.outputs[0].shape.size() == 2;
                                       }});

}  // namespace

}  // namespace sightline
