// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/onnx_file.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/onnx_fields.h"
#include "engine/protobuf_wire.h"
#include "networks.h"

namespace sightline::onnx {
namespace {

using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;
using test::complaint;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

// The bytes of every field `number` of a message.
std::vector<std::string> fields(std::string_view message, std::uint32_t number) {
  std::vector<std::string> found;
  Reader reader(message);
  while (const auto field = reader.next())
    if (field->is(number, WireType::kBytes)) found.emplace_back(field->bytes);
  return found;
}

// The first constant's numbers.
std::vector<std::int64_t> first_constant(const std::string& file) {
  const std::string graph_bytes = fields(file, model::kGraph).at(0);
  const std::string raw =
      fields(fields(graph_bytes, graph::kInitializer).at(0), tensor::kRawData).at(0);
  std::vector<std::int64_t> numbers(raw.size() / sizeof(std::int64_t));
  std::memcpy(numbers.data(), raw.data(), raw.size());
  return numbers;
}

TEST(ProtobufWire, ReadsTheExamplesOfItsSpecification) {
  // 150 in field 1, "testing" in field 2, and the packed 3, 270, 86942 in field 6, as published.
  const std::string message = "\x08\x96\x01\x12\x07testing\x32\x06\x03\x8e\x02\x9e\xa7\x05";
  Reader reader(message);
  EXPECT_EQ(reader.next()->value, 150u);
  EXPECT_EQ(reader.next()->bytes, "testing");
  std::vector<std::int64_t> numbers;
  append_int64(*reader.next(), numbers);
  EXPECT_THAT(numbers, ElementsAre(3, 270, 86942));
  EXPECT_FALSE(reader.next());

  Writer writer;
  writer.varint(1, 150);
  writer.bytes(2, "testing");
  EXPECT_EQ(writer.message(), message.substr(0, 12));
}

TEST(ProtobufWire, RefusesWhatRunsPastTheEnd) {
  for (const std::string& message :
       {std::string("\x08"), std::string("\x08\x96"), std::string("\x12\x07test"),
        std::string("\x0d\x01\x02"), std::string("\x09\x01"), std::string("\x0b"),
        std::string("\x00\x01", 2), std::string("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")})
    EXPECT_THROW(Reader(message).next(), Error) << message.size();
}

TEST(OnnxFile, SummaryNamesInputsAndOutputsButNoInitializers) {
  Builder builder("two");
  builder.input("picture", ElementType::kUint8, {-1, 3, 8, 8});
  builder.input("weights", ElementType::kFloat32, {4});
  builder.constant("weights", {4}, std::vector<float>{1, 2, 3, 4});
  builder.output("scores", ElementType::kFloat16, {1, 10});
  const Summary summary = read_summary(builder.file());
  ASSERT_EQ(summary.inputs.size(), 1u);
  EXPECT_EQ(summary.inputs[0].name, "picture");
  EXPECT_EQ(summary.inputs[0].type, ElementType::kUint8);
  EXPECT_EQ(summary.inputs[0].shape, (Shape{-1, 3, 8, 8}));
  ASSERT_EQ(summary.outputs.size(), 1u);
  EXPECT_EQ(summary.outputs[0].type_name, "float16");
}

TEST(OnnxFile, OpenBatchChangesInputOutputAndReshapeOnly) {
  const std::string before = test::ReshapeMatMul().file(1);
  const std::string after = with_input_shape(before, -1, {2, 3, 3});
  const Summary summary = read_summary(after);
  EXPECT_EQ(summary.inputs.at(0).shape, (Shape{-1, 2, 3, 3}));
  EXPECT_EQ(summary.outputs.at(0).shape, (Shape{-1, 5}));
  EXPECT_THAT(first_constant(before), ElementsAre(1, 18));
  EXPECT_THAT(first_constant(after), ElementsAre(0, 18));

  const std::string graph_before = fields(before, model::kGraph).at(0);
  const std::string graph_after = fields(after, model::kGraph).at(0);
  EXPECT_EQ(fields(graph_before, graph::kNode), fields(graph_after, graph::kNode));
  EXPECT_EQ(fields(graph_before, graph::kInitializer).at(1),
            fields(graph_after, graph::kInitializer).at(1));
}

TEST(OnnxFile, ReshapeConstantsThatServeAnotherPurposeStay) {
  Builder builder("shared");
  builder.input("x", ElementType::kFloat32, {1, 4});
  builder.output("y", ElementType::kFloat32, {1, 4});
  builder.constant("shape", {2}, std::vector<std::int64_t>{1, 4});
  builder.node("Reshape", {"x", "shape"}, {"r"});
  builder.node("Expand", {"r", "shape"}, {"y"});
  EXPECT_THAT(first_constant(with_input_shape(builder.file(), -1, {4})), ElementsAre(1, 4));
}

TEST(OnnxFile, ReshapeConstantsMayBeNodesAndInt64Lists) {
  Writer tensor_message, attribute_message, node_message, reshape, graph_message, file;
  tensor_message.varint(tensor::kDims, 2);
  tensor_message.varint(tensor::kDataType, 7);
  tensor_message.varint(tensor::kInt64Data, 1);
  tensor_message.varint(tensor::kInt64Data, static_cast<std::uint64_t>(-1));
  attribute_message.bytes(attribute::kName, "value");
  attribute_message.bytes(attribute::kTensor, tensor_message.message());
  node_message.bytes(node::kOutput, "shape");
  node_message.bytes(node::kOpType, "Constant");
  node_message.bytes(node::kAttribute, attribute_message.message());
  reshape.bytes(node::kInput, "x");
  reshape.bytes(node::kInput, "shape");
  reshape.bytes(node::kOpType, "Reshape");
  Builder values("v");
  values.input("x", ElementType::kFloat32, {1, 4});
  graph_message.raw(fields(values.file(), model::kGraph).at(0));
  graph_message.bytes(graph::kNode, node_message.message());
  graph_message.bytes(graph::kNode, reshape.message());
  file.varint(model::kIrVersion, 8);
  file.bytes(model::kGraph, graph_message.message());

  const std::string after = with_input_shape(file.message(), -1, {4});
  const std::string constant = fields(fields(after, model::kGraph).at(0), graph::kNode).at(0);
  const std::string tensor_after =
      fields(fields(constant, node::kAttribute).at(0), attribute::kTensor).at(0);
  std::int64_t numbers[2];
  const std::string raw = fields(tensor_after, tensor::kRawData).at(0);
  ASSERT_EQ(raw.size(), sizeof numbers);
  std::memcpy(numbers, raw.data(), sizeof numbers);
  EXPECT_THAT(numbers, ElementsAre(0, -1));
}

TEST(OnnxFile, WhatIsNotKnownStaysByteForByte) {
  Writer with_more;
  with_more.raw(test::ReshapeMatMul().file(1));
  with_more.bytes(14, "metadata of a version to come");
  with_more.varint(5000, 12345);
  const std::string after = with_input_shape(with_more.message(), -1, {2, 3, 3});
  EXPECT_TRUE(after.ends_with(with_more.message().substr(test::ReshapeMatMul().file(1).size())));
}

TEST(OnnxFile, SaysInWhatWayAFileIsNone) {
  const auto says = [](std::string_view bytes) {
    return complaint([&] { read_summary(bytes); }, ErrorCode::kModel);
  };
  const std::string whole = test::ReshapeMatMul().file(1);
  EXPECT_THAT(says(""), HasSubstr("is empty"));
  EXPECT_THAT(says("<!DOCTYPE html>"), HasSubstr("is no ONNX file"));
  EXPECT_THAT(says("{\"modelTopology\": 1}"), HasSubstr("is no ONNX file"));
  EXPECT_THAT(says("version https://git-lfs.github.com/spec/v1\noid sha256:00"),
              HasSubstr("git lfs pull"));
  EXPECT_THAT(says(whole + whole), HasSubstr("holds two graphs"));
  EXPECT_THAT(says(whole.substr(0, whole.size() - 1)), HasSubstr("cut off"));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THAT(says(std::string_view(whole).substr(0, size)),
                AnyOf(HasSubstr("cut off"), HasSubstr("is empty"), HasSubstr("is no ONNX file")))
        << size;
}

// Bytes that were changed, removed or put in at random give a summary or an Error, never more; the
// sanitizers watch over what is read.
TEST(OnnxFile, MutatedBytesNeverDoHarm) {
  const std::string whole = test::ReshapeMatMul().file(1);
  std::mt19937 random(3);
  int read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = whole;
    for (int change = static_cast<int>(random() % 4); change >= 0; --change) {
      const std::size_t at = random() % bytes.size();
      const auto value = static_cast<char>(random());
      switch (random() % 3) {
        case 0:
          bytes[at] = value;
          break;
        case 1:
          bytes.erase(at, random() % 8 + 1);
          break;
        default:
          bytes.insert(at, 1, value);
      }
    }
    try {
      read_summary(bytes);
      ++read;
      with_input_shape(bytes, -1, {2, 3, 3});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
    }
  }
  EXPECT_GT(read, 100) << "the mutations are to reach the inside";
}

}  // namespace
}  // namespace sightline::onnx
