// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/sprite.h"

#include <utility>

namespace sightline {

Sprite::Sprite(GstPtr<GstBuffer> pixels, Size size) : pixels_(std::move(pixels)), size_(size) {
  gst_buffer_add_video_meta(pixels_.get(), GST_VIDEO_FRAME_FLAG_NONE,
                            GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB,
                            static_cast<guint>(size.width), static_cast<guint>(size.height));
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
