// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A clip of H.264 that lies in memory, to be decoded over and over by many.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memory_stream.h"

namespace sightline::bench {

class Clip {
 public:
  // `path` is H.264 in byte-stream format that begins with a keyframe and has no B-frames
  // (bench/face_clip makes one). Throws std::runtime_error.
  explicit Clip(const std::string& path);

  // Its access units, endlessly, without timestamps.
  Frames frames() const;
  const std::string& caps() const { return caps_; }
  std::size_t size() const { return units_.size(); }
  double bits_a_frame() const;

 private:
  std::string caps_;
  std::vector<Ptr<GstBuffer>> units_;
};

}  // namespace sightline::bench
