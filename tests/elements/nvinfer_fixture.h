// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Small networks of each kind, a scene for them to look at, and all that a stage says of it as
// text.

#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "harness.h"
#include "sightline/frame.h"

namespace sightline::testing {

// The infos or warnings of a stage that opens.
inline std::string said_when_opened(const std::string& description, GstMessageType type) {
  const Ptr<GstElement> element(
      GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(description.c_str(), nullptr))));
  const Ptr<GstBus> bus(gst_bus_new());
  gst_element_set_bus(element.get(), bus.get());
  gst_element_set_state(element.get(), GST_STATE_PAUSED);
  std::string text;
  while (const Ptr<GstMessage> message{gst_bus_pop_filtered(bus.get(), type)}) {
    GError* error = nullptr;
    if (type == GST_MESSAGE_INFO)
      gst_message_parse_info(message.get(), &error, nullptr);
    else
      gst_message_parse_warning(message.get(), &error, nullptr);
    text += std::string(error->message) + "\n";
    g_error_free(error);
  }
  gst_element_set_state(element.get(), GST_STATE_NULL);
  gst_element_set_bus(element.get(), nullptr);
  return text;
}

// The scene is 64×48: left half dark, right half light, with noise, and three objects, two of which
// have tracks. Results of networks depend on what they see.
class NvinferTest {
 protected:
  static constexpr int kWidth = 64, kHeight = 48, kSide = 16;
  static constexpr guint kStage = 5;

  NvinferTest() {
    write_mean();
    write_open();
    write_detector();
    write_masks();
    write_map();
  }

  // A configuration of the network with these keys of [property], and what else.
  std::string config(const std::string& network, const std::string& keys,
                     const std::string& groups = "", const std::string& ending = ".ini") const {
    return folder_
        .write(network + ending, "[property]\nonnx-file=" + network +
                                     ".onnx\nengine-workers=1\nengine-threads=1\n" + keys + "\n" +
                                     groups)
        .string();
  }
  std::string bare_config(const std::string& name, const std::string& text) const {
    return folder_.write(name, text).string();
  }

  // The picture's pixel: noise on two levels.
  static int pixel(int x, int y) {
    return (x < kWidth / 2 ? 40 : 180) + (x * 37 + y * 91 + x * y * 13) % 30;
  }
  static Ptr<GstBuffer> picture(int darker = 0) {
    Ptr<GstBuffer> buffer(make_buffer(video_info("RGB", kWidth, kHeight)));
    GstMapInfo map;
    gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x)
        for (int channel = 0; channel < 3; ++channel)
          map.data[(y * kWidth + x) * 3 + channel] =
              static_cast<guint8>(std::max(pixel(x, y) - 15 * channel - darker, 0));
    gst_buffer_unmap(buffer.get(), &map);
    return buffer;
  }
  static Ptr<GstBuffer> scene(guint64 number, const std::string& stream = "door") {
    Ptr<GstBuffer> buffer = picture();
    sight_frame_set_stream(sight_buffer_edit_frame(buffer.get(), nullptr), stream.c_str(), number,
                           nullptr);
    SightObject* car = add_object(buffer, {3.4f, 5.7f, 21, 17}, "car", 0, 0.9f);
    sight_object_set_track(car, 1, nullptr);
    sight_object_set_stage_id(car, 1, nullptr);
    SightObject* person = add_object(buffer, {36, 8, 9, 31}, "person", 1, 0.8f);
    sight_object_set_track(person, 2, nullptr);
    sight_object_set_stage_id(person, 2, nullptr);
    add_object(buffer, {50, 30, 10, 10}, "bag", 2, 0.7f);
    return buffer;
  }

  static std::unique_ptr<Element> stage(const std::string& config_file,
                                        const std::string& properties = "") {
    auto element =
        std::make_unique<Element>("sightinfer name=stage unique-id=" + std::to_string(kStage) +
                                  " config-file=" + config_file + " max-in-flight=1 " + properties);
    element->set_caps(video_caps("RGB", kWidth, kHeight));
    return element;
  }

  // What is on a frame: objects, classifications, tensors with their values, user data of stages.
  static std::string described(const SightFrame* frame) {
    std::ostringstream text;
    gchar* json = sight_frame_to_json(frame, GST_CLOCK_TIME_NONE);
    text << without_ids(json) << '\n';
    g_free(json);
    for (guint i = 0; i < sight_frame_get_n_tensors(frame); ++i)
      describe(text, "frame", sight_frame_get_tensor(frame, i));
    for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
      const SightObject* object = sight_frame_get_object(frame, i);
      for (guint t = 0; t < sight_object_get_n_tensors(object); ++t)
        describe(text, sight_object_get_label(object), sight_object_get_tensor(object, t));
      if (const GValue* colors = sight_object_get_user_data(object, "overlay-colors")) {
        gchar* value = gst_value_serialize(colors);
        text << value << '\n';
        g_free(value);
      }
    }
    return text.str();
  }

  // Object ids are unique in the process.
  static std::string without_ids(const std::string& json) {
    std::string result;
    for (std::size_t i = 0; i < json.size(); ++i) {
      result += json[i];
      for (const char* key : {"\"id\":", "\"parent\":"})
        if (result.ends_with(key))
          while (i + 1 < json.size() && std::isdigit(json[i + 1])) ++i;
    }
    return result;
  }

  static void describe(std::ostream& text, const char* whose, const SightTensor* tensor) {
    guint dimensions = 0;
    const gint64* shape = sight_tensor_get_shape(tensor, &dimensions);
    text << whose << ' ' << sight_tensor_get_name(tensor) << '#'
         << sight_tensor_get_stage_id(tensor) << " row " << sight_tensor_get_row(tensor) << " type "
         << sight_tensor_get_element_type(tensor) << " [";
    for (guint i = 0; i < dimensions; ++i) text << shape[i] << ' ';
    text << ']';
    gsize size = 0;
    const auto* bytes =
        static_cast<const unsigned char*>(sight_tensor_get_data(tensor, &size, nullptr));
    for (gsize i = 0; i < std::min<gsize>(size, 4096); ++i) text << ' ' << int{bytes[i]};
    text << '\n';
  }

  test::TemporaryFolder folder_;

 private:
  // The mean of each channel of what is seen, and in a second output the largest of each.
  void write_mean() {
    onnx::Builder network("mean");
    network.input("image", ElementType::kFloat32, {-1, 3, kSide, kSide});
    network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
    network.output("largest", ElementType::kFloat32, {-1, 3, 1, 1});
    network.node("GlobalAveragePool", {"image"}, {"mean"});
    network.node("GlobalMaxPool", {"image"}, {"largest"});
    folder_.write("mean.onnx", network.file());
  }
  void write_open() {
    onnx::Builder network("open");
    network.input("image", ElementType::kFloat32, {-1, 3, -1, -1});
    network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
    network.node("GlobalAveragePool", {"image"}, {"mean"});
    folder_.write("open.onnx", network.file());
  }
  // Two classes and four boxes, wherever it looks: rows 0 and 1 overlap (IoU 0.43), row 2 is of the
  // other class, row 3 small and weak.
  void write_detector() {
    const std::vector<float> scores = {0.02f, 0.9f, 0.1f, 0.05f, 0.8f, 0.1f,
                                       0.02f, 0.1f, 0.6f, 0.6f,  0.3f, 0.1f};
    const std::vector<float> boxes = {0.1f, 0.1f, 0.5f, 0.5f, 0.2f, 0.15f, 0.6f, 0.55f,
                                      0.6f, 0.5f, 0.9f, 0.9f, 0.7f, 0.05f, 0.8f, 0.15f};
    onnx::Builder network("detector");
    network.input("image", ElementType::kFloat32, {-1, 3, kSide, kSide});
    test::add_constant_output(network, "image", "scores", {4, 3}, scores);
    test::add_constant_output(network, "image", "boxes", {4, 4}, boxes);
    folder_.write("detector.onnx", network.file());
  }
  // A YOLOv8 of one class and one prototype: one object, of which half a mask is likely.
  void write_masks() {
    onnx::Builder network("masks");
    network.input("image", ElementType::kFloat32, {-1, 3, kSide, kSide});
    std::vector<float> boxes(6 * 7, 0);
    const float row[] = {8, 8, 12, 12, 0.9f, 1};  // centre, size, score, weight
    for (std::size_t i = 0; i < std::size(row); ++i) boxes[i * 7] = row[i];
    test::add_constant_output(network, "image", "boxes", {6, 7}, boxes);
    std::vector<float> prototypes(16, -3);
    std::fill_n(prototypes.begin(), 8, 3.0f);
    test::add_constant_output(network, "image", "prototypes", {1, 4, 4}, prototypes);
    folder_.write("masks.onnx", network.file());
  }
  // Scores of three classes for 3 × 3 pixels, or as many pixels of as many classes.
  void write_map() {
    onnx::Builder network("map");
    network.input("image", ElementType::kFloat32, {-1, 3, kSide, kSide});
    std::vector<float> scores(27);
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i] = static_cast<float>(i * 11 % 27) / 40;
    test::add_constant_output(network, "image", "map", {3, 3, 3}, scores);
    folder_.write("map.onnx", network.file());
  }
};

}  // namespace sightline::testing
