// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Small pictures to lay over a frame, and the cache that keeps the ones that were costly to make.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/cuda.h"
#include "core/geometry.h"
#include "elements/gst_ptr.h"

namespace sightline {

// Pixels in the format of GStreamer's overlays (native-endian ARGB, premultiplied). They do not
// change once the sprite is made.
class Sprite {
 public:
  // `pixels` holds 4 · width · height bytes and no GstVideoMeta yet. Both sides are at least 1.
  // `opaque` says that every alpha is 255.
  Sprite(GstPtr<GstBuffer> pixels, Size size, bool opaque);

  // All pixels are `argb`, which is premultiplied.
  static std::shared_ptr<Sprite> solid(std::uint32_t argb, Size size);

  // A sprite of `size` that shares the first pixels of `whole`, which is of one colour and has as
  // many.
  static std::shared_ptr<Sprite> part_of(std::shared_ptr<Sprite> whole, Size size);

  Size size() const { return size_; }
  std::size_t bytes() const {
    return std::size_t{4} * static_cast<std::size_t>(size_.width) *
           static_cast<std::size_t>(size_.height);
  }

  bool opaque() const { return opaque_; }

  // Of solid() and its parts: what all pixels are.
  const std::optional<std::uint32_t>& color() const { return color_; }

  // Lends the pixels, row by row without gaps. Throws Error(kFailed).
  void read(const std::function<void(const guint8* pixels)>& reader) const;

  // A copy of the pixels on the device that draws them; null until it is kept.
  const std::shared_ptr<const cuda::DeviceMemory>& on_device() const { return on_device_; }
  void keep_on_device(std::shared_ptr<const cuda::DeviceMemory> copy) {
    on_device_ = std::move(copy);
  }

  // The pixels of an opaque sprite, row by row without gaps, as GStreamer's blending would leave
  // them in `format`, which has four components of 8 bits. Worked out once.
  const guint8* converted(GstVideoFormat format);

  // The sprite with its left top corner there.
  GstPtr<GstVideoOverlayRectangle> new_rectangle(int x, int y) const;

  // Likewise, owned by the sprite until it is asked for another place. Asking for the same place
  // again gives the same rectangle, so that a sink that keeps textures by its sequence number need
  // not upload it again.
  GstVideoOverlayRectangle* rectangle_at(int x, int y);

 private:
  GstPtr<GstBuffer> pixels_;
  Size size_;
  bool opaque_;
  std::optional<std::uint32_t> color_;
  std::shared_ptr<const cuda::DeviceMemory> on_device_;
  std::shared_ptr<Sprite> whole_;  // of which this is a part; null: this is none
  std::vector<guint8> converted_;
  GstVideoFormat converted_to_ = GST_VIDEO_FORMAT_UNKNOWN;
  GstPtr<GstVideoOverlayRectangle> rectangle_;
  int x_ = 0;
  int y_ = 0;
};

struct PlacedSprite {
  std::shared_ptr<Sprite> sprite;
  int x = 0;
  int y = 0;
};

using Sprites = std::vector<PlacedSprite>;

// The sprites used last, up to kMaxBytes of pixels.
class SpriteCache {
 public:
  static constexpr std::size_t kMaxBytes = 8u << 20;

  const Sprites* find(const std::string& key);  // null: not there; valid until the next insert()
  const Sprites& insert(std::string key, Sprites sprites);
  void clear();

 private:
  struct Entry {
    std::string key;
    Sprites sprites;
    std::size_t bytes;
  };

  std::list<Entry> entries_;  // the one used last is in front
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace sightline
