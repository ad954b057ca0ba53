// SPDX-License-Identifier: LGPL-2.1-or-later
//
// An element between two pads of the test, and frames to push through it.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sightline/frame.h>

#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

namespace sightline::testing {

struct Unref {
  void operator()(GstBuffer* it) const { gst_buffer_unref(it); }
  void operator()(GstBufferPool* it) const { gst_object_unref(it); }
  void operator()(GstQuery* it) const { gst_query_unref(it); }
  void operator()(GstBus* it) const { gst_object_unref(it); }
  void operator()(GstCaps* it) const { gst_caps_unref(it); }
  void operator()(GstElement* it) const { gst_object_unref(it); }
  void operator()(GstHarness* it) const { gst_harness_teardown(it); }
  void operator()(GstMessage* it) const { gst_message_unref(it); }
  void operator()(SightIdentity* it) const { sight_identity_unref(it); }
  void operator()(SightClassification* it) const { sight_classification_unref(it); }
  void operator()(SightTensor* it) const { sight_tensor_unref(it); }
};

template <typename T>
using Ptr = std::unique_ptr<T, Unref>;

// An element alone, with a bus.
class Element {
 public:
  // `description` as for gst-launch: "sightoverlay mode=blend".
  explicit Element(const std::string& description)
      : harness_(gst_harness_new_parse(description.c_str())), bus_(gst_bus_new()) {
    gst_element_set_bus(harness_->element, bus_.get());
  }
  ~Element() { gst_element_set_bus(harness_->element, nullptr); }

  GstHarness* get() { return harness_.get(); }
  GstElement* element() {  // within the bin that the harness makes around it
    return GST_ELEMENT(GST_BIN_CHILDREN(GST_BIN(harness_->element))->data);
  }
  void set_caps(const std::string& caps) {
    gst_harness_set_src_caps_str(harness_.get(), caps.c_str());
  }
  GstFlowReturn push(Ptr<GstBuffer> buffer) {
    return gst_harness_push(harness_.get(), buffer.release());
  }
  Ptr<GstBuffer> pull() { return Ptr<GstBuffer>(gst_harness_try_pull(harness_.get())); }
  // What comes out if `buffer` goes in; null if the element refused it.
  Ptr<GstBuffer> through(Ptr<GstBuffer> buffer) {
    return push(std::move(buffer)) == GST_FLOW_OK ? pull() : nullptr;
  }
  Ptr<GstMessage> message(GstMessageType types) {
    return Ptr<GstMessage>(gst_bus_pop_filtered(bus_.get(), types));
  }
  // The text of the oldest error or warning that was not asked for yet; empty if there is none.
  std::string error_text() { return text(GST_MESSAGE_ERROR, gst_message_parse_error); }
  std::string warning_text() { return text(GST_MESSAGE_WARNING, gst_message_parse_warning); }

 private:
  template <typename Parse>
  std::string text(GstMessageType type, Parse parse) {
    const Ptr<GstMessage> found = message(type);
    if (found == nullptr) return {};
    GError* error = nullptr;
    parse(found.get(), &error, nullptr);
    std::string result = error->message;
    g_error_free(error);
    return result;
  }

  Ptr<GstHarness> harness_;
  Ptr<GstBus> bus_;
};

inline std::string video_caps(const std::string& format, int width, int height) {
  return "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=30/1";
}

inline GstVideoInfo video_info(const std::string& format, int width, int height) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, gst_video_format_from_string(format.c_str()),
                            static_cast<guint>(width), static_cast<guint>(height));
  return info;
}

// A buffer for `info`, all bytes `fill`, with an empty frame of results.
inline Ptr<GstBuffer> make_buffer(const GstVideoInfo& info, int fill = 0) {
  Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  gst_buffer_memset(buffer.get(), 0, static_cast<guint8>(fill), info.size);
  GST_BUFFER_PTS(buffer.get()) = 0;
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  sight_frame_set_size(frame, static_cast<guint>(info.width), static_cast<guint>(info.height),
                       nullptr);
  return buffer;
}

inline SightObject* add_object(const Ptr<GstBuffer>& buffer, const SightBox& box,
                               const char* label = "thing", gint class_id = 0,
                               float confidence = 0.5f) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  return sight_frame_add_object(frame, label, class_id, confidence, &box, 0, nullptr);
}

inline std::vector<guint8> bytes_of(GstBuffer* buffer) {
  std::vector<guint8> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

// What an element says that cannot start.
inline std::string start_error(const std::string& description) {
  const Ptr<GstElement> element(
      GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(description.c_str(), nullptr))));
  const Ptr<GstBus> bus(gst_bus_new());
  gst_element_set_bus(element.get(), bus.get());
  EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const Ptr<GstMessage> message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  gst_element_set_state(element.get(), GST_STATE_NULL);
  gst_element_set_bus(element.get(), nullptr);
  if (message == nullptr) return "no error";
  GError* error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  std::string text = error->message;
  g_error_free(error);
  return text;
}

}  // namespace sightline::testing
