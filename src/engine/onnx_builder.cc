// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/onnx_builder.h"

#include "engine/onnx_element_type.h"
#include "engine/onnx_fields.h"

namespace sightline::onnx {

namespace {

using protobuf::Writer;

constexpr std::uint64_t kIr = 8;
constexpr std::uint64_t kOpset = 13;

std::string dimension_message(std::int64_t dimension) {
  Writer writer;
  if (dimension < 0)
    writer.bytes(dim::kParam, "batch");
  else
    writer.varint(dim::kValue, static_cast<std::uint64_t>(dimension));
  return writer.take();
}

std::string value_message(std::string_view name, ElementType type, const Shape& shape) {
  Writer dims, tensor, type_message, value;
  for (const std::int64_t dimension : shape) dims.bytes(shape::kDim, dimension_message(dimension));
  tensor.varint(tensor_type::kElementType, onnx_type(type));
  tensor.bytes(tensor_type::kShape, dims.message());
  type_message.bytes(type::kTensor, tensor.message());
  value.bytes(value_info::kName, name);
  value.bytes(value_info::kType, type_message.message());
  return value.take();
}

struct AttributeValue {
  Writer& writer;

  void operator()(std::int64_t value) const {
    writer.varint(attribute::kInt, static_cast<std::uint64_t>(value));
    writer.varint(attribute::kType, attribute::kTypeInt);
  }
  void operator()(float value) const {
    writer.float32(attribute::kFloat, value);
    writer.varint(attribute::kType, attribute::kTypeFloat);
  }
  void operator()(const std::string& value) const {
    writer.bytes(attribute::kString, value);
    writer.varint(attribute::kType, attribute::kTypeString);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    for (const std::int64_t value : values)
      writer.varint(attribute::kInts, static_cast<std::uint64_t>(value));
    writer.varint(attribute::kType, attribute::kTypeInts);
  }
};

}  // namespace

Builder::Builder(std::string_view graph_name) { graph_.bytes(graph::kName, graph_name); }

void Builder::input(std::string_view name, ElementType type, const Shape& shape) {
  graph_.bytes(graph::kInput, value_message(name, type, shape));
}

void Builder::output(std::string_view name, ElementType type, const Shape& shape) {
  graph_.bytes(graph::kOutput, value_message(name, type, shape));
}

void Builder::constant(std::string_view name, const Shape& shape, std::span<const float> values) {
  constant(name, shape, ElementType::kFloat32, values.data(), values.size_bytes());
}

void Builder::constant(std::string_view name, const Shape& shape,
                       std::span<const std::int64_t> values) {
  constant(name, shape, ElementType::kInt64, values.data(), values.size_bytes());
}

void Builder::constant(std::string_view name, const Shape& shape, ElementType type,
                       const void* data, std::size_t bytes) {
  Writer writer;
  for (const std::int64_t dimension : shape)
    writer.varint(tensor::kDims, static_cast<std::uint64_t>(dimension));
  writer.varint(tensor::kDataType, onnx_type(type));
  writer.bytes(tensor::kName, name);
  writer.bytes(tensor::kRawData, {static_cast<const char*>(data), bytes});
  graph_.bytes(graph::kInitializer, writer.message());
}

void Builder::node(std::string_view op_type, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs,
                   const std::vector<Attribute>& attributes) {
  Writer writer;
  for (const std::string& name : inputs) writer.bytes(node::kInput, name);
  for (const std::string& name : outputs) writer.bytes(node::kOutput, name);
  writer.bytes(node::kOpType, op_type);
  for (const Attribute& attribute : attributes) {
    Writer message;
    message.bytes(attribute::kName, attribute.name);
    std::visit(AttributeValue{message}, attribute.value);
    writer.bytes(node::kAttribute, message.message());
  }
  graph_.bytes(graph::kNode, writer.message());
}

std::string Builder::file() const {
  Writer opset_message, writer;
  opset_message.varint(opset::kVersion, kOpset);
  writer.varint(model::kIrVersion, kIr);
  writer.bytes(model::kProducerName, "sightline");
  writer.bytes(model::kOpsetImport, opset_message.message());
  writer.bytes(model::kGraph, graph_.message());
  return writer.take();
}

}  // namespace sightline::onnx
