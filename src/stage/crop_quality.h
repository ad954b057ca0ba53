// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How good a view of an object a crop is: what decides whether an embedding of it can be trusted.

#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "preprocess/job.h"
#include "preprocess/preprocess.h"
#include "sightline/frame.h"

namespace sightline {

struct CropQuality {
  float residual =
      0;  // root mean square distance of landmarks to the template, in pixels of a 150-pixel crop
  float magnification =
      0;  // pixels of a 150-pixel crop for one pixel of the frame; above 1 the crop is enlarged
  float brightness = 0;              // mean pixel value of the crop's inner two thirds, 0…255
  std::optional<float> sharpness{};  // of the crop, see sharpness(); nothing if not measured
};

// Of a crop whose tensor does not say how bright it is: bright enough.
inline constexpr float kBrightnessUnknown = 255;

// Which views are good enough to name somebody by.
struct QualityRule {
  float max_residual = 8.5f;       // 0: no limit
  float max_magnification = 2.3f;  // 0: no limit
  float min_brightness = 60;
  float min_sharpness = 0.1f;  // 0: no limit

  bool accepts(const CropQuality& quality) const;
  // How much the view counts among others of the same face: 0 if it is not accepted, else 0.1 (at
  // a limit) to 1 (facing the camera, not enlarged, bright and sharp).
  float weight(const CropQuality& quality) const;
};

// Of landmarks and of the region they gave. Nothing if the face has another set of landmarks than
// the template.
std::optional<CropQuality> alignment_quality(const AlignmentTemplate& target,
                                             std::span<const Point> landmarks, const Region& region,
                                             Size tensor);

// The mean pixel value of the inner two thirds of an input tensor; nothing where the spec does not
// keep pixel values (per-image normalisation, a mean image, another type than float32).
std::optional<float> brightness(const TensorSpec& spec, std::span<const std::byte> tensor);

// How much detail a crop has: the mean spatial frequency of its inner two thirds, in radians per
// pixel of a 150-pixel crop, that is the root mean square of the luma's gradient over its
// standard deviation. So neither light nor contrast matters: a sine wave of n pixels has 2π/n,
// white noise 2. `region` is of a tensor of size `tensor`; crops of more than 168 pixels
// are measured at 168. Nothing if the crop is of one colour.
//
// Reads the frame by itself, in grey and with the area filter, so that a crop can be judged that no
// network is to see.
std::optional<float> sharpness(const FrameView& frame, const Region& region, Size tensor);

// The same of an input tensor that is there already; another number where colours of it are cut off
// at 0 or 255, and so its luma is not the frame's. Nothing where the spec does not keep pixel
// values or does not average areas, for which an enlarged or coarsely sampled crop would look
// sharp, or the tensor has more than 168 pixels.
std::optional<float> sharpness(const TensorSpec& spec, std::span<const std::byte> tensor);

// What sharpness() looks at of a region: a grey picture of its inner two thirds.
struct DetailCrop {
  TensorSpec spec;
  Size whole;         // what the crop as a whole would measure at this scale
  Affine2 in_tensor;  // the picture's coordinates to those of the region's tensor

  // Nothing if the tensor is too small to tell.
  static std::optional<DetailCrop> of(Size tensor);
  Region region(const Region& whole_region) const {
    return {whole_region.to_frame * in_tensor, {}};
  }
};

// What brightness() looks at of a tensor.
struct InnerPart {
  sampling::Span columns, rows;

  static InnerPart of(Size tensor);
};

// The same of sums that were made elsewhere. Of brightness: of each channel over the InnerPart. Of
// sharpness: over all pixels of the DetailCrop that have a neighbour to the right and below, of the
// pixels, their squares, and the squared differences to both neighbours.
std::optional<float> brightness(const TensorSpec& spec, std::span<const double, 3> sums);
std::optional<float> sharpness(const DetailCrop& crop, double sum, double squares, double gradient);

// Rides on the object as user data "sightline-quality": a GstStructure with the fields' names.
void set_quality(SightObject* object, const CropQuality& quality);
std::optional<CropQuality> find_quality(const SightObject* object);

}  // namespace sightline
