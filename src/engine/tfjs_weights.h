// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Weights as TensorFlow.js stores them: a manifest (JSON) that names tensors and says how they are
// quantised, and a file with their bytes one after the other.

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace sightline {

class TfjsWeights {
 public:
  struct Weight {
    Shape shape;
    std::vector<float> values;
  };

  // Reads float32 weights, plain or quantised to uint8 with a scale and a minimum. Throws
  // Error(kNotFound): no such file; Error(kModel): no manifest, another quantisation, or a file of
  // weights that is not as long as the manifest says.
  static TfjsWeights read(const std::filesystem::path& manifest,
                          const std::filesystem::path& weights);

  // Throws Error(kModel), naming what was found and what was expected.
  const std::vector<float>& get(const std::string& name, const Shape& shape) const;

  std::size_t size() const { return weights_.size(); }
  const std::string& name() const { return name_; }  // the manifest's, for messages

 private:
  std::string name_;
  std::map<std::string, Weight> weights_;
};

}  // namespace sightline
