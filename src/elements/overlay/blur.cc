// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/blur.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "elements/overlay/skeleton.h"

namespace sightline {
namespace {

constexpr float kAround = 0.15f;        // of the box, on each side: forehead, ears and chin
constexpr std::size_t kComponents = 4;  // of what GStreamer unpacks to
constexpr int kSlack = 8;               // pixels that a pack function may read beyond the line

bool is_face(const SightObject* object) {
  const char* label = sight_object_get_label(object);
  if (label != nullptr && g_str_equal(label, "face")) return true;
  if (sight_object_get_identity(object) != nullptr) return true;
  guint landmarks = 0;
  sight_object_get_landmarks(object, &landmarks);
  return landmarks > 0 && landmarks != kCocoPoints;
}

bool is_known(const SightObject* object) {
  const SightIdentity* identity = sight_object_get_identity(object);
  return identity != nullptr && sight_identity_is_known(identity);
}

// Of the box and the landmarks, where these are numbers.
class Extent {
 public:
  void add(float x, float y) {
    if (!std::isfinite(x) || !std::isfinite(y)) return;
    left_ = std::min(left_, x), right_ = std::max(right_, x);
    top_ = std::min(top_, y), bottom_ = std::max(bottom_, y);
  }

  std::optional<PixelBounds> within(Size size) const {
    const auto clamped = [](float position, int end) {
      return std::clamp(position, 0.0f, static_cast<float>(end));
    };
    const PixelBounds box{static_cast<int>(std::floor(clamped(left_, size.width))),
                          static_cast<int>(std::floor(clamped(top_, size.height))),
                          static_cast<int>(std::ceil(clamped(right_, size.width))),
                          static_cast<int>(std::ceil(clamped(bottom_, size.height)))};
    if (box.left >= box.right || box.top >= box.bottom) return std::nullopt;
    return box;
  }

 private:
  float left_ = INFINITY, top_ = INFINITY, right_ = -INFINITY, bottom_ = -INFINITY;
};

std::optional<PixelBounds> area_of(const SightObject* object, Size size) {
  SightBox box;
  sight_object_get_box(object, &box);
  Extent extent;
  if (box.width > 0 && box.height > 0) {
    extent.add(box.x - kAround * box.width, box.y - kAround * box.height);
    extent.add(box.x + (1 + kAround) * box.width, box.y + (1 + kAround) * box.height);
  }
  guint count = 0;
  const SightPoint* points = sight_object_get_landmarks(object, &count);
  for (guint i = 0; i < count; ++i) extent.add(points[i].x, points[i].y);
  return extent.within(size);
}

// The area in patches, each of which has a mean of its pixels.
struct Patches {
  PixelBounds area;
  int columns, rows;
  std::vector<std::uint64_t> sums;  // of the components, patch by patch
  std::vector<std::uint64_t> counts;

  explicit Patches(const PixelBounds& box) : area(box) {
    const int width = box.right - box.left, height = box.bottom - box.top;
    const int side = (std::max(width, height) + kBlurPatches - 1) / kBlurPatches;
    columns = (width + side - 1) / side;
    rows = (height + side - 1) / side;
    const auto count = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
    sums.resize(count * kComponents);
    counts.resize(count);
  }

  std::size_t at(int x, int y) const {
    const int column = (x - area.left) * columns / (area.right - area.left);
    const int row = (y - area.top) * rows / (area.bottom - area.top);
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
           static_cast<std::size_t>(column);
  }
};

// A frame's lines as four components a pixel.
template <typename Component>
class Lines {
 public:
  Lines(const PixelBounds& area, const GstVideoFrame& frame)
      : window_(FrameWindow::around(area, frame)),
        line_(static_cast<std::size_t>(window_.frame.info.width + kSlack) * kComponents) {}

  void unpack(int y) {
    const GstVideoInfo& info = window_.frame.info;
    info.finfo->unpack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line_.data(), window_.frame.data,
                            info.stride, 0, y - window_.y, info.width);
  }

  // The components of a pixel of the line that was unpacked.
  Component* pixel(int x) {
    return line_.data() + static_cast<std::size_t>(x - window_.x) * kComponents;
  }

  void pack(int y) {
    GstVideoInfo& info = window_.frame.info;
    info.finfo->pack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line_.data(), 0, window_.frame.data,
                          info.stride, info.chroma_site, y - window_.y, info.width);
  }

 private:
  FrameWindow window_;
  std::vector<Component> line_;
};

template <typename Component>
void pixelate_as(const PixelBounds& area, const GstVideoFrame& frame) {
  Patches patches(area);
  Lines<Component> lines(area, frame);
  for (int y = area.top; y < area.bottom; ++y) {
    lines.unpack(y);
    for (int x = area.left; x < area.right; ++x) {
      const std::size_t patch = patches.at(x, y);
      const Component* pixel = lines.pixel(x);
      ++patches.counts[patch];
      for (std::size_t c = 0; c < kComponents; ++c)
        patches.sums[patch * kComponents + c] += pixel[c];
    }
  }
  for (int y = area.top; y < area.bottom; ++y) {
    lines.unpack(y);
    for (int x = area.left; x < area.right; ++x) {
      const std::size_t patch = patches.at(x, y);
      Component* pixel = lines.pixel(x);
      for (std::size_t c = 0; c < kComponents; ++c)
        pixel[c] =
            static_cast<Component>(patches.sums[patch * kComponents + c] / patches.counts[patch]);
    }
    lines.pack(y);
  }
}

}  // namespace

std::vector<PixelBounds> areas_to_blur(const SightFrame* frame, Blur blur, Size size) {
  std::vector<PixelBounds> areas;
  if (blur == Blur::kNone || frame == nullptr) return areas;
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (!is_face(object) || (blur == Blur::kUnknown && is_known(object))) continue;
    if (const auto area = area_of(object, size))
      areas.push_back(without_shared_chroma(*area, size.width, size.height));
  }
  return areas;
}

bool pixelate(const PixelBounds& area, GstVideoFrame* frame) {
  const GstVideoFormatInfo* format = frame->info.finfo;
  if (format->unpack_func == nullptr || format->pack_func == nullptr) return false;
  const GstVideoFormatInfo* unpacked = gst_video_format_get_info(format->unpack_format);
  if (unpacked->n_components != kComponents) return false;
  if (GST_VIDEO_FORMAT_INFO_BITS(unpacked) == 8)
    pixelate_as<guint8>(area, *frame);
  else
    pixelate_as<guint16>(area, *frame);
  return true;
}

}  // namespace sightline
