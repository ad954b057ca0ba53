// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/recording.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include <gst/video/video.h>

#include "app/exit_status.h"
#include "core/error.h"

namespace sightline {

namespace {

struct Packing {
  std::vector<const char*> encoders;  // in order of preference
  const char* muxer;                  // none: pictures need no packing
};

const Packing* packing_of(const std::filesystem::path& target) {
  const std::vector<const char*> h264 = {"x264enc", "openh264enc"};
  static const std::map<std::string, Packing> known = {
      {".mp4", {h264, "mp4mux"}},       {".m4v", {h264, "mp4mux"}},
      {".mov", {h264, "qtmux"}},        {".mkv", {h264, "matroskamux"}},
      {".jpg", {{"jpegenc"}, nullptr}}, {".jpeg", {{"jpegenc"}, nullptr}},
      {".png", {{"pngenc"}, nullptr}}};
  std::string ending = target.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto found = known.find(ending);
  return found == known.end() ? nullptr : &found->second;
}

GstElement* add_encoder(Pipeline& pipeline, const std::vector<const char*>& choices) {
  for (const char* choice : choices)
    if (FactoryPtr(gst_element_factory_find(choice)) != nullptr) return pipeline.add(choice);
  return pipeline.add(choices.front());  // which says how to get it
}

void configure(GstElement* encoder) {
  const std::string name = GST_OBJECT_NAME(gst_element_get_factory(encoder));
  if (name != "x264enc") return;
  gst_util_set_object_arg(G_OBJECT(encoder), "pass", "quant");
  gst_util_set_object_arg(G_OBJECT(encoder), "speed-preset", "veryfast");
  // Frames that refer to later ones would be held back, 30 MB of them at 1280x480.
  g_object_set(encoder, "quantizer", 23, "bframes", 0, nullptr);
}

// H.264 with half the chroma, which every player knows, has even sides only.
CapsPtr caps_for(const GstVideoInfo& video) {
  const auto even = [](int side) { return std::max(2, side & ~1); };
  return CapsPtr(gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
      even(GST_VIDEO_INFO_WIDTH(&video)), "height", G_TYPE_INT, even(GST_VIDEO_INFO_HEIGHT(&video)),
      "pixel-aspect-ratio", GST_TYPE_FRACTION, GST_VIDEO_INFO_PAR_N(&video),
      GST_VIDEO_INFO_PAR_D(&video), nullptr));
}

// A file has one size: that of its first frame. Later ones are scaled to it.
GstPadProbeReturn fix_size(GstPad*, GstPadProbeInfo* info, gpointer filter) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) return GST_PAD_PROBE_REMOVE;
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  GstVideoInfo video;
  if (!gst_video_info_from_caps(&video, caps)) return GST_PAD_PROBE_OK;
  g_object_set(filter, "caps", caps_for(video).get(), nullptr);
  return GST_PAD_PROBE_OK;
}

}  // namespace

bool Recording::has_known_ending(const std::filesystem::path& target) {
  return packing_of(target) != nullptr;
}

void Recording::require_known_ending(const std::filesystem::path& target) {
  if (!has_known_ending(target))
    throw UsageError("--out " + target.string() +
                     ": expected a name that ends in .mp4, .mov or .mkv for a clip, .jpg or .png "
                     "for a picture.");
}

bool Recording::holds_picture(const std::filesystem::path& target) {
  const Packing* packing = packing_of(target);
  return packing != nullptr && packing->muxer == nullptr;
}

Recording::Recording(Pipeline& pipeline, const std::filesystem::path& target)
    : file_((require_known_ending(target), target)) {
  const Packing& packing = *packing_of(target);
  GstElement* queue = pipeline.add("queue");
  GstElement* converter = pipeline.add("videoconvert");
  GstElement* encoder = add_encoder(pipeline, packing.encoders);
  GstElement* sink = pipeline.add("filesink");
  g_object_set(queue, "max-size-buffers", 4, "max-size-bytes", 0, "max-size-time", guint64{0},
               nullptr);
  g_object_set(sink, "location", file_.path().c_str(), "sync", FALSE, nullptr);
  configure(encoder);
  first_ = queue;
  pipeline.link({pipeline.download_behind(queue), converter});
  if (packing.muxer == nullptr) {
    pipeline.link({converter, encoder, sink});
    return;
  }
  GstElement* scaler = pipeline.add("videoscale");
  GstElement* filter = pipeline.add("capsfilter");
  GstElement* parser = pipeline.add("h264parse");
  GstElement* muxer = pipeline.add(packing.muxer);
  pipeline.link({converter, scaler, filter, encoder, parser, muxer, sink});
  const PadPtr pad(gst_element_get_static_pad(queue, "sink"));
  const auto what =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER);
  gst_pad_add_probe(pad.get(), what, fix_size, filter, nullptr);
}

}  // namespace sightline
