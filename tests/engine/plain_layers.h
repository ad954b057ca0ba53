// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the converters' tests compare with: made-up weights in TensorFlow.js's files, and layers
// done plainly, in double precision, on rows of columns of channels.

#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/tensor.h"

namespace sightline::test {

// Weights as TensorFlow.js stores them: the larger part quantised, some plain.
class MadeUpWeights {
 public:
  void add(const std::string& name, const Shape& shape, double minimum, double maximum) {
    nlohmann::json entry = {{"name", name}, {"shape", shape}, {"dtype", "float32"}};
    std::vector<double>& values = values_[name];
    const bool plain = random_() % 3 == 0;
    if (!plain)
      entry["quantization"] = {
          {"dtype", "uint8"}, {"scale", (maximum - minimum) / 255}, {"min", minimum}};
    for (std::size_t i = element_count(shape); i > 0; --i) {
      const auto level = static_cast<unsigned char>(random_());
      values.push_back(level * ((maximum - minimum) / 255) + minimum);
      if (plain) {
        const auto value = static_cast<float>(values.back());
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
      } else {
        bytes_ += static_cast<char>(level);
      }
    }
    manifest_.push_back(entry);
  }
  void add_integers(const std::string& name, const Shape& shape,
                    const std::vector<std::int32_t>& numbers) {
    manifest_.push_back({{"name", name}, {"shape", shape}, {"dtype", "int32"}});
    values_[name].assign(numbers.begin(), numbers.end());
    bytes_.append(reinterpret_cast<const char*>(numbers.data()),
                  numbers.size() * sizeof numbers[0]);
  }
  // Filters whose outputs are about as large as their inputs.
  void add_filters(const std::string& name, const Shape& shape, std::int64_t fan_in) {
    const double bound = std::sqrt(3.0 / static_cast<double>(fan_in));
    add(name, shape, -bound, bound);
  }

  const std::vector<double>& operator[](const std::string& name) const { return values_.at(name); }
  nlohmann::json manifest() const {
    return nlohmann::json::array({{{"weights", manifest_}, {"paths", {"w.bin"}}}});
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::mt19937 random_{21};
  std::map<std::string, std::vector<double>> values_;
  nlohmann::json manifest_ = nlohmann::json::array();
  std::string bytes_;
};

// A picture or feature map, rows of columns of channels, as TensorFlow has them.
struct Map {
  int size = 0, channels = 0;
  std::vector<double> values;

  Map(int new_size, int new_channels)
      : size(new_size),
        channels(new_channels),
        values(static_cast<std::size_t>(size * size * channels)) {}
  double& at(int y, int x, int c) {
    return values[static_cast<std::size_t>((y * size + x) * channels + c)];
  }
  double at(int y, int x, int c) const {
    return values[static_cast<std::size_t>((y * size + x) * channels + c)];
  }
};

// Filters [height, width, in, out]; `before` rows and columns of zeros before the picture.
inline Map convolved(const Map& in, const std::vector<double>& filters, int kernel,
                     int out_channels, int stride, int out_size, int before) {
  Map out(out_size, out_channels);
  for (int y = 0; y < out_size; ++y)
    for (int x = 0; x < out_size; ++x)
      for (int ky = 0; ky < kernel; ++ky)
        for (int kx = 0; kx < kernel; ++kx) {
          const int from_y = y * stride + ky - before, from_x = x * stride + kx - before;
          if (from_y < 0 || from_x < 0 || from_y >= in.size || from_x >= in.size) continue;
          for (int i = 0; i < in.channels; ++i) {
            const double value = in.at(from_y, from_x, i);
            const std::size_t row =
                static_cast<std::size_t>(((ky * kernel + kx) * in.channels + i) * out_channels);
            for (int o = 0; o < out_channels; ++o)
              out.at(y, x, o) += value * filters[row + static_cast<std::size_t>(o)];
          }
        }
  return out;
}

// Filters [3, 3, channels, 1].
inline Map depthwise(const Map& in, const std::vector<double>& filters, int stride, int before) {
  Map out((in.size + stride - 1) / stride, in.channels);
  for (int y = 0; y < out.size; ++y)
    for (int x = 0; x < out.size; ++x)
      for (int k = 0; k < 9; ++k) {
        const int from_y = y * stride + k / 3 - before, from_x = x * stride + k % 3 - before;
        if (from_y < 0 || from_x < 0 || from_y >= in.size || from_x >= in.size) continue;
        for (int c = 0; c < in.channels; ++c)
          out.at(y, x, c) +=
              in.at(from_y, from_x, c) * filters[static_cast<std::size_t>(k * in.channels + c)];
      }
  return out;
}

template <typename F>
void each(Map& map, F&& change) {
  for (std::size_t i = 0; i < map.values.size(); ++i)
    change(map.values[i], i % static_cast<std::size_t>(map.channels));
}

}  // namespace sightline::test
