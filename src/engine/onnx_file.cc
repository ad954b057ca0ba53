// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/onnx_file.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "core/error.h"
#include "engine/onnx_element_type.h"
#include "engine/onnx_fields.h"
#include "engine/protobuf_wire.h"

namespace sightline::onnx {

namespace {

using protobuf::Field;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;

constexpr std::string_view kBatchSymbol = "sightline_batch";

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorCode::kModel, what); }

// One dimension: a number, or open, perhaps under a symbol.
struct Dimension {
  std::int64_t value = -1;
  std::string symbol;

  friend bool operator==(const Dimension&, const Dimension&) = default;
};

struct Value {
  ValueInfo info;
  std::vector<Dimension> dimensions;
};

Dimension read_dimension(std::string_view message) {
  Dimension dimension;
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(dim::kValue, WireType::kVarint))
      dimension = {std::max<std::int64_t>(static_cast<std::int64_t>(field->value), -1), {}};
    if (field->is(dim::kParam, WireType::kBytes)) dimension = {-1, std::string(field->bytes)};
  }
  return dimension;
}

void read_tensor_type(std::string_view message, Value& value) {
  std::uint64_t number = 0;
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(tensor_type::kElementType, WireType::kVarint)) number = field->value;
    if (!field->is(tensor_type::kShape, WireType::kBytes)) continue;
    value.info.shape.emplace();
    value.dimensions.clear();
    Reader dims(field->bytes);
    while (const auto dim_field = dims.next()) {
      if (!dim_field->is(shape::kDim, WireType::kBytes)) continue;
      value.dimensions.push_back(read_dimension(dim_field->bytes));
      value.info.shape->push_back(value.dimensions.back().value);
    }
  }
  value.info.type = element_type(number);
  value.info.type_name = onnx_type_name(number);
}

void read_type(std::string_view message, Value& value) {
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->type != WireType::kBytes) continue;
    switch (field->number) {
      case type::kTensor:
        read_tensor_type(field->bytes, value);
        break;
      case type::kSequence:
        value.info.type_name = "sequence";
        break;
      case type::kMap:
        value.info.type_name = "map";
        break;
      case type::kSparseTensor:
        value.info.type_name = "sparse tensor";
        break;
      case type::kOptional:
        value.info.type_name = "optional";
        break;
      default:
        break;
    }
  }
}

Value read_value(std::string_view message) {
  Value value;
  value.info.type_name = "of no stated type";
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(value_info::kName, WireType::kBytes)) value.info.name = field->bytes;
    if (field->is(value_info::kType, WireType::kBytes)) read_type(field->bytes, value);
  }
  return value;
}

std::string_view tensor_name(std::string_view message) {
  std::string_view name;
  Reader reader(message);
  while (const auto field = reader.next())
    if (field->is(tensor::kName, WireType::kBytes)) name = field->bytes;
  return name;
}

struct Node {
  std::string_view op_type;
  std::vector<std::string_view> inputs, outputs;
  bool allow_zero = false;  // Reshape's attribute: a 0 means 0
};

Node read_node(std::string_view message) {
  Node node;
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->type != WireType::kBytes) continue;
    if (field->number == node::kInput) node.inputs.push_back(field->bytes);
    if (field->number == node::kOutput) node.outputs.push_back(field->bytes);
    if (field->number == node::kOpType) node.op_type = field->bytes;
    if (field->number != node::kAttribute) continue;
    std::string_view name;
    std::uint64_t number = 0;
    Reader attributes(field->bytes);
    while (const auto part = attributes.next()) {
      if (part->is(attribute::kName, WireType::kBytes)) name = part->bytes;
      if (part->is(attribute::kInt, WireType::kVarint)) number = part->value;
    }
    if (name == "allowzero" && number != 0) node.allow_zero = true;
  }
  return node;
}

// The graph's bytes. A file that is no ONNX model is told from one that is cut off by how it
// begins.
std::string_view find_graph(std::string_view file) {
  if (file.empty()) fail("is empty, expected an ONNX model");
  if (file.starts_with("version https://git-lfs"))
    fail("is a pointer of Git LFS, not the model itself: fetch it with `git lfs pull`");
  std::optional<std::string_view> graph;
  bool has_version = false;
  try {
    Reader reader(file);
    while (const auto field = reader.next()) {
      if (field->is(model::kIrVersion, WireType::kVarint)) has_version = true;
      if (!field->is(model::kGraph, WireType::kBytes)) continue;
      if (graph) fail("holds two graphs");
      graph = field->bytes;
    }
  } catch (const Error& error) {
    if (!has_version) fail(std::string("is no ONNX file (") + error.what() + ")");
    fail(std::string("is damaged or cut off: ") + error.what());
  }
  if (!has_version) fail("is no ONNX file (it states no IR version)");
  if (!graph) fail("is cut off: it holds no graph");
  return *graph;
}

// What an edit has to know before it rewrites the graph from its first field to its last.
struct GraphFacts {
  std::vector<Value> inputs, outputs;            // inputs without those that have an initializer
  std::set<std::string_view> shapes_of_reshape;  // constants that nothing else uses
};

GraphFacts read_graph(std::string_view graph_bytes) {
  GraphFacts facts;
  std::set<std::string_view> initializers, other_uses;
  std::vector<Value> inputs;
  Reader reader(graph_bytes);
  while (const auto field = reader.next()) {
    if (field->type != WireType::kBytes) continue;
    if (field->number == graph::kInitializer) initializers.insert(tensor_name(field->bytes));
    if (field->number == graph::kInput) inputs.push_back(read_value(field->bytes));
    if (field->number == graph::kOutput) facts.outputs.push_back(read_value(field->bytes));
    if (field->number != graph::kNode) continue;
    const Node node = read_node(field->bytes);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool is_shape = node.op_type == "Reshape" && i == 1 && !node.allow_zero;
      (is_shape ? facts.shapes_of_reshape : other_uses).insert(node.inputs[i]);
    }
  }
  std::erase_if(inputs, [&](const Value& value) { return initializers.contains(value.info.name); });
  facts.inputs = std::move(inputs);
  for (const Value& output : facts.outputs) other_uses.insert(output.info.name);
  std::erase_if(facts.shapes_of_reshape,
                [&](std::string_view name) { return other_uses.contains(name); });
  return facts;
}

// The reading above fails inside of a graph only where the file is damaged.
template <typename F>
auto reading(F&& read) {
  try {
    return read();
  } catch (const Error& error) {
    fail(std::string("is damaged: ") + error.what());
  }
}

// `message` with the fields `number` replaced by what `edit` returns for their bytes.
template <typename F>
std::string edited(std::string_view message, std::uint32_t number, F&& edit) {
  Writer writer;
  writer.reserve(message.size() + 64);
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(number, WireType::kBytes))
      writer.bytes(number, edit(field->bytes));
    else
      writer.raw(field->raw);
  }
  return writer.take();
}

std::string dimension_message(const Dimension& dimension) {
  Writer writer;
  if (dimension.value >= 0)
    writer.varint(dim::kValue, static_cast<std::uint64_t>(dimension.value));
  else if (!dimension.symbol.empty())
    writer.bytes(dim::kParam, dimension.symbol);
  return writer.take();
}

// A ValueInfoProto whose tensor has `dimensions`; name, element type and all else stay.
std::string with_dimensions(std::string_view value, const std::vector<Dimension>& dimensions) {
  Writer shape_message;
  for (const Dimension& dimension : dimensions)
    shape_message.bytes(shape::kDim, dimension_message(dimension));
  return edited(value, value_info::kType, [&](std::string_view type_bytes) {
    return edited(type_bytes, type::kTensor, [&](std::string_view tensor_bytes) {
      Writer writer;
      Reader reader(tensor_bytes);
      while (const auto field = reader.next())
        if (!field->is(tensor_type::kShape, WireType::kBytes)) writer.raw(field->raw);
      writer.bytes(tensor_type::kShape, shape_message.message());
      return writer.take();
    });
  });
}

struct Int64Tensor {
  std::vector<std::int64_t> dims, values;
  bool is_int64 = false;
};

Int64Tensor read_int64_tensor(std::string_view message) {
  Int64Tensor tensor;
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == tensor::kDims) append_int64(*field, tensor.dims);
    if (field->is(tensor::kDataType, WireType::kVarint))
      tensor.is_int64 = element_type(field->value) == ElementType::kInt64;
    if (field->number == tensor::kInt64Data) append_int64(*field, tensor.values);
    if (!field->is(tensor::kRawData, WireType::kBytes)) continue;
    tensor.values.resize(field->bytes.size() / sizeof(std::int64_t));
    std::memcpy(tensor.values.data(), field->bytes.data(),
                tensor.values.size() * sizeof(std::int64_t));
  }
  return tensor;
}

// A TensorProto of int64 whose first number, if it is `batch`, is 0; or the tensor as it was.
std::string with_first_as_in_input(std::string_view message, std::int64_t batch) {
  Int64Tensor tensor = read_int64_tensor(message);
  if (!tensor.is_int64 || tensor.dims.size() != 1 || tensor.values.empty() ||
      tensor.values.front() != batch ||
      tensor.dims.front() != static_cast<std::int64_t>(tensor.values.size()))
    return std::string(message);
  tensor.values.front() = 0;

  Writer writer;
  Reader reader(message);
  while (const auto field = reader.next())
    if (field->number != tensor::kInt64Data && field->number != tensor::kRawData)
      writer.raw(field->raw);
  writer.bytes(tensor::kRawData, {reinterpret_cast<const char*>(tensor.values.data()),
                                  tensor.values.size() * sizeof(std::int64_t)});
  return writer.take();
}

// The changes of with_input_shape(), field by field of the graph.
class ShapeEdit {
 public:
  ShapeEdit(GraphFacts facts, std::int64_t batch, const Shape& item) : facts_(std::move(facts)) {
    if (facts_.inputs.empty() || facts_.inputs.front().dimensions.empty())
      fail("has no input with a batch dimension");
    old_batch_ = facts_.inputs.front().dimensions.front();
    new_batch_ = {batch, batch < 0 ? std::string(kBatchSymbol) : std::string()};
    input_.push_back(new_batch_);
    for (const std::int64_t dimension : item) input_.push_back({dimension, {}});
  }

  std::string apply(std::string_view graph_bytes) const {
    Writer writer;
    writer.reserve(graph_bytes.size() + 256);
    Reader reader(graph_bytes);
    while (const auto field = reader.next()) {
      if (field->type != WireType::kBytes) {
        writer.raw(field->raw);
      } else if (field->number == graph::kInput) {
        writer.bytes(field->number, input(field->bytes));
      } else if (field->number == graph::kOutput) {
        writer.bytes(field->number, output(field->bytes));
      } else if (field->number == graph::kInitializer && reshapes(tensor_name(field->bytes))) {
        writer.bytes(field->number, with_first_as_in_input(field->bytes, old_batch_.value));
      } else if (field->number == graph::kNode) {
        writer.bytes(field->number, node(field->bytes));
      } else if (field->number != graph::kValueInfo) {
        writer.raw(field->raw);
      }
    }
    return writer.take();
  }

 private:
  bool reshapes(std::string_view constant) const {
    return new_batch_.value < 0 && old_batch_.value > 0 &&
           facts_.shapes_of_reshape.contains(constant);
  }

  std::string input(std::string_view bytes) const {
    const bool is_first = read_value(bytes).info.name == facts_.inputs.front().info.name;
    return is_first ? with_dimensions(bytes, input_) : std::string(bytes);
  }

  std::string output(std::string_view bytes) const {
    Value value = read_value(bytes);
    const bool follows = !value.dimensions.empty() && value.dimensions.front() == old_batch_ &&
                         (old_batch_.value >= 0 || !old_batch_.symbol.empty());
    if (!follows) return std::string(bytes);
    value.dimensions.front() = new_batch_;
    return with_dimensions(bytes, value.dimensions);
  }

  std::string node(std::string_view bytes) const {
    const Node node = read_node(bytes);
    if (node.op_type != "Constant" || node.outputs.size() != 1 || !reshapes(node.outputs.front()))
      return std::string(bytes);
    return edited(bytes, node::kAttribute, [&](std::string_view attribute_bytes) {
      return edited(attribute_bytes, attribute::kTensor, [&](std::string_view tensor_bytes) {
        return with_first_as_in_input(tensor_bytes, old_batch_.value);
      });
    });
  }

  GraphFacts facts_;
  Dimension old_batch_, new_batch_;
  std::vector<Dimension> input_;
};

std::vector<ValueInfo> infos(const std::vector<Value>& values) {
  std::vector<ValueInfo> result;
  for (const Value& value : values) result.push_back(value.info);
  return result;
}

}  // namespace

Summary read_summary(std::string_view model_bytes) {
  const std::string_view graph_bytes = find_graph(model_bytes);
  const GraphFacts facts = reading([&] { return read_graph(graph_bytes); });
  return {infos(facts.inputs), infos(facts.outputs)};
}

std::string with_input_shape(std::string_view model_bytes, std::int64_t batch, const Shape& item) {
  const std::string_view graph_bytes = find_graph(model_bytes);
  return reading([&] {
    const ShapeEdit edit(read_graph(graph_bytes), batch, item);
    return edited(model_bytes, model::kGraph,
                  [&](std::string_view bytes) { return edit.apply(bytes); });
  });
}

}  // namespace sightline::onnx
