// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Streams of 1080p NV12 frames that lie in memory, through elements under measurement.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include "core/geometry.h"

namespace sightline::bench {

inline constexpr Size kVideoSize{1920, 1080};

struct Unref {
  void operator()(GstBuffer* it) const { gst_buffer_unref(it); }
  void operator()(GstBus* it) const { gst_object_unref(it); }
  void operator()(GstElement* it) const { gst_object_unref(it); }
  void operator()(GstMessage* it) const { gst_message_unref(it); }
};

template <typename T>
using Ptr = std::unique_ptr<T, Unref>;

// Initialises GStreamer with the plugin at this path. Throws std::runtime_error.
void load_plugin(const std::string& path);

// The pipeline of this description. Throws std::runtime_error, as those below do.
Ptr<GstElement> parse_pipeline(const std::string& description);
// Throws what the pipeline's bus has to complain about, if anything.
void throw_error_of(GstElement* pipeline);

// What a stream shows: its caps, without a frame rate, and frame after frame, lent. Copies share
// the pixels.
struct Frames {
  std::string caps;
  std::function<GstBuffer*(std::uint64_t number)> frame;
};

// Soft stripes with grain, of which no two are equal: pictures without faces, so that the network
// runs once a frame (noise makes the face detector see faces, and look at them again).
class MemoryVideo {
 public:
  MemoryVideo();

  // Frame `number`, from the beginning again after the last. Copies share the pixels.
  GstBuffer* frame(std::uint64_t number) const {
    return frames_[static_cast<std::size_t>(number % frames_.size())].get();
  }
  static std::string caps();  // without a frame rate
  Frames frames() const;      // of this, while it lasts

 private:
  std::vector<Ptr<GstBuffer>> frames_;
};

// A pipeline of its own: frames, as fast as they are taken, through `elements` (as for gst-launch)
// to where they are counted.
class MemoryStream {
 public:
  // `prepare` sees the pipeline before it starts.
  MemoryStream(Frames video, const std::string& elements,
               const std::function<void(GstElement* pipeline)>& prepare = {});
  MemoryStream(const MemoryVideo& video, const std::string& elements)
      : MemoryStream(video.frames(), elements) {}
  ~MemoryStream();  // stops it
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;

  void stop() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  std::uint64_t frames() const { return done_; }  // that arrived at the end
  Ptr<GstElement> element(const char* name) const;
  void wait_for(std::uint64_t frames) const;

 private:
  static void push_next(GstAppSrc* source, guint, gpointer stream);

  const Frames video_;
  std::uint64_t next_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  Ptr<GstElement> pipeline_;
};

// Frames a second of all of them together, over so many seconds.
double frames_per_second(const std::vector<std::unique_ptr<MemoryStream>>& streams, double seconds);

double median(std::vector<double> values);

}  // namespace sightline::bench
