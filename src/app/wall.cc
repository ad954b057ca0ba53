// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/wall.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include "app/display.h"
#include "app/exit_status.h"
#include "app/video_source.h"
#include "core/error.h"

namespace sightline {

namespace {

constexpr int kPicturesPerSecond = 15;
constexpr std::size_t kMostSmallTiles = 4;  // more need the larger wall
constexpr guint8 kGrey = 96;
constexpr GstClockTime kPatienceAtEnd = 30 * GST_SECOND;

CapsPtr raw_caps(Size size, int rate) {
  return CapsPtr(gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, size.width, "height",
      G_TYPE_INT, size.height, "interlace-mode", G_TYPE_STRING, "progressive", "pixel-aspect-ratio",
      GST_TYPE_FRACTION, 1, 1, "framerate", GST_TYPE_FRACTION, rate, 1, nullptr));
}

SamplePtr grey_picture(Size size) {
  const CapsPtr caps = raw_caps(size, 0);
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps.get());
  const BufferPtr buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  GstVideoFrame frame;
  gst_video_frame_map(&frame, &info, buffer.get(), GST_MAP_WRITE);
  for (guint plane = 0; plane < 3; ++plane)
    std::memset(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane), plane == 0 ? kGrey : 128,
                static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane)) *
                    static_cast<std::size_t>(GST_VIDEO_FRAME_COMP_HEIGHT(&frame, plane)));
  gst_video_frame_unmap(&frame);
  return SamplePtr(gst_sample_new(buffer.get(), caps.get(), nullptr, nullptr));
}

// Without the times of its own pipeline, which are not the wall's: the source stamps it anew.
SamplePtr without_times(GstSample* picture) {
  const BufferPtr buffer(gst_buffer_copy(gst_sample_get_buffer(picture)));
  GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer.get()) = GST_CLOCK_TIME_NONE;
  return SamplePtr(gst_sample_new(buffer.get(), gst_sample_get_caps(picture), nullptr, nullptr));
}

}  // namespace

WallLayout WallLayout::of(std::size_t tiles) {
  WallLayout layout;
  layout.wall = tiles <= kMostSmallTiles ? Size{1280, 720} : Size{1920, 1080};
  layout.columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(tiles))));
  const int rows = (static_cast<int>(tiles) + layout.columns - 1) / layout.columns;
  const auto even = [](int side) { return std::max(side & ~1, 2); };  // for half the chroma
  layout.tile = {even(layout.wall.width / layout.columns), even(layout.wall.height / rows)};
  return layout;
}

void Wall::require_fitting(const std::filesystem::path& target) {
  if (Recording::has_known_ending(target) && !Recording::holds_picture(target)) return;
  throw UsageError("--wall " + target.string() +
                   ": holds no video. Give a name that ends in .mp4, .mov or .mkv.");
}

Wall::Wall(const std::vector<std::string>& names, const std::filesystem::path& target)
    : layout_(WallLayout::of(names.size())), grey_(grey_picture(layout_.tile)) {
  if (!target.empty()) require_fitting(target);
  GstElement* compositor = add_compositor();
  tiles_.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) add_tile(names[i], compositor, i);
  composed_ = pipeline_.add("capsfilter");
  g_object_set(composed_, "caps", raw_caps(layout_.wall, kPicturesPerSecond).get(), nullptr);
  pipeline_.link({compositor, composed_});
  if (target.empty()) {
    window_ = add_display(pipeline_, composed_, "or write a file: --wall FILE.").window;
  } else {
    recording_ = std::make_unique<Recording>(pipeline_, target);
    pipeline_.link({composed_, recording_->first()});
  }
  pipeline_.set_state(GST_STATE_PLAYING, "the wall");
  for (std::size_t i = 0; i < tiles_.size(); ++i) set_down(i);
}

// Before the members that its threads use.
Wall::~Wall() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

GstElement* Wall::add_compositor() {
  GstElement* compositor = pipeline_.add("compositor");
  gst_util_set_object_arg(G_OBJECT(compositor), "background", "black");
  // How late a picture may be and still be shown in its turn.
  g_object_set(compositor, "latency", guint64{200 * GST_MSECOND}, nullptr);
  return compositor;
}

void Wall::add_tile(const std::string& name, GstElement* compositor, std::size_t index) {
  Tile& tile = tiles_[index];
  tile.name = name;
  tile.source = pipeline_.add("appsrc");
  g_object_set(tile.source, "is-live", TRUE, "do-timestamp", TRUE, "format", GST_FORMAT_TIME,
               "max-buffers", guint64{2}, "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, nullptr);
  GstElement* converter = pipeline_.add("videoconvert");
  GstElement* scaler = pipeline_.add("videoscale");
  GstElement* filter = pipeline_.add("capsfilter");
  g_object_set(scaler, "add-borders", TRUE, nullptr);
  g_object_set(filter, "caps",
               CapsPtr(gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT, layout_.tile.width,
                                           "height", G_TYPE_INT, layout_.tile.height,
                                           "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr))
                   .get(),
               nullptr);
  tile.caption = pipeline_.add("textoverlay");
  gst_util_set_object_arg(G_OBJECT(tile.caption), "valignment", "top");
  gst_util_set_object_arg(G_OBJECT(tile.caption), "halignment", "left");
  g_object_set(tile.caption, "shaded-background", TRUE, "font-desc", "Sans 14", nullptr);
  pipeline_.link({tile.source, converter, scaler, filter, tile.caption});

  const PadPtr from(gst_element_get_static_pad(tile.caption, "src"));
  const PadPtr to(gst_element_request_pad_simple(compositor, "sink_%u"));
  g_object_set(to.get(), "xpos", layout_.x(index), "ypos", layout_.y(index), nullptr);
  if (GST_PAD_LINK_FAILED(gst_pad_link(from.get(), to.get())))
    throw Error(ErrorCode::kFailed, "the wall: a tile cannot be linked to the compositor.");
}

void Wall::show(std::size_t index, GstSample* picture) {
  Tile& tile = tiles_[index];
  const GstClockTime now = gst_util_get_timestamp();
  {
    const std::lock_guard lock(mutex_);
    if (now < tile.next) return;
    tile.next = now + GST_SECOND / kPicturesPerSecond;
  }
  g_object_set(tile.caption, "text", tile.name.c_str(), nullptr);
  gst_app_src_push_sample(GST_APP_SRC(tile.source), without_times(picture).get());
}

void Wall::set_down(std::size_t index) {
  const Tile& tile = tiles_[index];
  g_object_set(tile.caption, "text", (tile.name + ": no picture").c_str(), nullptr);
  gst_app_src_push_sample(GST_APP_SRC(tile.source), without_times(grey_.get()).get());
}

bool Wall::closed() {
  const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_LATENCY);
  while (const MessagePtr message{gst_bus_pop_filtered(pipeline_.bus(), wanted)}) {
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_LATENCY) {
      gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
      continue;
    }
    if (is_inside(message.get(), window_)) return true;
    throw Error(ErrorCode::kFailed, "the wall: " + describe(message.get()));
  }
  return false;
}

void Wall::finish() {
  // Behind the compositor, which would go on for a moment without the tiles that end first.
  const PadPtr pad(gst_element_get_static_pad(composed_, "sink"));
  gst_pad_send_event(pad.get(), gst_event_new_eos());
  const MessagePtr message(
      gst_bus_timed_pop_filtered(pipeline_.bus(), kPatienceAtEnd,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  if (recording_ == nullptr) return;
  if (message == nullptr)
    throw Error(ErrorCode::kFailed, recording_->target().string() + ": does not come to its end.");
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR)
    throw Error(ErrorCode::kFailed, recording_->target().string() + ": " + describe(message.get()));
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  recording_->finish();
}

}  // namespace sightline
