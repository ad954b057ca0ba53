// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Weights as TensorFlow.js stores them: a manifest (JSON) that names tensors and says how they are
// quantised, and files with their bytes one after the other. The manifest is a file of its own, or
// a part of a graph model's `model.json`.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
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

  // Reads float32 weights, plain or quantised to uint8 with a scale and a minimum, and int32 ones,
  // which become float. `files` are the parts that the manifest names, in its order. Throws
  // Error(kNotFound): no such file; Error(kModel): no manifest, another quantisation, or files that
  // are not as long as the manifest says.
  static TfjsWeights read(const std::filesystem::path& manifest,
                          std::span<const std::filesystem::path> files);

  // Throw Error(kModel), naming what was found and what was expected.
  const Weight& get(const std::string& name) const;
  const std::vector<float>& get(const std::string& name, const Shape& shape) const;

  std::size_t size() const { return weights_.size(); }
  const std::string& name() const { return name_; }  // the manifest's, for messages

 private:
  std::string name_;
  std::map<std::string, Weight> weights_;
};

// Filters are stored [height, width, in, out], ONNX has [out, in, height, width]. `area` is height
// times width.
std::vector<float> to_oihw(const std::vector<float>& hwio, std::int64_t area, std::int64_t in,
                           std::int64_t out);

}  // namespace sightline
