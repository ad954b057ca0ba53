// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a network looks at: the whole frame, a box, or a face turned upright by its landmarks.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/geometry.h"

namespace sightline {

// How a rectangle of another aspect ratio is put into the tensor.
enum class Placement {
  kStretch,           // fill the tensor; the aspect ratio is not kept
  kLetterbox,         // keep the aspect ratio, image at the top left, padding right or below
  kLetterboxCentered  // keep the aspect ratio, padding on both sides
};

// A mapping from tensor coordinates to frame coordinates (both continuous: pixel (i, j) has its
// centre at (i+0.5, j+0.5)), so that a box, a letterboxed frame and a face aligned by its landmarks
// are one case. Samples outside `content` (in tensor coordinates) or outside the frame take
// TensorSpec::pad_value; whether a sample is outside is decided by its centre alone.
struct Region {
  Affine2 to_frame;
  std::optional<Rect> content;  // not set: the whole tensor

  // `source` is in frame pixels and may reach beyond the frame. Throws Error(kInput) if it is empty
  // or not finite.
  static Region box(const Rect& source, Size tensor, Placement placement = Placement::kStretch);

  // The whole frame.
  static Region frame(Size frame, Size tensor, Placement placement);

  // `landmarks[i]` of the frame is to come to rest at `target[i]` of the tensor, in the
  // least-squares sense. Throws Error(kInput) if they differ in number or are degenerate.
  static Region aligned(std::span<const Point> landmarks, std::span<const Point> target);
};

// Points of a face in a canonical crop, by which landmarks are aligned.
struct AlignmentTemplate {
  std::string name;
  Size size;                  // of the crop that `points` refer to
  std::vector<Point> points;  // in its pixels
  int landmark_count = 0;     // how many landmarks the face must have: 5, 6 or 68

  // Which landmarks correspond to `points`; of 68, a template may use some only.
  std::vector<int> landmark_indices;

  // "dlib-150", "arcface-112", or five points "x,y;x,y;x,y;x,y;x,y" in pixels of `tensor`.
  // Throws Error(kConfig) that lists the known names.
  //
  // The five points are written as such templates are published: pixel (0, 0) has its centre at
  // (0, 0). `points` has our coordinates, half a pixel more.
  static AlignmentTemplate parse(const std::string& text, Size tensor);

  // From 5, 6 (BlazeFace) or 68 landmarks to the region of a tensor of the given size. A face with
  // another set of landmarks than the template's is aligned by the points that both know (eyes,
  // nose, mouth corners). Throws Error(kInput) if there are none in common.
  Region region(std::span<const Point> landmarks, Size tensor) const;
};

}  // namespace sightline
