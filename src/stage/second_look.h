// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A detector sees best what does not fill its tensor: a face as high as the picture gets a poor
// box. So where a detection is larger than a share of the tensor's height, the network looks once
// more, at the picture in half the size, and the better box replaces the first one.

#pragma once

#include <vector>

#include "core/geometry.h"
#include "postprocess/postprocess.h"
#include "preprocess/region.h"

namespace sightline {

// What a second look is worth and what it changes. Detections are in pixels of their look's tensor.
class SecondLook {
 public:
  // `share` of the tensor's height, from which a detection is looked at again; 0: never.
  SecondLook(float share, Size tensor) : share_(share), tensor_(tensor) {}

  bool possible() const { return share_ > 0; }
  bool wanted(const std::vector<Detection>& first) const;

  // From the second look's tensor to the first one's: twice as much is seen, about the same centre.
  Affine2 to_first() const;

  // What it sees of a frame, where `first` is from the first look's tensor to the frame.
  Region region(const Affine2& first) const;

  // Gives the large ones of `first` the boxes and landmarks of those of `second` that mean the same
  // object. What the second look does not see stays as it was.
  void improve(std::vector<Detection>& first, const std::vector<Detection>& second) const;

 private:
  bool too_large(const Detection& detection) const;

  float share_;
  Size tensor_;
};

}  // namespace sightline
