// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include "app/gst_pointer.h"
#include "app/pipeline.h"
#include "core/error.h"

namespace sightline {

namespace {

// How large a picture is, and how much around the face is in it.
struct Framing {
  int largest_side;
  float around;  // of the face's size, on each side
};

constexpr Framing kThumbnail{128, 0.3f};
// The alignment templates of dlib and ArcFace reach about a third of the face beyond its box.
constexpr Framing kCrop{256, 0.4f};

struct Crop {
  guint x, y, width, height;
};

Crop crop_around(const Rect& face, int width, int height, float around) {
  const float side = std::max(face.width, face.height) * (1 + 2 * around);
  const float x = face.x + face.width / 2 - side / 2, y = face.y + face.height / 2 - side / 2;
  const float left = std::clamp(x, 0.0f, width - 1.0f), top = std::clamp(y, 0.0f, height - 1.0f);
  const float right = std::clamp(x + side, left + 1, static_cast<float>(width));
  const float bottom = std::clamp(y + side, top + 1, static_cast<float>(height));
  return {static_cast<guint>(left), static_cast<guint>(top), static_cast<guint>(right - left),
          static_cast<guint>(bottom - top)};
}

struct FreeConverter {
  void operator()(GstVideoConverter* converter) const { gst_video_converter_free(converter); }
};

// The pixels of a buffer, as long as this is there.
class Pixels {
 public:
  Pixels(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access) {
    if (!gst_video_frame_map(&frame_, &info, buffer, access))
      throw Error(ErrorCode::kFailed, "no thumbnail could be made: its pixels cannot be reached.");
  }
  ~Pixels() { gst_video_frame_unmap(&frame_); }
  Pixels(const Pixels&) = delete;
  Pixels& operator=(const Pixels&) = delete;
  GstVideoFrame* get() { return &frame_; }

 private:
  GstVideoFrame frame_;
};

Size reduced_size(const Crop& crop, int largest_side) {
  const float scale =
      std::min(1.0f, static_cast<float>(largest_side) / std::max(crop.width, crop.height));
  const auto scaled = [&](guint side) { return std::max(1, static_cast<int>(side * scale)); };
  return {scaled(crop.width), scaled(crop.height)};
}

// A crop of the picture in this size. (gst_video_convert_sample() would crop by itself,
// but not without a GStreamer-CRITICAL: its pipeline has no segment in time, and videocrop wants
// one.)
SamplePtr cropped(GstSample* picture, const GstVideoInfo& info, const Crop& crop, Size size) {
  GstVideoInfo small;
  gst_video_info_set_interlaced_format(
      &small, GST_VIDEO_FORMAT_I420, GST_VIDEO_INFO_INTERLACE_MODE(&info),
      static_cast<guint>(size.width), static_cast<guint>(size.height));
  small.fps_n = info.fps_n;
  small.fps_d = info.fps_d;
  const BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&small), nullptr));
  const auto side = [](guint pixels) { return static_cast<gint>(pixels); };
  const std::unique_ptr<GstVideoConverter, FreeConverter> converter(gst_video_converter_new(
      &info, &small,
      gst_structure_new("crop", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, side(crop.x),
                        GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, side(crop.y),
                        GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT, side(crop.width),
                        GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, side(crop.height),
                        nullptr)));
  {
    Pixels from(info, gst_sample_get_buffer(picture), GST_MAP_READ);
    Pixels to(small, buffer.get(), GST_MAP_WRITE);
    gst_video_converter_frame(converter.get(), from.get(), to.get());
  }
  const CapsPtr caps(gst_video_info_to_caps(&small));
  return SamplePtr(gst_sample_new(buffer.get(), caps.get(), nullptr, nullptr));
}

struct Jpeg {
  std::vector<std::uint8_t> bytes;
  Crop crop;
  Size size;
};

// Encodes one picture after the other. (gst_video_convert_sample() would find, link and start an
// encoder for each, which takes ten times as long as it encodes.)
class Encoder {
 public:
  Encoder() {
    source_ = pipeline_.add("appsrc");
    GstElement* encoder = pipeline_.add("jpegenc");
    sink_ = pipeline_.add("appsink");
    pipeline_.link({source_, encoder, sink_});
    g_object_set(source_, "format", GST_FORMAT_TIME, nullptr);
    g_object_set(sink_, "sync", FALSE, nullptr);
    pipeline_.set_state(GST_STATE_PLAYING, kSubject);
  }

  std::vector<std::uint8_t> encode(GstSample* picture) {
    if (gst_app_src_push_sample(GST_APP_SRC(source_), picture) != GST_FLOW_OK) fail();
    const SamplePtr jpeg(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), kPatience));
    if (jpeg == nullptr) fail();
    GstBuffer* buffer = gst_sample_get_buffer(jpeg.get());
    std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
    gst_bus_set_flushing(pipeline_.bus(), TRUE);  // nobody reads what it says of new sizes
    gst_bus_set_flushing(pipeline_.bus(), FALSE);
    return bytes;
  }

 private:
  static constexpr const char* kSubject = "no thumbnail could be made";
  static constexpr GstClockTime kPatience = 60 * GST_SECOND;

  [[noreturn]] void fail() {
    pipeline_.throw_pending_error(kSubject);
    throw Error(ErrorCode::kFailed, std::string(kSubject) + ": the encoder gives nothing.");
  }

  Pipeline pipeline_;
  GstElement* source_;
  GstElement* sink_;
};

std::vector<std::uint8_t> encoded(GstSample* picture) {
  static thread_local std::unique_ptr<Encoder> encoder;
  try {
    if (encoder == nullptr) encoder = std::make_unique<Encoder>();
    return encoder->encode(picture);
  } catch (...) {
    encoder.reset();
    throw;
  }
}

Jpeg jpeg_of(GstSample* picture, const Rect& face, const Framing& framing) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(picture)))
    throw Error(ErrorCode::kFailed, "no thumbnail can be made of what is no picture.");
  const Crop crop =
      crop_around(face, GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info), framing.around);
  const Size size = reduced_size(crop, framing.largest_side);
  return {encoded(cropped(picture, info, crop, size).get()), crop, size};
}

}  // namespace

std::vector<std::uint8_t> thumbnail(GstSample* picture, const Rect& face) {
  return jpeg_of(picture, face, kThumbnail).bytes;
}

FaceCrop face_crop(GstSample* picture, const Face& face) {
  Jpeg jpeg = jpeg_of(picture, face.box, kCrop);
  FaceCrop crop{std::move(jpeg.bytes), {}};
  const auto x_scale = static_cast<float>(jpeg.size.width) / static_cast<float>(jpeg.crop.width);
  const auto y_scale = static_cast<float>(jpeg.size.height) / static_cast<float>(jpeg.crop.height);
  for (const Point& point : face.landmarks)
    crop.landmarks.push_back({(point.x - static_cast<float>(jpeg.crop.x)) * x_scale,
                              (point.y - static_cast<float>(jpeg.crop.y)) * y_scale});
  return crop;
}

}  // namespace sightline
