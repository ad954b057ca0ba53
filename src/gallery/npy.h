// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Arrays of NumPy's .npy format, by its published description (versions 1 to 3).

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// An array in C order. Integers and floats of 4 and 8 bytes and texts are understood, no objects:
// these are pickled, and unpickling runs whatever code the file asks for.
class NpyArray {
 public:
  // Throws Error(kInput): no .npy file, cut off, another type; "what was found, what is expected".
  static NpyArray read(std::string_view bytes);

  static std::string write(std::span<const float> values, std::size_t rows, std::size_t columns);
  static std::string write(std::span<const std::int64_t> values);
  static std::string write(std::span<const std::string> texts);  // UTF-8

  const std::vector<std::size_t>& shape() const { return shape_; }
  std::size_t size() const;  // elements

  // Throw Error(kInput) if the elements are no numbers, or no texts.
  std::vector<float> floats() const;
  std::vector<std::int64_t> integers() const;
  std::vector<std::string> texts() const;  // as UTF-8

 private:
  std::vector<std::size_t> shape_;
  char kind_ = 0;          // 'f', 'i', 'u' or 'U'
  std::size_t width_ = 0;  // bytes of an element
  std::string data_;
};

}  // namespace sightline
