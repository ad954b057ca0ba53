// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/half_precision.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"
#include "engine/onnx_element_type.h"
#include "engine/onnx_fields.h"
#include "engine/protobuf_wire.h"

namespace sightline::onnx {

namespace {

using protobuf::Field;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;
using Names = std::set<std::string, std::less<>>;

constexpr float kLargestHalf = 65504, kSmallestHalf = 5.9604645e-8f;
constexpr char kHalfOf[] = "sightline_half:";

const std::uint64_t kFloat = onnx_type(ElementType::kFloat32);
const std::uint64_t kHalf = onnx_type(ElementType::kFloat16);

std::uint16_t half_of(float value) {
  const float magnitude = std::abs(value);
  if (std::isfinite(value) && magnitude > kLargestHalf)
    return float_to_half(std::copysign(kLargestHalf, value));
  if (value != 0 && magnitude < kSmallestHalf)
    return float_to_half(std::copysign(kSmallestHalf, value));
  return float_to_half(value);
}

std::string halves_of(std::string_view floats) {
  std::string halves(floats.size() / 2, '\0');
  for (std::size_t i = 0; i < floats.size() / sizeof(float); ++i) {
    float value;
    std::memcpy(&value, floats.data() + i * sizeof value, sizeof value);
    const std::uint16_t half = half_of(value);
    std::memcpy(halves.data() + i * sizeof half, &half, sizeof half);
  }
  return halves;
}

std::string_view bytes_of(std::string_view message, std::uint32_t number) {
  std::string_view found;
  Reader reader(message);
  while (const auto field = reader.next())
    if (field->is(number, WireType::kBytes)) found = field->bytes;
  return found;
}

std::uint64_t number_of(std::string_view message, std::uint32_t number) {
  std::uint64_t found = 0;
  Reader reader(message);
  while (const auto field = reader.next())
    if (field->is(number, WireType::kVarint)) found = field->value;
  return found;
}

// A TensorProto; as it was if it is not of float32.
std::string half_tensor(std::string_view message) {
  if (number_of(message, tensor::kDataType) != kFloat) return std::string(message);
  Writer writer;
  std::string floats;
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == tensor::kExternalData)
      throw Error(ErrorCode::kModel,
                  "keeps weights in files of their own, which are not made float16");
    if (field->is(tensor::kRawData, WireType::kBytes) ||
        field->is(tensor::kFloatData, WireType::kBytes))
      floats += field->bytes;
    else if (field->is(tensor::kFloatData, WireType::kFixed32))
      floats.append(reinterpret_cast<const char*>(&field->value), sizeof(float));
    else if (field->number != tensor::kDataType)
      writer.raw(field->raw);
  }
  writer.varint(tensor::kDataType, kHalf);
  writer.bytes(tensor::kRawData, halves_of(floats));
  return writer.take();
}

struct NodeFacts {
  std::string_view op_type;
  std::vector<std::string_view> inputs, outputs;
};

NodeFacts read_node(std::string_view message) {
  NodeFacts facts;
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(node::kInput, WireType::kBytes)) facts.inputs.push_back(field->bytes);
    if (field->is(node::kOutput, WireType::kBytes)) facts.outputs.push_back(field->bytes);
    if (field->is(node::kOpType, WireType::kBytes)) facts.op_type = field->bytes;
  }
  return facts;
}

// Resize's region and scales, Upsample's scales.
bool wants_float32(std::string_view op_type, std::size_t input) {
  return (op_type == "Resize" && (input == 1 || input == 2)) ||
         (op_type == "Upsample" && input == 1);
}

class HalfGraph {
 public:
  explicit HalfGraph(std::string_view graph_bytes) {
    Reader reader(graph_bytes);
    while (const auto field = reader.next()) {
      if (field->type != WireType::kBytes) continue;
      if (field->number == graph::kOutput && is_float(field->bytes))
        outputs_.emplace(bytes_of(field->bytes, value_info::kName));
      if (field->number != graph::kNode) continue;
      const NodeFacts facts = read_node(field->bytes);
      for (std::size_t i = 0; i < facts.inputs.size(); ++i)
        if (wants_float32(facts.op_type, i)) kept_.emplace(facts.inputs[i]);
    }
  }

  std::string apply(std::string_view graph_bytes) const {
    Writer writer;
    writer.reserve(graph_bytes.size());
    Writer casts;
    Reader reader(graph_bytes);
    while (const auto field = reader.next()) {
      if (field->is(graph::kNode, WireType::kBytes)) {
        writer.bytes(graph::kNode, edited_node(field->bytes));
      } else if (field->is(graph::kInitializer, WireType::kBytes)) {
        const bool kept = kept_.contains(bytes_of(field->bytes, tensor::kName));
        writer.bytes(graph::kInitializer,
                     kept ? std::string(field->bytes) : half_tensor(field->bytes));
      } else if (field->is(graph::kInput, WireType::kBytes)) {
        const bool kept =
            !is_float(field->bytes) || kept_.contains(bytes_of(field->bytes, value_info::kName));
        writer.bytes(graph::kInput,
                     kept ? std::string(field->bytes) : with_type(field->bytes, kHalf));
      } else if (!field->is(graph::kValueInfo, WireType::kBytes)) {  // stale
        writer.raw(field->raw);
      }
    }
    for (const std::string& output : outputs_)
      writer.bytes(graph::kNode, cast(kHalfOf + output, output));
    return writer.take();
  }

 private:
  static bool is_float(std::string_view value) {
    const std::string_view tensor_type =
        bytes_of(bytes_of(value, value_info::kType), type::kTensor);
    return number_of(tensor_type, tensor_type::kElementType) == kFloat;
  }

  // A message with the bytes of a field replaced by what `edit` makes of them.
  template <typename F>
  static std::string edited(std::string_view message, std::uint32_t number, F&& edit) {
    Writer writer;
    Reader reader(message);
    while (const auto field = reader.next())
      if (field->is(number, WireType::kBytes))
        writer.bytes(number, edit(field->bytes));
      else
        writer.raw(field->raw);
    return writer.take();
  }

  static std::string with_number(std::string_view message, std::uint32_t number,
                                 std::uint64_t value) {
    Writer writer;
    Reader reader(message);
    while (const auto field = reader.next())
      if (!field->is(number, WireType::kVarint)) writer.raw(field->raw);
    writer.varint(number, value);
    return writer.take();
  }

  static std::string with_type(std::string_view value, std::uint64_t element_type) {
    return edited(value, value_info::kType, [&](std::string_view type_bytes) {
      return edited(type_bytes, type::kTensor, [&](std::string_view tensor_bytes) {
        return with_number(tensor_bytes, tensor_type::kElementType, element_type);
      });
    });
  }

  // What the graph gives is cast back at its end.
  std::string renamed(std::string_view value) const {
    return outputs_.contains(value) ? kHalfOf + std::string(value) : std::string(value);
  }

  std::string edited_node(std::string_view message) const {
    const NodeFacts facts = read_node(message);
    const bool kept = std::any_of(facts.outputs.begin(), facts.outputs.end(),
                                  [&](std::string_view output) { return kept_.contains(output); });
    Writer writer;
    Reader reader(message);
    while (const auto field = reader.next()) {
      if (field->is(node::kInput, WireType::kBytes) || field->is(node::kOutput, WireType::kBytes))
        writer.bytes(field->number, renamed(field->bytes));
      else if (field->is(node::kAttribute, WireType::kBytes) && !kept)
        writer.bytes(node::kAttribute, edited_attribute(facts.op_type, field->bytes));
      else
        writer.raw(field->raw);
    }
    return writer.take();
  }

  static std::string edited_attribute(std::string_view op_type, std::string_view message) {
    const std::string_view name = bytes_of(message, attribute::kName);
    if (!bytes_of(message, attribute::kGraph).empty())
      throw Error(ErrorCode::kModel,
                  std::string(op_type) + " holds a graph of its own, which is not made float16");
    if (op_type == "Cast" && name == "to" && number_of(message, attribute::kInt) == kFloat)
      return with_number(message, attribute::kInt, kHalf);
    if (op_type == "Constant" && name.starts_with("value_float"))
      throw Error(ErrorCode::kModel,
                  "has a Constant of " + std::string(name) + ", which is not made float16");
    return edited(message, attribute::kTensor,
                  [](std::string_view bytes) { return half_tensor(bytes); });
  }

  static std::string cast(const std::string& from, const std::string& to) {
    Writer kind;
    kind.bytes(attribute::kName, "to");
    kind.varint(attribute::kInt, kFloat);
    kind.varint(attribute::kType, attribute::kTypeInt);
    Writer writer;
    writer.bytes(node::kInput, from);
    writer.bytes(node::kOutput, to);
    writer.bytes(node::kName, "sightline_float:" + to);
    writer.bytes(node::kOpType, "Cast");
    writer.bytes(node::kAttribute, kind.message());
    return writer.take();
  }

  Names outputs_;  // of the graph, of float32
  Names kept_;     // constants that stay float32
};

}  // namespace

std::string with_half_precision(std::string_view model_bytes) {
  Writer writer;
  writer.reserve(model_bytes.size());
  Reader reader(model_bytes);
  while (const auto field = reader.next()) {
    if (field->is(model::kGraph, WireType::kBytes))
      writer.bytes(model::kGraph, HalfGraph(field->bytes).apply(field->bytes));
    else
      writer.raw(field->raw);
  }
  return writer.take();
}

}  // namespace sightline::onnx
