// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Configurations that name the libraries of parsers/.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "fixtures.h"

namespace sightline::test {

inline std::string parser_config(const std::string& library, const std::string& keys,
                                 const std::string& groups = "") {
  return "[property]\ncustom-lib-path=" + std::string(PARSERS) + "/lib" + library + ".so\n" + keys +
         "\n" + groups;
}

template <typename T>
Tensor tensor_of(const std::string& name, ElementType type, Shape shape,
                 std::initializer_list<T> values) {
  auto owned = std::make_shared<std::vector<T>>(values);
  Tensor tensor{name, type, std::move(shape)};
  tensor.data = reinterpret_cast<const std::byte*>(owned->data());
  tensor.owner = owned;
  return tensor;
}

inline Tensor floats_of(const std::string& name, Shape shape, std::initializer_list<float> values) {
  return tensor_of<float>(name, ElementType::kFloat32, std::move(shape), values);
}

// What the parser makes of these outputs.
inline Results parsed(const std::string& config, Size input, const std::vector<Tensor>& outputs) {
  return make(config, network_of(input, outputs))->decode(outputs);
}

// Why it makes nothing of them.
inline std::string parse_complaint(const std::string& config, Size input,
                                   const std::vector<Tensor>& outputs) {
  return decode_complaint(*make(config, network_of(input, outputs)), outputs);
}

}  // namespace sightline::test
