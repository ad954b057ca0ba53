// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/face_flaw.h"

namespace sightline {

std::optional<Flaw> flaw_of(const Face& face, const QualityRule& rule) {
  if (!face.quality || rule.accepts(*face.quality)) return std::nullopt;
  const CropQuality& found = *face.quality;
  if (rule.max_magnification > 0 && found.magnification > rule.max_magnification)
    return Flaw::kTooSmall;
  if (found.brightness < rule.min_brightness) return Flaw::kTooDark;
  if (found.sharpness && *found.sharpness < rule.min_sharpness) return Flaw::kBlurred;
  return Flaw::kTurnedAway;
}

}  // namespace sightline
