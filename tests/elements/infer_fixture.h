// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer with a network whose answer can be known: the mean of each colour of what it sees.

#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "../patience.h"
#include "harness.h"

namespace sightline::testing {

using sightline::eventually;
using sightline::kPatience;

class InferTest {
 protected:
  static constexpr int kSide = 4;  // of what the network sees

  InferTest() {
    onnx::Builder network("mean");
    network.input("image", ElementType::kFloat32, {-1, 3, kSide, kSide});
    network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
    network.node("GlobalAveragePool", {"image"}, {"mean"});
    folder_.write("mean.onnx", network.file());
  }

  // The path of a configuration with these keys as well.
  std::string config(const std::string& keys = "", int workers = 2,
                     const std::string& network = "mean") const {
    return folder_
        .write(network + ".ini",
               "[property]\nonnx-file = " + network +
                   ".onnx\nmodel-family = raw\nbatch-size = 4\nengine-workers = " +
                   std::to_string(workers) + "\nengine-threads = 1\n" + keys)
        .string();
  }
  // One whose runs take a few milliseconds.
  std::string heavy_config(const std::string& keys = "", int workers = 1) const {
    constexpr std::int64_t kSize = 160, kMaps = 16, kKernel = 7;
    onnx::Builder network("heavy");
    network.input("image", ElementType::kFloat32, {-1, 3, kSize, kSize});
    network.output("mean", ElementType::kFloat32, {-1, kMaps, 1, 1});
    network.constant("weights", {kMaps, 3, kKernel, kKernel},
                     test::random_floats(kMaps * 3 * kKernel * kKernel, 1));
    network.node("Conv", {"image", "weights"}, {"maps"});
    network.node("GlobalAveragePool", {"maps"}, {"mean"});
    folder_.write("heavy.onnx", network.file());
    return config(keys, workers, "heavy");
  }

  static std::unique_ptr<Element> element(const std::string& config, int max_in_flight,
                                          const std::string& properties = "") {
    auto result = std::make_unique<Element>("sightinfer config-file=" + config + " max-in-flight=" +
                                            std::to_string(max_in_flight) + " " + properties);
    result->set_caps(caps(8, 6));
    return result;
  }

  static std::string caps(int width, int height) {
    return "video/x-raw,format=RGB,width=" + std::to_string(width) +
           ",height=" + std::to_string(height) + ",framerate=25/1";
  }

  // A frame of one colour. Rows of RGB are padded to four bytes.
  static Ptr<GstBuffer> frame(int width, int height, guint8 red, guint8 green, guint8 blue) {
    const gsize stride = (static_cast<gsize>(width) * 3 + 3) / 4 * 4;
    Ptr<GstBuffer> buffer(
        gst_buffer_new_allocate(nullptr, stride * static_cast<gsize>(height), nullptr));
    GstMapInfo map;
    gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        guint8* pixel = map.data + static_cast<gsize>(y) * stride + static_cast<gsize>(x) * 3;
        pixel[0] = red, pixel[1] = green, pixel[2] = blue;
      }
    gst_buffer_unmap(buffer.get(), &map);
    return buffer;
  }
  static Ptr<GstBuffer> grey(int level) {
    const auto value = static_cast<guint8>(level);
    return frame(8, 6, value, value, value);
  }
  static Ptr<GstBuffer> timed(Ptr<GstBuffer> buffer, GstClockTime pts) {
    GST_BUFFER_PTS(buffer.get()) = pts;
    GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / 25;
    return buffer;
  }

  // What the network says of a frame of one colour. The stand-in for the runtime says another
  // thing: the sum of the bytes of its input.
  static std::vector<float> mean(float red, float green, float blue) {
#ifdef STUB_RUNTIME
    unsigned sum = 0;
    for (const float value : {red, green, blue}) {
      unsigned char bytes[sizeof value];
      std::memcpy(bytes, &value, sizeof value);
      for (const unsigned char byte : bytes) sum += byte;
    }
    return std::vector<float>(3, static_cast<float>(sum * kSide * kSide));
#else
    return {red, green, blue};
#endif
  }
  static std::vector<float> mean(float level) { return mean(level, level, level); }

  static std::vector<float> values(const SightTensor* tensor) {
    gsize count = 0;
    const gfloat* floats = sight_tensor_get_floats(tensor, &count, nullptr);
    return floats == nullptr ? std::vector<float>{} : std::vector<float>(floats, floats + count);
  }
  static std::vector<float> values(const Ptr<GstBuffer>& buffer) {
    return values(sight_frame_find_tensor(sight_buffer_get_frame(buffer.get()), "mean"));
  }
  static Ptr<GstBuffer> pull(Element& stage) {
    return Ptr<GstBuffer>(gst_harness_pull(stage.get()));
  }

  // Why the stage did not look at the frame; empty if it did.
  static std::string skipped(GstBuffer* buffer, int unique_id) {
    const GValue* reason = sight_frame_get_user_data(
        sight_buffer_get_frame(buffer), ("sightline-skipped:" + std::to_string(unique_id)).c_str());
    return reason == nullptr ? "" : g_value_get_string(reason);
  }

  template <typename T>
  static T figure(GstElement* stage, const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(stage, "stats", &stats, nullptr);
    const GValue* value = gst_structure_get_value(stats, name);
    T result = static_cast<T>(-1);
    if (value == nullptr)
      ADD_FAILURE() << "no figure " << name;
    else if (G_VALUE_HOLDS_DOUBLE(value))
      result = static_cast<T>(g_value_get_double(value));
    else if (G_VALUE_HOLDS_UINT64(value))
      result = static_cast<T>(g_value_get_uint64(value));
    else if (G_VALUE_HOLDS_INT(value))
      result = static_cast<T>(g_value_get_int(value));
    gst_structure_free(stats);
    return result;
  }

  test::TemporaryFolder folder_;
};

// A pipeline that is set to NULL at the end.
class Pipeline {
 public:
  explicit Pipeline(const std::string& description) {
    GError* error = nullptr;
    pipeline_.reset(
        GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(description.c_str(), &error))));
    if (error != nullptr) ADD_FAILURE() << error->message;
    g_clear_error(&error);
    bus_.reset(gst_element_get_bus(pipeline_.get()));
  }
  ~Pipeline() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  GstElement* get() { return pipeline_.get(); }
  Ptr<GstElement> element(const char* name) {
    return Ptr<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }
  GstStateChangeReturn set(GstState state) { return gst_element_set_state(pipeline_.get(), state); }
  bool reach(GstState state) {
    set(state);
    return gst_element_get_state(pipeline_.get(), nullptr, nullptr, patience()) ==
           GST_STATE_CHANGE_SUCCESS;
  }
  Ptr<GstMessage> wait_for(GstMessageType types) {
    return Ptr<GstMessage>(gst_bus_timed_pop_filtered(bus_.get(), patience(), types));
  }
  // Whether it came to its end without an error.
  bool ends() {
    const auto message = wait_for(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    return message != nullptr && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS;
  }
  void forget_messages() {
    gst_bus_set_flushing(bus_.get(), TRUE), gst_bus_set_flushing(bus_.get(), FALSE);
  }

 private:
  static GstClockTime patience() {
    return static_cast<GstClockTime>(std::chrono::nanoseconds(kPatience).count());
  }

  Ptr<GstElement> pipeline_;
  Ptr<GstBus> bus_;
};

// What passes a pad, for as long as this lives.
class PadWatch {
 public:
  // `seen` is called for each buffer and downstream event, in order. What it returns for a buffer
  // other than OK is what the push comes to; the buffer is dropped.
  using Seen = std::function<GstFlowReturn(GstBuffer*, GstEvent*)>;

  PadWatch(GstPad* pad, Seen seen) : pad_(GST_PAD(gst_object_ref(pad))), seen_(std::move(seen)) {
    probe_ = gst_pad_add_probe(pad_,
                               static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                            GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                                            GST_PAD_PROBE_TYPE_EVENT_FLUSH),
                               &PadWatch::probe, this, nullptr);
  }
  PadWatch(const PadWatch&) = delete;
  PadWatch& operator=(const PadWatch&) = delete;
  ~PadWatch() {
    gst_pad_remove_probe(pad_, probe_);
    gst_object_unref(pad_);
  }

 private:
  static GstPadProbeReturn probe(GstPad*, GstPadProbeInfo* info, gpointer self) {
    const Seen& seen = static_cast<PadWatch*>(self)->seen_;
    if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
      seen(nullptr, GST_PAD_PROBE_INFO_EVENT(info));
      return GST_PAD_PROBE_OK;
    }
    const GstFlowReturn flow = seen(GST_PAD_PROBE_INFO_BUFFER(info), nullptr);
    if (flow == GST_FLOW_OK) return GST_PAD_PROBE_OK;
    gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = nullptr;
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = flow;
    return GST_PAD_PROBE_HANDLED;
  }

  GstPad* pad_;
  Seen seen_;
  gulong probe_;
};

}  // namespace sightline::testing
