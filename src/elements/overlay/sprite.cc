// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/sprite.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace sightline {

Sprite::Sprite(GstPtr<GstBuffer> pixels, Size size, bool opaque)
    : pixels_(std::move(pixels)), size_(size), opaque_(opaque) {
  gst_buffer_add_video_meta(pixels_.get(), GST_VIDEO_FRAME_FLAG_NONE,
                            GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB,
                            static_cast<guint>(size.width), static_cast<guint>(size.height));
}

std::shared_ptr<Sprite> Sprite::solid(std::uint32_t argb, Size size) {
  const std::size_t count =
      static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  GstPtr<GstBuffer> pixels(gst_buffer_new_allocate(nullptr, count * sizeof argb, nullptr));
  GstMapInfo map;
  if (pixels == nullptr || !gst_buffer_map(pixels.get(), &map, GST_MAP_WRITE))
    throw Error(ErrorCode::kFailed, "no memory for the lines of boxes");
  std::fill_n(reinterpret_cast<std::uint32_t*>(map.data), count, argb);
  gst_buffer_unmap(pixels.get(), &map);
  auto sprite = std::make_shared<Sprite>(std::move(pixels), size, argb >> 24 == 255);
  sprite->color_ = argb;
  return sprite;
}

std::shared_ptr<Sprite> Sprite::part_of(std::shared_ptr<Sprite> whole, Size size) {
  GstPtr<GstBuffer> pixels(gst_buffer_new());
  GstMemory* memory = gst_buffer_peek_memory(whole->pixels_.get(), 0);
  const gssize bytes = gssize{4} * size.width * size.height;
  gst_buffer_append_memory(pixels.get(), gst_memory_share(memory, 0, bytes));
  auto part = std::make_shared<Sprite>(std::move(pixels), size, whole->opaque_);
  part->color_ = whole->color_;
  part->whole_ = std::move(whole);
  return part;
}

void Sprite::read(const std::function<void(const guint8* pixels)>& reader) const {
  GstMapInfo map;
  if (!gst_buffer_map(pixels_.get(), &map, GST_MAP_READ))
    throw Error(ErrorCode::kFailed, "the pixels of a label cannot be read");
  try {
    reader(map.data);
  } catch (...) {
    gst_buffer_unmap(pixels_.get(), &map);
    throw;
  }
  gst_buffer_unmap(pixels_.get(), &map);
}

const guint8* Sprite::converted(GstVideoFormat format) {
  if (whole_ != nullptr) return whole_->converted(format);
  if (converted_to_ == format) return converted_.data();
  converted_.assign(bytes(), 0);
  GstVideoFrame frame{};
  gst_video_info_set_format(&frame.info, format, static_cast<guint>(size_.width),
                            static_cast<guint>(size_.height));
  frame.data[0] = converted_.data();
  const GstPtr<GstVideoOverlayRectangle> rectangle = new_rectangle(0, 0);
  const GstPtr<GstVideoOverlayComposition> composition(
      gst_video_overlay_composition_new(rectangle.get()));
  gst_video_overlay_composition_blend(composition.get(), &frame);
  converted_to_ = format;
  return converted_.data();
}

GstPtr<GstVideoOverlayRectangle> Sprite::new_rectangle(int x, int y) const {
  return GstPtr<GstVideoOverlayRectangle>(gst_video_overlay_rectangle_new_raw(
      pixels_.get(), x, y, static_cast<guint>(size_.width), static_cast<guint>(size_.height),
      GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA));
}

GstVideoOverlayRectangle* Sprite::rectangle_at(int x, int y) {
  if (rectangle_ == nullptr || x != x_ || y != y_) {
    rectangle_ = new_rectangle(x, y);
    x_ = x;
    y_ = y;
  }
  return rectangle_.get();
}

const Sprites* SpriteCache::find(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->sprites;
}

const Sprites& SpriteCache::insert(std::string key, Sprites sprites) {
  std::size_t bytes = key.size();
  for (const PlacedSprite& placed : sprites) bytes += placed.sprite->bytes();
  entries_.push_front({key, std::move(sprites), bytes});
  by_key_[std::move(key)] = entries_.begin();
  bytes_ += bytes;
  while (bytes_ > kMaxBytes && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return entries_.front().sprites;
}

void SpriteCache::clear() {
  by_key_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace sightline
