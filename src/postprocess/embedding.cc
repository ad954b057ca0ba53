// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A vector that identifies what the region shows.

#include <cmath>

#include "postprocess/family.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

constexpr const char* kExpected = "one output, a vector [n] of at least 2 numbers";

bool is_vector(const Shape& shape) {
  const Shape essential = without_ones(shape);
  return essential.size() == 1 && (essential[0] < 0 || essential[0] >= 2);
}

double length_of(std::span<const float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

class Embedding final : public Postprocessor {
 public:
  Embedding(const ConfigFile& config, const NetworkShape& network) : network_(network) {
    require_float_outputs(config, network);
    if (network.outputs.size() != 1 || !is_vector(network.outputs[0].shape))
      reject_outputs(config, network, kExpected);
    if (const auto value = config.find("property", "embedding-normalize"))
      normalize_ = value->as_bool();
    if (const auto value = config.find("property", "tensor-name")) {
      if (value->text().empty()) value->fail("expected a name");
      name_ = value->text();
    }
  }

  NetworkRole role() const override { return NetworkRole::kEmbedding; }

  // A vector without a direction (zero, or with a number that is not finite) identifies nobody: no
  // tensor.
  Results decode(std::span<const Tensor> outputs) const override {
    const FloatOutputs values(outputs, network_);
    if (!is_vector(values.shape(0)))
      throw Error(ErrorCode::kModel, "output \"" + network_.outputs[0].name + "\" is " +
                                         to_string(values.shape(0)) + ", expected " + kExpected);
    const double length = length_of(values[0]);
    if (!(std::isfinite(length) && length > 0)) return {};

    std::vector<float> vector(values[0].begin(), values[0].end());
    if (normalize_)
      for (float& value : vector) value = static_cast<float>(value / length);
    Results results;
    results.tensors.push_back(
        Tensor::copy_of(name_, {static_cast<std::int64_t>(vector.size())}, vector));
    return results;
  }

 private:
  NetworkShape network_;
  bool normalize_ = true;
  std::string name_ = "embedding";
};

const FamilyRegistration registration(
    {{"embedding"},
     NetworkRole::kEmbedding,
     std::string("a vector that identifies, of unit length unless embedding-normalize = 0: ") +
         kExpected,
     make_family<Embedding>});

}  // namespace

}  // namespace sightline
