// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The structures that Intel DL Streamer keeps on a region of interest: `detection`, `object_id`,
// and a structure for each later result.
//
// They come from foreign elements: a field may be missing, have another type, or hold nonsense, and
// is then as good as absent. The field `data`, a bare pointer, is never read.

#pragma once

#include <optional>
#include <vector>

#include <gst/video/video.h>

#include "core/geometry.h"
#include "meta/handles.h"
#include "sightline/frame.h"

namespace sightline {

struct RegionDetection {
  std::optional<float> confidence;
  std::optional<int> label_id;
  std::optional<Rect> box;
  bool in_pixels = false;  // that is how some releases write it; else 0 to 1 of the frame
};

RegionDetection read_detection(const GstVideoRegionOfInterestMeta& region);
std::optional<guint64> read_track(const GstVideoRegionOfInterestMeta& region);
// In pixels of the frame; `box` is what they are relative to.
std::vector<SightPoint> read_landmarks(const GstVideoRegionOfInterestMeta& region,
                                       const SightBox& box);

// Results of later stages, told by their fields: a "label" makes a classification, a payload a
// tensor, and both may be one structure's.
std::vector<ClassificationHandle> read_classifications(const GstVideoRegionOfInterestMeta& region);
std::vector<TensorHandle> read_tensors(const GstVideoRegionOfInterestMeta& region);

bool has_detection(const GstVideoRegionOfInterestMeta& region);

// Writes what is known of `object`, unless somebody else has written it already. Structures of
// others stay; those that an earlier call wrote are replaced. `normalised` is the part of the box
// inside the frame, if the frame's size is known.
void write_params(GstVideoRegionOfInterestMeta& region, const SightObject& object,
                  const std::optional<Rect>& normalised);

}  // namespace sightline
