// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parts of a frame that a network looks at one by one: regions of interest, and tiles, in which
// small objects of a large frame are large enough to be seen.

#pragma once

#include <vector>

#include "core/config_file.h"
#include "core/geometry.h"
#include "stage/attach.h"

namespace sightline {

class FrameParts {
 public:
  // Reads roi, roi-units, tiles, tile-size, tile-overlap, tile-whole, tile-merge, tile-threshold
  // and tile-largest of [property]. Throws Error(kConfig).
  static FrameParts from_config(const ConfigFile& config);

  // Whether the whole frame is looked at, and nothing else.
  bool is_whole_frame() const { return regions_.empty() && !is_tiled(); }
  // In pixels of the frame and within it; none where nothing is left of a region.
  std::vector<Rect> of(Size frame) const;

  // Several looks at one frame find the same object. Of detections of one class in two parts that
  // overlap by more than `tile-merge` of the smaller one, one stays: rather one that its part shows
  // whole than one that is cut off at the part's edge, then the more confident one. What is cut off
  // and not found elsewhere stays. What tiles show needs a confidence of `tile-threshold`, since
  // there are many of them, and may be no larger than `tile-largest` of the tile's height, where
  // the whole is looked at as well. `found` are looks at the whole frame or parts of it.
  void merge(std::vector<RegionResults>& found, Size frame) const;

 private:
  bool is_tiled() const { return columns_ > 0 || tile_.width > 0; }
  std::vector<Rect> regions_in(Size frame) const;
  void add_tiles(const Rect& region, std::vector<Rect>& parts) const;
  void drop_doubtful(std::vector<RegionResults>& found, Size frame) const;

  std::vector<Rect> regions_;  // none: the frame
  bool relative_ = false;
  int columns_ = 0, rows_ = 0;
  Size tile_;
  float overlap_ = 0.2f;
  bool whole_ = true;
  float merge_ = 0.5f;
  float tile_threshold_ = 0;
  float tile_largest_ = 0;  // 0: no limit
};

}  // namespace sightline
