// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Writes ONNX files: for converters of other formats, and for tests. The same calls give the same
// bytes.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "engine/protobuf_wire.h"

namespace sightline::onnx {

struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

// One graph. Nodes are to be added in the order in which they run; nothing is checked here.
class Builder {
 public:
  explicit Builder(std::string_view graph_name);

  // A dimension of −1 is the symbol "batch".
  void input(std::string_view name, ElementType type, const Shape& shape);
  void output(std::string_view name, ElementType type, const Shape& shape);
  void constant(std::string_view name, const Shape& shape, std::span<const float> values);
  void constant(std::string_view name, const Shape& shape, std::span<const std::int64_t> values);
  void node(std::string_view op_type, const std::vector<std::string>& inputs,
            const std::vector<std::string>& outputs, const std::vector<Attribute>& attributes = {});

  // The file, of IR version 8 and opset 13, which every ONNX Runtime since 1.8 reads.
  std::string file() const;

 private:
  void constant(std::string_view name, const Shape& shape, ElementType type, const void* data,
                std::size_t bytes);

  protobuf::Writer graph_;
};

}  // namespace sightline::onnx
