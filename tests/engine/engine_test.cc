// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/engine.h"

#include <fstream>
#include <string>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/onnx_fields.h"
#include "engine/protobuf_wire.h"
#include "engine/session.h"
#include "networks.h"

namespace sightline {
namespace {

using test::complaint;
using test::one_node_file;
using test::random_floats;
using test::run;
using test::submit;
using testing::AllOf;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

class EngineTest : public testing::Test {
 protected:
  EngineOptions options(std::string_view file) const {
    EngineOptions wanted;
    wanted.model = folder.write("model.onnx", file);
    wanted.device = "cpu";
    wanted.workers = 1;
    wanted.threads = 1;
    wanted.batch_size = 8;
    return wanted;
  }
  std::shared_ptr<Engine> open(std::string_view file) const { return Engine::open(options(file)); }

  // What opening complains about; it always names the file.
  std::string error(const EngineOptions& wanted, ErrorCode code = ErrorCode::kModel) const {
    const std::string text = complaint([&] { Engine::open(wanted); }, code);
    EXPECT_THAT(text, HasSubstr(wanted.model.string()));
    return text;
  }
  std::string error(std::string_view file) const { return error(options(file)); }

  const test::TemporaryFolder folder;
};

// float32 sums of 18 products below 1 differ from the exact ones by less than 18 · 2⁻²⁴.
constexpr float kSumTolerance = 2e-6f;

TEST_F(EngineTest, BatchOfOneInTheFileRunsInBatchesAndEqualsPlainArithmetic) {
  const test::ReshapeMatMul network;
  for (const std::int64_t batch : {1, -1, 4}) {
    const auto engine = open(network.file(batch));
    EXPECT_EQ(engine->input().shape, (Shape{2, 3, 3}));
    EXPECT_EQ(engine->outputs().at(0).shape, Shape{5});
    EXPECT_EQ(engine->max_batch(), 8) << engine->describe();
    EXPECT_THAT(engine->describe(), HasSubstr("3 items in a batch equal 3 single runs"));
    std::vector<std::vector<float>> items;
    for (unsigned i = 0; i < 5; ++i) items.push_back(random_floats(18, 100 + i));
    const auto results = run(*engine, items);
    for (std::size_t i = 0; i < items.size(); ++i) {
      ASSERT_EQ(results[i].error, "");
      EXPECT_THAT(results[i].outputs.at(0).floats(),
                  Pointwise(FloatNear(kSumTolerance), network(items[i])));
    }
    EXPECT_EQ(engine->statistics().runs, 1u) << "five together are one run";
  }
}

TEST_F(EngineTest, WhatMixesItsItemsIsNotBatched) {
  onnx::Builder builder("mixes");
  builder.input("x", ElementType::kFloat32, {1, 4});
  builder.output("y", ElementType::kFloat32, {1, 4});
  builder.node("ReduceMean", {"x"}, {"mean"}, {{"keepdims", std::int64_t{0}}});
  builder.node("Sub", {"x", "mean"}, {"y"});
  const auto engine = open(builder.file());
  EXPECT_EQ(engine->max_batch(), 1);
  EXPECT_THAT(engine->describe(),
              AllOf(HasSubstr("cannot be batched"), HasSubstr("\"y\" differs")));
  const auto results = run(*engine, {{1, 2, 3, 6}});
  EXPECT_THAT(results[0].outputs.at(0).floats(), ElementsAre(-2, -1, 0, 3));
}

TEST_F(EngineTest, WhatHasAnItemOfItsOwnIsNotBatched) {
  onnx::Builder builder("concatenates");
  builder.input("x", ElementType::kFloat32, {1, 2});
  builder.output("y", ElementType::kFloat32, {1, 3});
  builder.constant("one", {1, 1}, std::vector<float>{7});
  builder.node("Concat", {"x", "one"}, {"y"}, {{"axis", std::int64_t{1}}});
  const auto engine = open(builder.file());
  EXPECT_EQ(engine->max_batch(), 1);
  EXPECT_THAT(engine->describe(), HasSubstr("its outputs have no batch dimension"));
  EXPECT_THAT(run(*engine, {{1, 2}})[0].outputs.at(0).floats(), ElementsAre(1, 2, 7));
}

TEST_F(EngineTest, AFixedBatchThatCannotBeOpenedIsFilledUp) {
  onnx::Builder builder("fixed");
  builder.input("x", ElementType::kFloat32, {2, 2});
  builder.output("y", ElementType::kFloat32, {2, 3});
  builder.constant("ones", {2, 1}, std::vector<float>{7, 7});
  builder.node("Concat", {"x", "ones"}, {"y"}, {{"axis", std::int64_t{1}}});
  const auto engine = open(builder.file());
  EXPECT_EQ(engine->max_batch(), 2);
  EXPECT_THAT(run(*engine, {{1, 2}})[0].outputs.at(0).floats(), ElementsAre(1, 2, 7));
  const auto both = run(*engine, {{1, 2}, {3, 4}});
  EXPECT_THAT(both[1].outputs.at(0).floats(), ElementsAre(3, 4, 7));
}

TEST_F(EngineTest, WeightsMayLieInAFileBesideTheModel) {
  using protobuf::Writer;
  const auto entry = [](std::string_view key, std::string_view value) {
    Writer writer;
    writer.bytes(1, key);
    writer.bytes(2, value);
    return writer.take();
  };
  Writer weights;
  weights.varint(onnx::tensor::kDims, 64);
  weights.varint(onnx::tensor::kDataType, 1);
  weights.bytes(onnx::tensor::kName, "w");
  weights.bytes(13, entry("location", "weights.bin"));
  weights.varint(14, 1);  // data_location: external
  Writer graph_message;
  graph_message.bytes(onnx::graph::kInitializer, weights.message());
  onnx::Builder builder("external");
  builder.input("x", ElementType::kFloat32, {1, 64});
  builder.output("y", ElementType::kFloat32, {1, 64});
  builder.node("Add", {"x", "w"}, {"y"});
  Writer file;
  const std::string whole = builder.file();
  protobuf::Reader fields(whole);
  while (const auto field = fields.next()) {
    if (!field->is(onnx::model::kGraph, protobuf::WireType::kBytes))
      file.raw(field->raw);
    else
      graph_message.raw(field->bytes);
  }
  file.bytes(onnx::model::kGraph, graph_message.message());

  const std::vector<float> values = random_floats(64, 3);
  folder.write("weights.bin", {reinterpret_cast<const char*>(values.data()), 256});
  const auto engine = open(file.message());
  EXPECT_EQ(engine->max_batch(), 8);
  const auto results = run(*engine, {std::vector<float>(64)});
  EXPECT_THAT(results[0].outputs.at(0).floats(), testing::ElementsAreArray(values));
}

TEST_F(EngineTest, AFirstDimensionThatIsNoBatchIsAnError) {
  onnx::Builder builder("a clip");
  builder.input("x", ElementType::kFloat32, {4, 2});
  builder.output("y", ElementType::kFloat32, {4, 2});
  builder.node("ReduceSum", {"x"}, {"sum"}, {{"keepdims", std::int64_t{0}}});
  builder.node("Add", {"x", "sum"}, {"y"});
  EXPECT_THAT(error(builder.file()), HasSubstr("a first dimension of 4 that is no batch"));
}

TEST_F(EngineTest, OpenDimensionsNeedInferDims) {
  const std::string file = one_node_file("GlobalAveragePool", {1, 3, -1, -1}, {1, 3, 1, 1});
  EXPECT_THAT(error(file), AllOf(HasSubstr("\"x\" is [1,3,?,?]"), HasSubstr("infer-dims = c;h;w")));
  EngineOptions wanted = options(file);
  wanted.input_shape = {3, 2, 2};
  const auto engine = Engine::open(wanted);
  EXPECT_EQ(engine->input().shape, (Shape{3, 2, 2}));
  const auto results = run(*engine, {{1, 2, 3, 4, 5, 5, 5, 5, 0, 0, 0, 8}});
  EXPECT_THAT(results[0].outputs.at(0).floats(), ElementsAre(2.5, 5, 2));
}

TEST_F(EngineTest, OutputsOfOpenSpatialSizeFollowInferDims) {
  EngineOptions wanted = options(one_node_file("Relu", {1, 1, -1, -1}, {1, 1, -1, -1}));
  wanted.input_shape = {1, 1, 3};
  const auto engine = Engine::open(wanted);
  EXPECT_THAT(run(*engine, {{-1, 2, 3}})[0].outputs.at(0).shape, (Shape{1, 1, 3}));
  EXPECT_THAT(run(*engine, {{-1, 2, 3}})[0].outputs.at(0).floats(), ElementsAre(0, 2, 3));
}

TEST_F(EngineTest, ContradictingInferDimsAreNamed) {
  EngineOptions wanted = options(one_node_file("Relu", {1, 3, 112, 112}, {1, 3, 112, 112}));
  for (const Shape& shape : {Shape{3, 150, 150}, Shape{3, 112}, Shape{1, 3, 112, 112}}) {
    wanted.input_shape = shape;
    EXPECT_THAT(error(wanted), HasSubstr("the network's input \"x\" is [1,3,112,112], the "
                                         "configuration says infer-dims = "));
  }
}

TEST_F(EngineTest, InputTypesOfPicturesAreTaken) {
  for (const ElementType type : {ElementType::kUint8, ElementType::kInt8, ElementType::kFloat16}) {
    onnx::Builder builder("cast");
    builder.input("x", type, {1, 4});
    builder.output("y", ElementType::kFloat32, {1, 4});
    builder.node("Cast", {"x"}, {"y"}, {{"to", std::int64_t{1}}});
    const auto engine = open(builder.file());
    EXPECT_EQ(engine->input().type, type);
    std::size_t bytes = 0;
    const auto write = [&bytes](std::span<std::byte> item) {
      bytes = item.size();
      std::fill(item.begin(), item.end(), std::byte{0x3c});  // 60; 0x3c3c as a half
    };
    const RunResult result = submit(*engine, {write}).front().get();
    EXPECT_EQ(bytes, 4 * size_of(type));
    const float expected = type == ElementType::kFloat16 ? half_to_float(0x3c3c) : 60.f;
    EXPECT_THAT(result.outputs.at(0).floats(), testing::Each(expected));
  }
  onnx::Builder builder("int64");
  builder.input("x", ElementType::kInt64, {1, 4});
  builder.output("y", ElementType::kInt64, {1, 4});
  builder.node("Abs", {"x"}, {"y"});
  EXPECT_THAT(error(builder.file()),
              HasSubstr("\"x\" is int64, expected an image of float32, float16, uint8 or int8"));
}

TEST_F(EngineTest, OutputsAreChosenByNameAndInTheAskedOrder) {
  onnx::Builder builder("two");
  builder.input("x", ElementType::kFloat32, {1, 2});
  builder.output("neg", ElementType::kFloat32, {1, 2});
  builder.output("abs", ElementType::kFloat32, {1, 2});
  builder.node("Neg", {"x"}, {"neg"});
  builder.node("Abs", {"x"}, {"abs"});
  EngineOptions wanted = options(builder.file());
  wanted.output_names = {"abs", "neg"};
  const auto results = run(*Engine::open(wanted), {{-1, 2}});
  EXPECT_EQ(results[0].outputs.at(0).name, "abs");
  EXPECT_THAT(results[0].outputs.at(0).floats(), ElementsAre(1, 2));
  EXPECT_THAT(results[0].outputs.at(1).floats(), ElementsAre(1, -2));
  wanted.output_names = {"abs", "boxes"};
  EXPECT_THAT(error(wanted),
              AllOf(HasSubstr("no output \"boxes\""), HasSubstr("\"neg\", \"abs\"")));
  wanted.output_names = {"abs", "abs"};
  EXPECT_THAT(error(wanted), HasSubstr("twice"));
}

TEST_F(EngineTest, SizesThatTheRunDecidesComeWithTheRun) {
  onnx::Builder builder("nonzero");
  builder.input("x", ElementType::kFloat32, {1, 6});
  builder.output("where", ElementType::kInt64, {2, -1});
  builder.node("NonZero", {"x"}, {"where"});
  const auto engine = open(builder.file());
  EXPECT_EQ(engine->max_batch(), 1);
  EXPECT_EQ(engine->outputs().at(0).shape, (Shape{2, -1}));
  EXPECT_EQ(run(*engine, {{0, 1, 0, 1, 1, 0}})[0].outputs.at(0).shape, (Shape{2, 3}));
  EXPECT_EQ(run(*engine, {{0, 0, 0, 0, 0, 0}})[0].outputs.at(0).shape, (Shape{2, 0}));
}

TEST_F(EngineTest, ARunThatFailsIsTheRequestsError) {
  onnx::Builder builder("gather");  // fails where the index is beyond the table
  builder.input("x", ElementType::kFloat32, {1, 1});
  builder.output("y", ElementType::kFloat32, {1, 1});
  builder.constant("table", {2}, std::vector<float>{10, 20});
  builder.node("Cast", {"x"}, {"index"}, {{"to", std::int64_t{7}}});
  builder.node("Gather", {"table", "index"}, {"y"});
  const auto engine = open(builder.file());
  EXPECT_THAT(run(*engine, {{1}})[0].outputs.at(0).floats(), ElementsAre(20));
  EXPECT_THAT(run(*engine, {{5}})[0].error, AllOf(HasSubstr("ONNX Runtime"), HasSubstr("Gather")));
  EXPECT_EQ(engine->statistics().failures, 1u);
  EXPECT_THAT(run(*engine, {{0}})[0].outputs.at(0).floats(), ElementsAre(10));
}

TEST_F(EngineTest, FilesThatAreNoModelsAreNamed) {
  const std::string whole = test::ReshapeMatMul().file(1);
  EXPECT_THAT(error(""), HasSubstr("is empty"));
  EXPECT_THAT(error("not a model at all"), HasSubstr("is no ONNX file"));
  EXPECT_THAT(error(std::string_view(whole).substr(0, whole.size() / 2)), HasSubstr("cut off"));
  EXPECT_THAT(error(one_node_file("NoSuchOperator", {1, 4}, {1, 4})), HasSubstr("NoSuchOperator"));

  EngineOptions wanted;
  wanted.model = folder.path();
  EXPECT_THAT(error(wanted), HasSubstr("is a folder"));
  wanted.model = folder.path() / "none.onnx";
  EXPECT_THAT(error(wanted, ErrorCode::kNotFound), HasSubstr("no such model file"));
  wanted.model = folder.path() / "model.onnx" / "under-a-file.onnx";
  EXPECT_THAT(error(wanted, ErrorCode::kNotFound), HasSubstr("no such model file"));
  wanted.model = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(wanted.model.c_str(), 0600), 0);
  EXPECT_THAT(error(wanted), HasSubstr("no regular file"));  // and does not wait for a writer
}

TEST_F(EngineTest, ModelsOfAnotherKindAreNamed) {
  onnx::Builder two("two");
  two.input("left", ElementType::kFloat32, {1, 4});
  two.input("right", ElementType::kFloat32, {1, 4});
  two.output("y", ElementType::kFloat32, {1, 4});
  two.node("Add", {"left", "right"}, {"y"});
  EXPECT_THAT(error(two.file()),
              HasSubstr("has 2 inputs (\"left\", \"right\"), expected one image"));

  onnx::Builder none("none");
  none.output("y", ElementType::kFloat32, {1});
  none.constant("y", {1}, std::vector<float>{1});
  EXPECT_THAT(error(none.file()), HasSubstr("has 0 inputs"));

  EXPECT_THAT(error(one_node_file("Relu", {4}, {4})), HasSubstr("\"x\" has the shape [4]"));
  EXPECT_THAT(error(one_node_file("Relu", {1, 0}, {1, 0})), HasSubstr("[0]"));
  EXPECT_THAT(error(one_node_file("Relu", {1, 1 << 20, 1 << 20}, {1, 1 << 20, 1 << 20})),
              HasSubstr("1 GiB"));
}

// The runtime's own reader sees what ours lets through; neither may bring the process down.
TEST_F(EngineTest, DamagedModelsAreErrorsOrRun) {
  const std::string whole = test::ReshapeMatMul().file(1);
  std::mt19937 random(11);
  for (int round = 0; round < 150; ++round) {
    std::string bytes = whole;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      open(bytes);
    } catch (const Error& error) {
      EXPECT_THAT(std::string(error.what()), HasSubstr("model.onnx: "));
    }
  }
}

TEST_F(EngineTest, ADeviceThatIsUnknownOrNotThereIsAnErrorThatSaysWhatIs) {
  EngineOptions wanted = options(test::ReshapeMatMul().file(1));
  for (const std::string device : {"gpu", "", "cuda:", "cuda:-1", "cuda:one", "cuda:0x"}) {
    wanted.device = device;
    EXPECT_THAT(error(wanted, ErrorCode::kDevice),
                AllOf(HasSubstr("\"" + device + "\" is unknown"), HasSubstr("cuda:0")));
  }
  wanted.device = "cuda:99";
  EXPECT_THAT(error(wanted, ErrorCode::kDevice),
              AllOf(HasSubstr("\"cuda:99\" is not there: "), HasSubstr(gpu_complaint(99))));
  wanted.device = "auto";
  EXPECT_EQ(Engine::open(wanted)->device(), gpu_complaint(0).empty() ? "cuda:0" : "cpu");
}

TEST_F(EngineTest, TheRuntimeSaysWhatItIsAndOffers) {
  EXPECT_THAT(runtime_name(), HasSubstr("ONNX Runtime 1."));
  EXPECT_THAT(runtime_providers(), testing::Contains("CPUExecutionProvider"));
}

TEST_F(EngineTest, ThreadsAreMeasuredOrAsSet) {
  EngineOptions wanted = options(one_node_file("Relu", {1, 64}, {1, 64}));
  wanted.workers = 3;
  wanted.threads = 2;
  EXPECT_THAT(Engine::open(wanted)->describe(), AllOf(HasSubstr("3 × 2"), HasSubstr("as set")));
  wanted.workers = wanted.threads = 0;
  const auto engine = Engine::open(wanted);
  EXPECT_GE(engine->concurrency(), 1);
  EXPECT_THAT(engine->describe(),
              HasSubstr(std::thread::hardware_concurrency() > 1 ? "runs/s" : "one core"));
}

TEST_F(EngineTest, OptionsComeFromTheConfiguration) {
  const auto read = [](std::string_view text) {
    const ConfigFile file = ConfigFile::parse(text, "m.ini", "/models");
    const EngineOptions options = EngineOptions::from_config(file);
    file.reject_unknown();
    return options;
  };
  EngineOptions expected;
  expected.model = "/models/a.onnx";
  EXPECT_EQ(read("[property]\nonnx-file = a.onnx"), expected);
  expected.batch_size = 16;
  expected.input_shape = {3, 240, 320};
  expected.output_names = {"scores", "boxes"};
  expected.device = "cpu";
  expected.workers = 2;
  expected.threads = 1;
  EXPECT_EQ(
      read("[property]\nonnx-file=a.onnx\nbatch-size=16\ninfer-dims=3;240;320\n"
           "output-blob-names=scores;boxes\ndevice=cpu\nengine-workers=2\nengine-threads=1\n"),
      expected);

  const auto says = [&](const std::string& line) {
    return complaint([&] { read("[property]\nonnx-file=a.onnx\n" + line); }, ErrorCode::kConfig);
  };
  EXPECT_THAT(says("batch-size = 0"), HasSubstr("m.ini:3: batch-size = 0"));
  EXPECT_THAT(says("infer-dims = 3;-1;5"), HasSubstr("m.ini:3: infer-dims"));
  EXPECT_THAT(says("infer-dims ="), HasSubstr("as in 3;150;150"));
  EXPECT_THAT(says("output-blob-names = ;"), HasSubstr("m.ini:3: output-blob-names"));
  EXPECT_THAT(says("engine-workers = many"), HasSubstr("m.ini:3: engine-workers"));
  EXPECT_THAT(complaint([&] { read("[property]\nbatch-size=1"); }, ErrorCode::kConfig),
              HasSubstr("onnx-file is missing"));
}

// Kilobytes of this process that are resident.
long resident_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmRSS:") {
      long kilobytes = 0;
      status >> kilobytes;
      return kilobytes;
    }
  return 0;
}

#if !defined(__SANITIZE_ADDRESS__)  // it keeps what was freed
TEST_F(EngineTest, ResidentMemoryIsFlatWhateverTheBatches) {
  EngineOptions wanted = options(one_node_file("Relu", {-1, 16, 32, 32}, {-1, 16, 32, 32}));
  wanted.workers = 2;
  const auto engine = Engine::open(wanted);
  const auto runs = [&](int count) {
    std::mt19937 random(5);
    for (int i = 0; i < count; ++i) {
      const std::vector<std::vector<float>> items(random() % 8 + 1, {1});
      for (const RunResult& result : run(*engine, items)) ASSERT_EQ(result.error, "");
    }
  };
  runs(2000);
  const long before = resident_kilobytes();
  runs(4500);
  // How often both workers have a full batch is chance, so some blocks come late. A block a run
  // that is not given back would be 280 MB at least.
  EXPECT_LE(resident_kilobytes() - before, 16384);
}
#endif

}  // namespace
}  // namespace sightline
