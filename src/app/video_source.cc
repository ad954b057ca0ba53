// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/video_source.h"

#include <gst/video/video.h>

#include "app/frame_size.h"
#include "app/upright.h"

namespace sightline {

namespace {

constexpr unsigned kRtspLatency = 200;  // milliseconds of jitter to wait for

// GStreamer's own default waits two seconds for late packets.
void shorten_latency(GstElement*, GstElement* source, gpointer) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(source), "drop-on-latency") == nullptr)
    return;
  g_object_set(source, "latency", kRtspLatency, "drop-on-latency", TRUE, nullptr);
}

GstPadProbeReturn refuse_size(GstPad*, GstPadProbeInfo* info, gpointer decoder) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  GstCaps* caps = nullptr;
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  gst_event_parse_caps(event, &caps);
  GstVideoInfo video;
  if (!gst_video_info_from_caps(&video, caps)) return GST_PAD_PROBE_OK;
  const std::string objection =
      size_objection(GST_VIDEO_INFO_WIDTH(&video), GST_VIDEO_INFO_HEIGHT(&video));
  if (objection.empty()) return GST_PAD_PROBE_OK;
  GST_ELEMENT_ERROR(decoder, STREAM, WRONG_TYPE, ("%s", objection.c_str()), (nullptr));
  return GST_PAD_PROBE_DROP;
}

}  // namespace

bool is_inside(GstMessage* message, GstElement* element) {
  GstObject* source = GST_MESSAGE_SRC(message);
  return element != nullptr && source != nullptr &&
         (source == GST_OBJECT(element) || gst_object_has_as_ancestor(source, GST_OBJECT(element)));
}

VideoSource::VideoSource(Pipeline& pipeline, const Input& input, bool live) {
  queue_ = pipeline.add("queue");
  g_object_set(queue_, "max-size-buffers", 4, "max-size-bytes", 0, "max-size-time", guint64{0},
               nullptr);
  if (live) let_the_newest_win();
  decoder_ = add_decoder(pipeline, input);
  link_video_pad(decoder_, queue_);
  gst_pad_add_probe(decoded().get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, refuse_size, decoder_,
                    nullptr);
  last_ = pipeline.add("videoconvert");
  pipeline.link({queue_, last_});
  turn_upright_behind(last_);
}

// Adds what opens the input and what decodes it, and gives the latter.
GstElement* VideoSource::add_decoder(Pipeline& pipeline, const Input& input) {
  if (input.kind == InputKind::kAddress) {
    source_ = pipeline.add("uridecodebin");
    g_object_set(source_, "uri", input.text.c_str(), nullptr);
    g_signal_connect(source_, "source-setup", G_CALLBACK(shorten_latency), nullptr);
    return source_;
  }
  if (input.kind == InputKind::kFragment) {
    source_ = pipeline.add_fragment(input.text);
  } else {
    const bool camera = input.kind == InputKind::kCamera;
    source_ = pipeline.add(camera ? "v4l2src" : "filesrc");
    g_object_set(source_, camera ? "device" : "location", input.text.c_str(), nullptr);
  }
  GstElement* decoder = pipeline.add("decodebin");
  pipeline.link({source_, decoder});
  return decoder;
}

PadPtr VideoSource::decoded() const { return PadPtr(gst_element_get_static_pad(queue_, "sink")); }

bool VideoSource::is_subject_of(GstMessage* message) const {
  return is_inside(message, source_) || is_inside(message, decoder_);
}

void VideoSource::let_the_newest_win() const {
  gst_util_set_object_arg(G_OBJECT(queue_), "leaky", "downstream");
  g_object_set(queue_, "max-size-buffers", 1, nullptr);
}

void VideoSource::end() const { gst_pad_send_event(decoded().get(), gst_event_new_eos()); }

GstClockTime VideoSource::duration() const {
  gint64 duration = 0;
  if (!gst_pad_peer_query_duration(decoded().get(), GST_FORMAT_TIME, &duration) || duration < 0)
    return 0;
  return static_cast<GstClockTime>(duration);
}

}  // namespace sightline
