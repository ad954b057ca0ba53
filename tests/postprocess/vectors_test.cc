// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Landmarks, embeddings, classifiers, raw outputs.

#include <cmath>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

Tensor vector_of(const std::vector<float>& values, const char* name = "output") {
  return Tensor::copy_of(name, {static_cast<std::int64_t>(values.size())}, values);
}

Results run(const std::string& text, const std::vector<Tensor>& outputs, Size input = {64, 32}) {
  return make("[property]\n" + text, network_of(input, outputs))->decode(outputs);
}

// --- landmarks
// ------------------------------------------------------------------------------------

TEST(Landmarks, OfTheInputInEveryShape) {
  const std::vector<float> values = {0, 1, 0.5f, 0.25f, -0.5f, 2};
  const std::vector<Point> expected = {{0, 32}, {32, 8}, {-32, 64}};
  for (const Shape& shape : {Shape{6}, Shape{3, 2}, Shape{1, 6}, Shape{6, 1, 1}, Shape{1, 3, 2}}) {
    const Tensor tensor = Tensor::copy_of("output", shape, values);
    EXPECT_EQ(run("model-family=landmarks\n", {tensor}).landmarks, expected) << to_string(shape);
  }
  const Tensor tensor = vector_of(values);
  EXPECT_EQ(run("model-family=landmarks\n", {as_half(tensor)}).landmarks, expected);
}

TEST(Landmarks, ScaleOfUnitOrPixel) {
  const Tensor tensor = vector_of({3, 4});
  EXPECT_THAT(run("model-family=landmarks\nlandmark-scale=unit\n", {tensor}).landmarks,
              ElementsAre(Point{192, 128}));
  EXPECT_THAT(run("model-family=landmarks\nlandmark-scale=pixel\n", {tensor}).landmarks,
              ElementsAre(Point{3, 4}));
  EXPECT_THAT(complaint("[property]\nmodel-family=landmarks\nlandmark-scale=percent\n",
                        network_of({64, 32}, {tensor})),
              HasSubstr("test.ini:3: landmark-scale = percent: no such value. Known: unit, pixel"));
}

TEST(Landmarks, OneBadNumberTakesAllAway) {
  for (const float bad : {kNan, kInfinity, kHuge})  // kHuge · 64 is infinite
    EXPECT_TRUE(run("model-family=landmarks\n", {vector_of({0, 0, bad, 0})}).landmarks.empty());
}

TEST(Landmarks, OtherOutputsAreAnError) {
  const std::string text = "[property]\nmodel-family=landmarks\n";
  for (const Shape& shape :
       {Shape{137}, Shape{}, Shape{0}, Shape{68, 3}, Shape{2, 68, 2}, Shape{0, 2}})
    EXPECT_THAT(complaint(text, {{64, 64}, {{"points", ElementType::kFloat32, shape}}}),
                HasSubstr("found \"points\" float32 " + to_string(shape)));
  EXPECT_THAT(
      complaint(text, {{64, 64},
                       {{"a", ElementType::kFloat32, {136}}, {"b", ElementType::kFloat32, {136}}}}),
      HasSubstr("Expected one output [2n]"));
  const auto open = make(text, {{64, 64}, {{"points", ElementType::kFloat32, {-1}}}});
  EXPECT_EQ(open->decode(std::vector{vector_of({0, 0})}).landmarks.size(), 1u);
  EXPECT_THAT(decode_complaint(*open, {vector_of({0, 0, 0})}), HasSubstr("\"points\" is [3]"));
}

// --- embedding
// ------------------------------------------------------------------------------------

TEST(Embedding, OfUnitLengthUnlessToldOtherwise) {
  const Tensor tensor = Tensor::copy_of("data", {2, 1, 1}, std::vector<float>{3, -4});
  const Results unit = run("model-family=embedding\n", {tensor});
  ASSERT_EQ(unit.tensors.size(), 1u);
  EXPECT_EQ(unit.tensors[0].name, "embedding");
  EXPECT_EQ(unit.tensors[0].shape, (Shape{2}));
  EXPECT_THAT(unit.tensors[0].floats(), ElementsAre(0.6f, -0.8f));
  const Results raw = run("model-family=embedding\nembedding-normalize=no\n", {tensor});
  EXPECT_THAT(raw.tensors.at(0).floats(), ElementsAre(3, -4));
  EXPECT_THAT(run("model-family=embedding\n", {as_half(tensor)}).tensors.at(0).floats(),
              ElementsAre(0.6f, -0.8f));
}

TEST(Embedding, IsCalledByTensorName) {
  EXPECT_EQ(
      run("model-family=embedding\ntensor-name=gait\n", {vector_of({1, 1})}).tensors.at(0).name,
      "gait");
  EXPECT_THAT(complaint("[property]\nmodel-family=embedding\ntensor-name=\n",
                        network_of({8, 8}, {vector_of({1, 1})})),
              HasSubstr("test.ini:3: tensor-name"));
}

TEST(Embedding, AVectorWithoutADirectionIsDropped) {
  for (const char* normalize : {"0", "1"})
    for (const float bad : {kNan, kInfinity, -kInfinity, 0.f})
      EXPECT_TRUE(
          run(std::string("model-family=embedding\nembedding-normalize=") + normalize + "\n",
              {vector_of({0, bad, 0})})
              .tensors.empty());
}

TEST(Embedding, HugeAndTinyVectorsHaveADirection) {
  for (const float size : {kHuge, 1e-38f, 1e-45f}) {
    const Results results = run("model-family=embedding\n", {vector_of({size, size})});
    ASSERT_EQ(results.tensors.size(), 1u) << size;
    for (const float value : results.tensors[0].floats()) EXPECT_NEAR(value, std::sqrt(0.5), 1e-6);
  }
}

TEST(Embedding, OtherOutputsAreAnError) {
  const std::string text = "[property]\nmodel-family=embedding\n";
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{2, 64}})
    EXPECT_THAT(complaint(text, {{112, 112}, {{"x", ElementType::kFloat32, shape}}}),
                HasSubstr("Expected one output, a vector [n]"));
  EXPECT_THAT(complaint(text, {{112, 112}, {{"x", ElementType::kUint8, {128}}}}),
              HasSubstr("\"x\" uint8 [128]"));
}

// --- classifier
// -----------------------------------------------------------------------------------

TEST(Classifier, TheStrongestClassAboveTheThreshold) {
  const std::vector<Tensor> outputs = {vector_of({0.2f, 0.7f, 0.1f}, "mood")};
  const auto said = run("model-family=classifier\n", outputs).classifications;
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].attribute, "mood");
  EXPECT_EQ(said[0].label, "class 1");
  EXPECT_EQ(said[0].class_id, 1);
  EXPECT_EQ(said[0].confidence, 0.7f);
  EXPECT_EQ(run("network-type=1\nclassifier-threshold=0.7\n", outputs).classifications.size(), 1u);
  EXPECT_EQ(run("network-type=1\nclassifier-threshold=0.71\n", outputs).classifications.size(), 0u);
}

TEST(Classifier, SoftmaxIsAppliedWhereAsked) {
  const std::vector<Tensor> outputs = {vector_of({1, 3, 2})};
  EXPECT_EQ(run("network-type=1\n", outputs).classifications.at(0).confidence, 3);
  const double expected = std::exp(3) / (std::exp(1) + std::exp(2) + std::exp(3));
  EXPECT_NEAR(run("network-type=1\napply-softmax=1\n", outputs).classifications.at(0).confidence,
              expected, 1e-7);
  const auto huge = run("network-type=1\napply-softmax=1\n", {vector_of({kHuge, -kHuge, 0})});
  EXPECT_EQ(huge.classifications.at(0).confidence, 1);
}

TEST(Classifier, AHeadWithABadNumberSaysNothing) {
  for (const float bad : {kNan, kInfinity, -kInfinity})
    for (const char* softmax : {"0", "1"})
      EXPECT_TRUE(run(std::string("network-type=1\napply-softmax=") + softmax + "\n",
                      {vector_of({0.9f, bad})})
                      .classifications.empty());
}

TEST(Classifier, LabelsAndAttribute) {
  const std::vector<Tensor> outputs = {vector_of({0.1f, 0.9f})};
  const auto said = run("network-type=1\nlabels=calm;angry\nclassifier-type=mood\n", outputs)
                        .classifications.at(0);
  EXPECT_EQ(said.label, "angry");
  EXPECT_EQ(said.attribute, "mood");
  const NetworkShape network = network_of({8, 8}, outputs);
  EXPECT_THAT(complaint("[property]\nnetwork-type=1\nlabels=a;b;c\n", network),
              HasSubstr("test.ini:3: labels = a;b;c: holds 3 labels of \"output\", expected 2"));
  EXPECT_THAT(complaint("[property]\nnetwork-type=1\nclassifier-type=a;b\n", network),
              HasSubstr("holds 2 names, expected 1"));
}

TEST(Classifier, SeveralHeadsAndALineOfLabelsEach) {
  const auto directory =
      std::filesystem::path(testing::TempDir()) / ("sightline-heads-" + std::to_string(::getpid()));
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "labels.txt") << "small;large;\nred;green;blue\n";
  const std::vector<Tensor> separate = {vector_of({0.9f, 0.1f}, "size"),
                                        vector_of({0.5f, 0.1f, 0.6f}, "color")};
  const std::vector<Tensor> joined = {vector_of({0.9f, 0.1f, 0.5f, 0.1f, 0.6f})};
  const auto said = [&](const std::string& text, const std::vector<Tensor>& outputs) {
    std::vector<std::string> words;
    for (const auto& one : make("[property]\nnetwork-type=1\nlabelfile-path=labels.txt\n" + text,
                                network_of({8, 8}, outputs), directory)
                               ->decode(outputs)
                               .classifications)
      words.push_back(one.attribute + "=" + one.label);
    return words;
  };
  EXPECT_THAT(said("", separate), ElementsAre("size=small", "color=blue"));
  EXPECT_THAT(said("head-sizes=2;3\n", joined), ElementsAre("output/0=small", "output/1=blue"));
  EXPECT_THAT(said("head-sizes=2;3\nclassifier-type=size;color\n", joined),
              ElementsAre("size=small", "color=blue"));

  const auto wrong = [&](const std::string& text, const std::vector<Tensor>& outputs) {
    return complaint("[property]\nnetwork-type=1\n" + text, network_of({8, 8}, outputs), directory);
  };
  EXPECT_THAT(wrong("labelfile-path=labels.txt\n", {separate[0]}),
              HasSubstr("holds 2 lines of labels, expected 1"));
  EXPECT_THAT(wrong("labelfile-path=labels.txt\n", {separate[1], separate[0]}),
              HasSubstr("holds 2 labels of \"color\", expected 3"));
  EXPECT_THAT(wrong("head-sizes=2;2\n", joined), HasSubstr("adds up to 4"));
  EXPECT_THAT(wrong("head-sizes=5;0\n", joined), HasSubstr("at least 1"));
  EXPECT_THAT(wrong("head-sizes=2;3\n", separate), HasSubstr("splits one output"));
  std::filesystem::remove_all(directory);
}

TEST(Classifier, AHeadOfOneNumberIsARegression) {
  const std::vector<Tensor> outputs = {vector_of({0.25f}, "age"), vector_of({0.1f, 0.9f}, "mood")};
  const auto said = run("network-type=1\nregression-scale=116\nregression-offset=1\n"
                        "classifier-threshold=0.95\n",
                        outputs)
                        .classifications;
  ASSERT_EQ(said.size(), 1u);  // the threshold is for classes
  EXPECT_EQ(said[0].attribute, "age");
  EXPECT_EQ(said[0].label, "30.0");
  EXPECT_EQ(said[0].class_id, -1);
  EXPECT_EQ(run("network-type=1\n", outputs).classifications.at(0).label, "0.2");
  EXPECT_TRUE(run("network-type=1\n", {vector_of({kNan})}).classifications.empty());
  EXPECT_TRUE(
      run("network-type=1\nregression-scale=10\n", {vector_of({kHuge})}).classifications.empty());
  // Keys without a head that they are for are unknown.
  EXPECT_THAT(complaint("[property]\nnetwork-type=1\nregression-scale=2\n",
                        network_of({8, 8}, {outputs[1]})),
              HasSubstr("test.ini:3: regression-scale: no such key"));
}

TEST(Classifier, OtherOutputsAreAnError) {
  for (const Shape& shape : {Shape{7, 7}, Shape{0}, Shape{-1}})
    EXPECT_THAT(complaint("[property]\nmodel-family=classifier\n",
                          {{64, 64}, {{"prob", ElementType::kFloat32, shape}}}),
                HasSubstr("Expected one output a head"));
  EXPECT_THAT(complaint("[property]\nmodel-family=classifier\n", {{64, 64}, {}}),
              HasSubstr("found no output"));
}

// --- raw
// ------------------------------------------------------------------------------------------

TEST(Raw, OutputsAsTheyAre) {
  std::vector<Tensor> outputs = {vector_of({1, kNan}, "a"), as_half(vector_of({2, 3}, "b"))};
  const Results results = run("network-type=100\n", outputs);
  ASSERT_EQ(results.tensors.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(results.tensors[i].data, outputs[i].data);
    EXPECT_EQ(results.tensors[i].name, outputs[i].name);
    EXPECT_EQ(results.tensors[i].type, outputs[i].type);
  }
  const auto raw = make("[property]\nmodel-family=raw\n", network_of({8, 8}, outputs));
  EXPECT_THAT(decode_complaint(*raw, {outputs[0]}), HasSubstr("gave 1 outputs, expected 2"));
}

}  // namespace
}  // namespace sightline
