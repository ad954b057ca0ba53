// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/picture_reader.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include "app/frame_size.h"
#include "app/input.h"
#include "app/pipeline.h"
#include "core/error.h"

namespace sightline {

namespace {

constexpr GstClockTime kPatience = 60 * GST_SECOND;
constexpr GstClockTime kPoll = 50 * GST_MSECOND;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kInput, path + ": " + what);
}

void check_size(const std::string& path, int width, int height) {
  if (const std::string objection = size_objection(width, height); !objection.empty())
    fail(path, objection);
}

// Before the decoder makes room for it.
void check_content(const std::string& path) {
  const Content content = content_of(path);
  if (content.type.rfind("image/", 0) != 0)
    fail(path, "is no picture (" +
                   (content.type.empty() ? "of a kind that nobody knows" : content.type) +
                   "). Give a JPEG or PNG file; for clips there is `sightline run`.");
  if (content.width > 0 && content.height > 0) check_size(path, content.width, content.height);
}

SamplePtr await_sample(const Pipeline& pipeline, GstElement* sink, const std::string& path) {
  for (GstClockTime waited = 0; waited < kPatience; waited += kPoll) {
    SamplePtr sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink), kPoll));
    if (sample != nullptr) return sample;
    pipeline.throw_pending_error(path + ": cannot be decoded");
    if (gst_app_sink_is_eos(GST_APP_SINK(sink)))
      fail(path, "holds no whole picture. It is damaged or cut off; copy it again.");
  }
  fail(path, "was not decoded within a minute.");
}

}  // namespace

SamplePtr read_picture(const std::string& path) {
  check_content(path);
  Pipeline pipeline;
  GstElement* source = pipeline.add("filesrc");
  GstElement* decoder = pipeline.add("decodebin");
  GstElement* converter = pipeline.add("videoconvert");
  // Decoders of pictures may tell no time; what follows wants a segment in time.
  GstElement* frame = pipeline.add("imagefreeze");
  GstElement* upright = pipeline.add("videoflip");
  GstElement* sink = pipeline.add("appsink");
  g_object_set(source, "location", path.c_str(), nullptr);
  g_object_set(frame, "num-buffers", 1, nullptr);
  gst_util_set_object_arg(G_OBJECT(upright), "video-direction", "auto");
  g_object_set(sink, "sync", FALSE, "caps", readable_caps().get(), nullptr);
  pipeline.link({source, decoder});
  pipeline.link({converter, frame, upright, sink});
  link_video_pad(decoder, converter);
  pipeline.set_state(GST_STATE_PLAYING, path);
  SamplePtr sample = await_sample(pipeline, sink, path);
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())))
    fail(path, "was decoded to something that is no picture.");
  check_size(path, GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
  return sample;
}

}  // namespace sightline
