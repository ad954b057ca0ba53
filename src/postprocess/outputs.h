// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The outputs of a network: checked against what a family expects, and read as floats.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config_file.h"
#include "core/tensor.h"
#include "postprocess/postprocess.h"

namespace sightline {

// Throws Error(kModel): `expected`, and the outputs that the network has.
[[noreturn]] void reject_outputs(const ConfigFile& config, const NetworkShape& network,
                                 const std::string& expected);

// Throws Error(kModel) if an output is neither float32 nor float16.
void require_float_outputs(const ConfigFile& config, const NetworkShape& network);

// Whether the name of an output has this word in it.
bool has_output_named(const NetworkShape& network, std::string_view word);

// "\"boxes\" float32 [8400,4], …"
std::string describe_outputs(const NetworkShape& network);

// Throws Error(kModel) if `outputs` are not of the number, types and shapes that `network` states
// (−1: any), or hold no data.
void check_outputs(std::span<const Tensor> outputs, const NetworkShape& network);

// `shape` without its dimensions of 1: the meaning of [1,136] and of [136,1,1] is [136].
Shape without_ones(const Shape& shape);

// The numbers of a float16 tensor. Throws Error(kModel) if they cannot be read on the host.
std::vector<float> from_half(const Tensor& tensor);

// One item's outputs as float32. float32 tensors are read where they lie, float16 is converted.
// Throws as check_outputs() does, and if a tensor is not in host memory. Must not outlive the
// tensors.
class FloatOutputs {
 public:
  FloatOutputs(std::span<const Tensor> outputs, const NetworkShape& network);

  std::span<const float> operator[](std::size_t index) const { return views_[index]; }
  const Shape& shape(std::size_t index) const { return tensors_[index].shape; }

 private:
  std::span<const Tensor> tensors_;
  std::vector<std::span<const float>> views_;
  std::vector<std::vector<float>> converted_;
};

}  // namespace sightline
