// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Networks and configurations written out in a test.

#pragma once

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/config_file.h"
#include "core/tensor.h"
#include "postprocess/postprocess.h"

namespace sightline::test {

inline ConfigFile config_of(const std::string& text, const std::filesystem::path& directory = {}) {
  return ConfigFile::parse(text, "test.ini", directory);
}

// The postprocessor for this text; every key of it must be one that it reads.
inline std::unique_ptr<Postprocessor> make(const std::string& text, const NetworkShape& network,
                                           const std::filesystem::path& directory = {}) {
  const ConfigFile config = config_of(text, directory);
  auto postprocessor = make_postprocessor(config, network);
  config.reject_unknown();
  return postprocessor;
}

// The message of the Error with which make() ends.
inline std::string complaint(const std::string& text, const NetworkShape& network,
                             const std::filesystem::path& directory = {}) {
  try {
    make(text, network, directory);
  } catch (const Error& error) {
    return error.what();
  }
  return "no complaint";
}

inline std::string decode_complaint(const Postprocessor& postprocessor,
                                    const std::vector<Tensor>& outputs) {
  try {
    postprocessor.decode(outputs);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return "no complaint";
}

inline Tensor as_half(const Tensor& tensor) {
  auto halves = std::make_shared<std::vector<std::uint16_t>>();
  for (const float value : tensor.floats()) halves->push_back(float_to_half(value));
  Tensor half = tensor;
  half.type = ElementType::kFloat16;
  half.data = reinterpret_cast<const std::byte*>(halves->data());
  half.owner = halves;
  return half;
}

// The network whose outputs these are.
inline NetworkShape network_of(Size input, const std::vector<Tensor>& outputs) {
  NetworkShape network{input, {}};
  for (const Tensor& tensor : outputs)
    network.outputs.push_back({tensor.name, tensor.type, tensor.shape});
  return network;
}

inline std::vector<float> random_numbers(std::mt19937& random, std::size_t count, float low,
                                         float high) {
  std::uniform_real_distribution<float> distribution(low, high);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = distribution(random);
  return numbers;
}

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kHuge = std::numeric_limits<float>::max();

}  // namespace sightline::test
