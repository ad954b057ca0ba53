// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <gst/video/video.h>

#include "app/gst_pointer.h"
#include "core/error.h"

namespace sightline {

namespace {

constexpr int kLargestSide = 128;
constexpr float kAround = 0.3f;  // of the face's size, on each side

struct Crop {
  guint x, y, width, height;
};

Crop crop_around(const Rect& face, int width, int height) {
  const float side = std::max(face.width, face.height) * (1 + 2 * kAround);
  const float x = face.x + face.width / 2 - side / 2, y = face.y + face.height / 2 - side / 2;
  const float left = std::clamp(x, 0.0f, width - 1.0f), top = std::clamp(y, 0.0f, height - 1.0f);
  const float right = std::clamp(x + side, left + 1, static_cast<float>(width));
  const float bottom = std::clamp(y + side, top + 1, static_cast<float>(height));
  return {static_cast<guint>(left), static_cast<guint>(top), static_cast<guint>(right - left),
          static_cast<guint>(bottom - top)};
}

// The same picture with a note of what to crop, which the conversion obeys.
SamplePtr cropped(GstSample* picture, const Crop& crop) {
  const BufferPtr buffer(gst_buffer_copy(gst_sample_get_buffer(picture)));
  GstVideoCropMeta* meta = gst_buffer_add_video_crop_meta(buffer.get());
  meta->x = crop.x;
  meta->y = crop.y;
  meta->width = crop.width;
  meta->height = crop.height;
  return SamplePtr(gst_sample_new(buffer.get(), gst_sample_get_caps(picture), nullptr, nullptr));
}

CapsPtr jpeg_caps(const Crop& crop) {
  const float scale =
      std::min(1.0f, static_cast<float>(kLargestSide) / std::max(crop.width, crop.height));
  const auto scaled = [&](guint side) { return std::max(1, static_cast<int>(side * scale)); };
  return CapsPtr(gst_caps_new_simple("image/jpeg", "width", G_TYPE_INT, scaled(crop.width),
                                     "height", G_TYPE_INT, scaled(crop.height),
                                     "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
}

}  // namespace

std::vector<std::uint8_t> thumbnail(GstSample* picture, const Rect& face) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(picture)))
    throw Error(ErrorCode::kFailed, "no thumbnail can be made of what is no picture.");
  const Crop crop = crop_around(face, GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
  GError* raw = nullptr;
  const SamplePtr jpeg(gst_video_convert_sample(cropped(picture, crop).get(), jpeg_caps(crop).get(),
                                                10 * GST_SECOND, &raw));
  const ErrorPtr error(raw);
  if (jpeg == nullptr)
    throw Error(ErrorCode::kFailed, std::string("no thumbnail could be made: ") +
                                        (error ? error->message : "no reason given") +
                                        ". `sightline doctor` says what is missing.");
  GstBuffer* buffer = gst_sample_get_buffer(jpeg.get());
  std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace sightline
