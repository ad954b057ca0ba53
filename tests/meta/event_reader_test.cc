// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is written is read as what it was; what others write wrongly is refused with its place.

#include "meta/event_reader.h"

#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "event_lines.h"
#include "every_result.h"
#include "meta/json.h"
#include "meta/tensor.h"

namespace sightline {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class EventReader : public ::testing::TestWithParam<TensorsAs> {};

TEST_P(EventReader, WhatWasWrittenIsReadAndWrittenAgainTheSame) {
  const FrameHandle frame = testing::frame_with_every_result();
  const std::string line = keep_line(event_line(*frame, 2733333333, GetParam()));
  const Event event = read_event(line);
  EXPECT_EQ(event_line(*event.frame, event.pts.value_or(0), GetParam()), line);
  EXPECT_FALSE(event.late);
  EXPECT_FALSE(sight_frame_is_sealed(event.frame.get()));
}

INSTANTIATE_TEST_SUITE_P(Tensors, EventReader,
                         ::testing::Values(TensorsAs::kNothing, TensorsAs::kBase64,
                                           TensorsAs::kArray));

// The text is compared above; here the bytes, of every type.
TEST(EventReaderTensors, HaveTheSameBytes) {
  const FrameHandle frame = testing::frame_with_every_result();
  for (const TensorsAs as : {TensorsAs::kBase64, TensorsAs::kArray}) {
    const Event event = read_event(event_line(*frame, 0, as));
    const SightObject* written = sight_frame_get_object(frame.get(), 1);
    const SightObject* read = sight_frame_get_object(event.frame.get(), 1);
    ASSERT_EQ(sight_object_get_n_tensors(read), 13u);
    for (guint i = 0; i < 12; ++i) {
      const Tensor& before = unwrap(sight_object_get_tensor(written, i));
      const Tensor& after = unwrap(sight_object_get_tensor(read, i));
      EXPECT_EQ(after.name, before.name);
      EXPECT_EQ(after.type, before.type);
      EXPECT_EQ(after.shape, before.shape);
      ASSERT_EQ(after.bytes(), before.bytes());
      EXPECT_EQ(std::memcmp(after.data, before.data, before.bytes()), 0) << before.name;
      EXPECT_EQ(sight_tensor_get_row(sight_object_get_tensor(read, i)), static_cast<int>(i) - 1);
    }
  }
}

TEST(EventReaderIds, AreKeptAndNotGivenAgain) {
  const Event event =
      read_event(R"({"frame":0,"width":1,"height":1,"objects":[{"id":4000000000,"confidence":1,)"
                 R"("box":[0,0,1,1]}]})");
  EXPECT_EQ(sight_object_get_id(sight_frame_get_object(event.frame.get(), 0)), 4000000000u);
  const SightBox box = {0, 0, 1, 1};
  const auto other = FrameHandle::adopt(sight_frame_new(1, 1));
  EXPECT_GT(
      sight_object_get_id(sight_frame_add_object(other.get(), nullptr, -1, 1, &box, 0, nullptr)),
      4000000000u);
}

TEST(EventReaderLate, IsSaid) {
  const Event event = read_event(
      R"({"late":"track-ended","stream":"a","frame":7,"width":1,"height":1,"objects":[]})");
  EXPECT_EQ(event.late, "track-ended");
  EXPECT_FALSE(event.pts);
  EXPECT_EQ(sight_frame_get_number(event.frame.get()), 7u);
}

// --- what is wrong

const json kGood = json::parse(
    R"({"stream":"a","frame":0,"pts":5,"width":64,"height":48,"objects":[{"id":1,"confidence":1,
        "box":[1,2,3,4],"landmarks":[[1,2]],"track":3,"track_state":"lost",
        "mask":{"area":[0,0,1,1],"size":[2,1],"runs":[1,1]},
        "identity":{"person":"p4","similarity":1,"candidates":[{"person":"p4","similarity":1}]},
        "classifications":[{"attribute":"a","label":"b","confidence":1}],
        "tensors":[{"name":"t","type":"uint8","shape":[2],"data":[1,2]}],
        "analytics":{"crossed":[{"line":"door","direction":"in"}]}}]})");

std::string complaint(const std::string& line) {
  try {
    read_event(line);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    return error.what();
  }
  return "nothing";
}

// With another value at a place of the good line.
std::string complaint(const std::string& place, const json& value) {
  json line = kGood;
  line[json::json_pointer(place)] = value;
  return complaint(line.dump());
}

TEST(EventReaderErrors, NameThePlaceAndWhatWasFound) {
  EXPECT_EQ(complaint(kGood.dump()), "nothing");
  EXPECT_THAT(complaint("/objects/0/box", {1, 2, 3}),
              HasSubstr("objects[0].box: expected 4 numbers, found [1,2,3]"));
  EXPECT_THAT(complaint("/objects/0/box", {1, 2, -3, 4}), HasSubstr("objects[0]: an object's box"));
  EXPECT_THAT(complaint("/objects/0/boxx", 1),
              HasSubstr("objects[0]: unknown key \"boxx\". Known: id, parent"));
  EXPECT_THAT(complaint("/objects/0/id", 0),
              HasSubstr("objects[0].id: expected an integer from 1"));
  EXPECT_THAT(complaint("/objects/0/id", -1), HasSubstr("objects[0].id: expected an integer"));
  EXPECT_THAT(complaint("/objects/0/label", nullptr),
              HasSubstr("objects[0].label: expected text, found null"));
  EXPECT_THAT(complaint("/objects/0/landmarks/0", "x"),
              HasSubstr("objects[0].landmarks[0]: expected 2 numbers, found \"x\""));
  EXPECT_THAT(complaint("/objects/0/landmark_confidences", {1, 2}),
              HasSubstr("objects[0].landmark_confidences: 2 confidences"));
  EXPECT_THAT(complaint("/objects/0/classifications/0/confidence", "much"),
              HasSubstr("objects[0].classifications[0].confidence: expected a number"));
  EXPECT_THAT(complaint("/objects/0/identity/probability", "likely"),
              HasSubstr("objects[0].identity.probability: expected a number"));
  EXPECT_THAT(complaint("/objects/0/identity/candidates/0/person", 7),
              HasSubstr("objects[0].identity.candidates[0].person: expected text"));
  EXPECT_THAT(complaint("/objects/0/identity/nearest", json{{"person", "p5"}}),
              HasSubstr("objects[0].identity.nearest: stands beside \"person\""));
  EXPECT_THAT(complaint("/objects/0/analytics/crossed/0/direction", "up"),
              HasSubstr("expected \"in\" or \"out\", found \"up\""));
  EXPECT_THAT(complaint("/objects/0/rotation", 1), HasSubstr("needs \"corners\""));
  EXPECT_THAT(complaint("/frame", 1.5), HasSubstr("frame: expected an integer"));
  EXPECT_THAT(complaint("/width", 5'000'000'000), HasSubstr("width: expected an integer"));
  EXPECT_THAT(complaint("/stream", std::string("a\0b", 3)), HasSubstr("U+0000"));
}

TEST(EventReaderErrors, OfTensorsAndMasksNameTheElement) {
  const std::string tensor = "/objects/0/tensors/0";
  EXPECT_THAT(complaint(tensor + "/data", {1, 256}),
              HasSubstr("objects[0].tensors[0].data[1]: 256 is no uint8"));
  EXPECT_THAT(complaint(tensor + "/data", {1}), HasSubstr("has 1 elements; a shape of [2]"));
  EXPECT_THAT(complaint(tensor + "/base64", "AQI"), HasSubstr("base64: is not base64"));
  EXPECT_THAT(complaint(tensor + "/base64", "A=ID"), HasSubstr("is not base64"));
  EXPECT_THAT(complaint(tensor + "/base64", "AQID"), HasSubstr("has 3 bytes; a shape of [2]"));
  EXPECT_THAT(complaint(tensor + "/type", "float8"),
              HasSubstr("\"float8\" is no type of elements. Known: float32, float16"));
  EXPECT_THAT(complaint(tensor + "/shape", {INT64_MAX, INT64_MAX}),
              HasSubstr("objects[0].tensors[0].shape: "));
  EXPECT_THAT(complaint("/objects/0/mask/runs", {1, 2}), HasSubstr("runs[1]: expected an integer"));
  EXPECT_THAT(complaint("/objects/0/mask/runs", {1}),
              HasSubstr("are 1 pixels, and the mask's size says 2"));
  EXPECT_THAT(complaint("/objects/0/mask/size", {60'000'000, 60'000'000}),
              HasSubstr("size: more than"));
}

TEST(EventReaderErrors, OfWhatIsNoJsonOrNoFrame) {
  EXPECT_THAT(complaint(""), HasSubstr("is no JSON: parse error"));
  EXPECT_THAT(complaint(R"({"frame":0)"), HasSubstr("is no JSON: parse error"));
  EXPECT_THAT(complaint("[1]"), HasSubstr("the line: expected an object, found [1]"));
  EXPECT_THAT(complaint("{}"), HasSubstr("the line: the key \"width\" is missing"));
  EXPECT_THAT(complaint(R"({"frame":1e999,"width":1,"height":1,"objects":[]})"),
              HasSubstr("is no JSON"));
  EXPECT_THAT(complaint("\"\xff\""), HasSubstr("is no JSON"));
  const std::string twice =
      R"({"id":2,"confidence":1,"box":[0,0,1,1]},{"id":2,"confidence":1,"box":[0,0,1,1]})";
  EXPECT_THAT(complaint(R"({"frame":0,"width":1,"height":1,"objects":[)" + twice + "]}"),
              HasSubstr("objects[1].id: another object of the frame has the id 2"));
}

// --- what DL Streamer's readers see

TEST(GvametaconvertLine, HasWhatTheirReadersLookFor) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  sight_frame_set_stream(frame.get(), "door", 3, nullptr);
  const SightBox box = {64, 48, 128.4f, 96};
  SightObject* face = sight_frame_add_object(frame.get(), "face", 1, 0.5f, &box, 0, nullptr);
  sight_object_set_track(face, 9, nullptr);
  const auto ada = IdentityHandle::adopt(sight_identity_new("7", "Ada", 0.75f, "7", "Ada"));
  sight_object_set_identity(face, ada.get(), nullptr);
  const auto age =
      ClassificationHandle::adopt(sight_classification_new("age", "20-29", 2, 0.25f, "ages", 4));
  sight_object_add_classification(face, age.get(), nullptr);
  const std::array values = {0.5f, -1.0f};
  const auto tensor = TensorHandle::adopt(
      wrap_tensor(Tensor::copy_of("embedding", {1, 2}, values), "embed", 5, -1));
  sight_object_add_tensor(face, tensor.get(), nullptr);
  const SightBox outside = {-50, 0, 20, 20};
  sight_frame_add_object(frame.get(), "gone", 1, 0.5f, &outside, 0, nullptr);

  json read = json::parse(gvametaconvert_line(*frame, 40, true));
  ASSERT_EQ(read["objects"].size(), 1u) << "what cannot be seen is left out";
  json& object = read["objects"][0];
  EXPECT_NEAR(object["detection"]["bounding_box"]["x_max"].get<double>(), 192.4 / 640, 1e-6);
  object["detection"]["bounding_box"].erase("x_max");
  const json expected = {{"resolution", {{"width", 640}, {"height", 480}}},
                         {"source", "door"},
                         {"timestamp", 40},
                         {"objects",
                          {{{"x", 64},
                            {"y", 48},
                            {"w", 128},
                            {"h", 96},
                            {"region_id", sight_object_get_id(face)},
                            {"id", 9},
                            {"roi_type", "face"},
                            {"detection",
                             {{"bounding_box", {{"x_min", 0.1}, {"y_min", 0.1}, {"y_max", 0.3}}},
                              {"confidence", 0.5},
                              {"label_id", 1},
                              {"label", "face"}}},
                            {"face_id", {{"label", "Ada"}, {"confidence", 0.75}}},
                            {"age",
                             {{"label", "20-29"},
                              {"confidence", 0.25},
                              {"label_id", 2},
                              {"model", {{"name", "ages"}}}}},
                            {"tensors",
                             {{{"precision", "FP32"},
                               {"layout", "ANY"},
                               {"dims", {1, 2}},
                               {"name", "embedding"},
                               {"layer_name", "embedding"},
                               {"model_name", "embed"},
                               {"data", {0.5, -1.0}}}}}}}}};
  EXPECT_EQ(read, expected) << read.dump(1);
  EXPECT_FALSE(
      json::parse(gvametaconvert_line(*frame, 40, false))["objects"][0].contains("tensors"));
}

}  // namespace
}  // namespace sightline
