// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/mapped_frame.h"

#include <optional>
#include <string>

#include "core/error.h"
#include "stage/gst_cuda.h"

namespace sightline {

namespace {

std::optional<PixelFormat> pixel_format(GstVideoFormat format, MapFor use) {
  const auto is_it = [format](PixelFormat known) {
    return gst_video_format_from_string(std::string(name_of(known)).c_str()) == format;
  };
  for (const PixelFormat known : kPixelFormats)
    if (is_it(known)) return known;
  if (use != MapFor::kHost && is_it(PixelFormat::kP010)) return PixelFormat::kP010;
  return std::nullopt;
}

int map_flags(MapFor use) {
  const int access = use == MapFor::kDeviceWrite ? GST_MAP_READWRITE : GST_MAP_READ;
  return access | int{GST_VIDEO_FRAME_MAP_FLAG_NO_REF} | (use == MapFor::kHost ? 0 : kMapCuda);
}

ColorMatrix color_matrix(const GstVideoInfo& info) {
  switch (info.colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT601:
    case GST_VIDEO_COLOR_MATRIX_FCC:
      return ColorMatrix::kBt601;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      return ColorMatrix::kBt2020;
    case GST_VIDEO_COLOR_MATRIX_BT709:
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      return ColorMatrix::kBt709;
    default:  // as GStreamer guesses where the caps say nothing
      return info.height > 576 ? ColorMatrix::kBt709 : ColorMatrix::kBt601;
  }
}

ColorRange color_range(const GstVideoInfo& info) {
  switch (info.colorimetry.range) {
    case GST_VIDEO_COLOR_RANGE_0_255:
      return ColorRange::kFull;
    case GST_VIDEO_COLOR_RANGE_16_235:
      return ColorRange::kLimited;
    default:
      return GST_VIDEO_INFO_IS_YUV(&info) ? ColorRange::kLimited : ColorRange::kFull;
  }
}

ChromaSite chroma_site(const GstVideoInfo& info) {
  if (info.chroma_site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
    return {info.height > 576, false};  // as GStreamer guesses where the caps say nothing
  return {(info.chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
          (info.chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0};
}

}  // namespace

std::string supported_formats() {
  std::string list = "{ ";
  for (const PixelFormat format : kPixelFormats)
    list += (list.size() > 2 ? ", " : "") + std::string(name_of(format));
  return list + " }";
}

MappedFrame::MappedFrame(GstBuffer* buffer, const GstVideoInfo& info, MapFor use) {
  if (use != MapFor::kHost && !is_in_cuda_memory(buffer))
    throw Error(ErrorCode::kInput,
                "a buffer is in system memory although its caps say memory:CUDAMemory");
  const auto format = pixel_format(GST_VIDEO_INFO_FORMAT(&info), use);
  if (!format)
    throw Error(ErrorCode::kInput,
                std::string("the frame's format is ") +
                    gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)) +
                    ", expected one of " +
                    (use == MapFor::kHost ? supported_formats() : cuda_formats()) +
                    ". Put videoconvert in front.");
  if (!gst_video_frame_map(&frame_, &info, buffer, static_cast<GstMapFlags>(map_flags(use))))
    throw Error(ErrorCode::kInput, "a frame of " + std::to_string(gst_buffer_get_size(buffer)) +
                                       " bytes cannot be mapped as " + std::to_string(info.width) +
                                       "x" + std::to_string(info.height) + " " +
                                       gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)) +
                                       ", which needs " + std::to_string(info.size) + " bytes");

  view_.format = *format;
  view_.size = {GST_VIDEO_FRAME_WIDTH(&frame_), GST_VIDEO_FRAME_HEIGHT(&frame_)};
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame_) && plane < view_.planes.size();
       ++plane)
    view_.planes[plane] = {
        static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, plane)),
        GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, plane)};
  view_.matrix = color_matrix(info);
  view_.range = color_range(info);
  view_.site = chroma_site(info);
  view_.memory = use == MapFor::kHost ? MemoryKind::kHost : MemoryKind::kCuda;
}

MappedFrame::~MappedFrame() { gst_video_frame_unmap(&frame_); }

}  // namespace sightline
