// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Labels of the region. Each output is a head that says one attribute (or several, split by
// head-sizes); a head of one number is a regression, such as an age.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "postprocess/family.h"
#include "postprocess/labels.h"
#include "postprocess/nvinfer_rules.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "one output a head, a vector [n] of one number a class (or [1] for a regression)";

struct Head {
  std::size_t output;  // where its numbers are
  std::size_t first, count;
  std::string attribute;
  std::vector<std::string> labels{};  // one a class; none of a regression
  bool is_regression = false;
};

// value · scale + offset is what is meant, in years or degrees.
struct Regression {
  float scale = 1;
  float offset = 0;
};

std::size_t count_of(const ConfigFile& config, const NetworkShape& network,
                     const NetworkShape::Output& output) {
  constexpr std::int64_t kMostClasses = 1 << 20;
  const Shape essential = without_ones(output.shape);
  if (essential.empty()) return 1;
  if (essential.size() != 1 || essential[0] < 1 || essential[0] > kMostClasses)
    reject_outputs(config, network, kExpected);
  return static_cast<std::size_t>(essential[0]);
}

// The only output, cut into the heads that head-sizes states.
std::vector<Head> split_heads(const ConfigFile& config, const NetworkShape& network,
                              const ConfigValue& sizes) {
  if (network.outputs.size() != 1)
    sizes.fail("splits one output, the network has " + std::to_string(network.outputs.size()));
  const std::size_t total = count_of(config, network, network.outputs[0]);
  std::vector<Head> heads;
  std::size_t first = 0;
  for (const int size : sizes.as_ints()) {
    if (size < 1) sizes.fail("expected sizes of at least 1");
    const auto count = static_cast<std::size_t>(size);
    const std::string name = network.outputs[0].name + "/" + std::to_string(heads.size());
    heads.push_back({0, first, count, name});
    first += count;
  }
  if (first != total)
    sizes.fail("adds up to " + std::to_string(first) + ", the output \"" + network.outputs[0].name +
               "\" has " + std::to_string(total) + " numbers");
  return heads;
}

std::vector<Head> find_heads(const ConfigFile& config, const NetworkShape& network) {
  if (network.outputs.empty()) reject_outputs(config, network, kExpected);
  if (const auto sizes = config.find("property", "head-sizes"))
    return split_heads(config, network, *sizes);
  std::vector<Head> heads;
  for (std::size_t i = 0; i < network.outputs.size(); ++i) {
    const std::size_t count = count_of(config, network, network.outputs[i]);
    heads.push_back({i, 0, count, network.outputs[i].name});
  }
  return heads;
}

// One number is a regression's; for nvinfer it is the probability of the only class.
void tell_regressions(const ConfigFile& config, std::vector<Head>& heads) {
  for (Head& head : heads) head.is_regression = head.count == 1 && !is_read_as_nvinfers(config);
}

void name_heads(const ConfigFile& config, std::vector<Head>& heads) {
  const auto value = config.find("property", "classifier-type");
  if (!value) return;
  std::vector<std::string> names = value->as_strings();
  if (names.size() == 1 && is_read_as_nvinfers(config)) names.resize(heads.size(), names.front());
  if (names.size() != heads.size())
    value->fail("holds " + std::to_string(names.size()) + " names, expected " +
                std::to_string(heads.size()) + " separated by ';', one a head");
  for (std::size_t i = 0; i < heads.size(); ++i) heads[i].attribute = names[i];
}

// A line of labels belongs to each head that is no regression, in order.
void label_heads(const ConfigFile& config, std::vector<Head>& heads) {
  std::vector<Head*> labelled;
  for (Head& head : heads)
    if (!head.is_regression) labelled.push_back(&head);
  const auto given = read_labels(config);
  if (!given) {
    for (Head* head : labelled)
      for (std::size_t i = 0; i < head->count; ++i)
        head->labels.push_back("class " + std::to_string(i));
    return;
  }
  if (given->lines.size() != labelled.size())
    complain_or_remark(config, given->origin,
                       "holds " + std::to_string(given->lines.size()) +
                           " lines of labels, expected " + std::to_string(labelled.size()) +
                           ": one line an attribute, its labels separated by ';'");
  for (std::size_t i = 0; i < labelled.size(); ++i) {
    Head& head = *labelled[i];
    if (i < given->lines.size()) head.labels = given->lines[i];
    if (i < given->lines.size() && head.labels.size() != head.count)
      complain_or_remark(config, given->origin,
                         "holds " + std::to_string(head.labels.size()) + " labels of \"" +
                             head.attribute + "\", expected " + std::to_string(head.count) +
                             " separated by ';'");
    head.labels.resize(head.count);  // what has no label is attached nowhere, as in nvinfer
  }
}

// Not printf(): the decimal point is the same in every locale.
std::string as_text(float value) {
  std::array<char, 64> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1);
  return error == std::errc{} ? std::string(text.data(), end) : std::string();
}

class Classifier final : public Postprocessor {
 public:
  Classifier(const ConfigFile& config, const NetworkShape& network)
      : network_(network), heads_(find_heads(config, network)) {
    require_float_outputs(config, network);
    tell_regressions(config, heads_);
    name_heads(config, heads_);
    label_heads(config, heads_);
    const auto has = [&](auto predicate) {
      return std::any_of(heads_.begin(), heads_.end(), predicate);
    };
    if (has([](const Head& head) { return !head.is_regression; })) read_classification(config);
    if (has([](const Head& head) { return head.is_regression; })) read_regression(config);
  }

  NetworkRole role() const override { return NetworkRole::kClassifier; }

  Results decode(std::span<const Tensor> outputs) const override {
    const FloatOutputs values(outputs, network_);
    Results results;
    for (const Head& head : heads_) {
      const auto numbers = values[head.output].subspan(head.first, head.count);
      auto said = head.is_regression ? regress(head, numbers[0]) : classify(head, numbers);
      if (said) results.classifications.push_back(*std::move(said));
    }
    return results;
  }

 private:
  void read_classification(const ConfigFile& config) {
    if (const auto value = config.find("property", "apply-softmax")) softmax_ = value->as_bool();
    if (const auto value = config.find("property", "classifier-threshold"))
      threshold_ = value->as_float(0, 1);
  }

  void read_regression(const ConfigFile& config) {
    constexpr float kLargest = 1e6f;
    if (const auto value = config.find("property", "regression-scale"))
      regression_.scale = value->as_float(-kLargest, kLargest);
    if (const auto value = config.find("property", "regression-offset"))
      regression_.offset = value->as_float(-kLargest, kLargest);
  }

  // The strongest class, if it reaches the threshold. A head with a number that is not finite says
  // nothing.
  std::optional<Classification> classify(const Head& head, std::span<const float> numbers) const {
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!std::all_of(numbers.begin(), numbers.end(), finite)) return std::nullopt;
    const auto best = std::max_element(numbers.begin(), numbers.end());
    float confidence = *best;
    if (softmax_) {
      double sum = 0;  // relative to the largest, so that nothing overflows
      for (const float value : numbers) sum += std::exp(static_cast<double>(value) - *best);
      confidence = static_cast<float>(1 / sum);
    }
    if (confidence < threshold_) return std::nullopt;
    const auto id = static_cast<std::size_t>(best - numbers.begin());
    return Classification{head.attribute, head.labels[id], static_cast<int>(id), confidence};
  }

  // The number is the label. A regression has no class, and nothing is known of its confidence.
  std::optional<Classification> regress(const Head& head, float number) const {
    const float value = number * regression_.scale + regression_.offset;
    if (!std::isfinite(value)) return std::nullopt;
    return Classification{head.attribute, as_text(value), -1, 1};
  }

  NetworkShape network_;
  std::vector<Head> heads_;
  bool softmax_ = false;
  float threshold_ = 0;
  Regression regression_;
};

const FamilyRegistration registration({{"classifier"},
                                       NetworkRole::kClassifier,
                                       std::string("labels of the region: ") + kExpected,
                                       make_family<Classifier>});

}  // namespace

}  // namespace sightline
