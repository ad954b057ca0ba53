// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How good a view of an object a crop is: what decides whether an embedding of it can be trusted.

#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "preprocess/preprocess.h"
#include "sightline/frame.h"

namespace sightline {

struct CropQuality {
  float residual =
      0;  // root mean square distance of landmarks to the template, in pixels of a 150-pixel crop
  float magnification =
      0;  // pixels of a 150-pixel crop for one pixel of the frame; above 1 the crop is enlarged
  float brightness = 0;  // mean pixel value of the crop's inner two thirds, 0…255
};

// Which views are good enough to name somebody by.
struct QualityRule {
  float max_residual = 8.5f;       // 0: no limit
  float max_magnification = 2.3f;  // 0: no limit
  float min_brightness = 60;

  bool accepts(const CropQuality& quality) const {
    return (max_residual <= 0 || quality.residual <= max_residual) &&
           (max_magnification <= 0 || quality.magnification <= max_magnification) &&
           quality.brightness >= min_brightness;
  }
};

// Of landmarks and of the region they gave. Nothing if the face has another set of landmarks than
// the template.
std::optional<CropQuality> alignment_quality(const AlignmentTemplate& target,
                                             std::span<const Point> landmarks, const Region& region,
                                             Size tensor);

// The mean pixel value of the inner two thirds of an input tensor; nothing where the spec does not
// keep pixel values (per-image normalisation, a mean image, another type than float32).
std::optional<float> brightness(const TensorSpec& spec, std::span<const std::byte> tensor);

// Rides on the object as user data "sightline-quality": a GstStructure with the fields' names.
void set_quality(SightObject* object, const CropQuality& quality);
std::optional<CropQuality> find_quality(const SightObject* object);

}  // namespace sightline
