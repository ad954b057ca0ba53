// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/second_look.h"

#include <algorithm>

namespace sightline {

namespace {

// Intersection over union from which the second box means the same object.
constexpr float kSameObject = 0.3f;

}  // namespace

bool SecondLook::too_large(const Detection& detection) const {
  return detection.box.height >= share_ * static_cast<float>(tensor_.height);
}

bool SecondLook::wanted(const std::vector<Detection>& first) const {
  return possible() &&
         std::any_of(first.begin(), first.end(), [&](const Detection& d) { return too_large(d); });
}

Affine2 SecondLook::to_first() const {
  return {2, 0, -0.5 * tensor_.width, 0, 2, -0.5 * tensor_.height};
}

Region SecondLook::region(const Affine2& first) const { return {first * to_first(), {}}; }

void SecondLook::improve(std::vector<Detection>& first,
                         const std::vector<Detection>& second) const {
  const Affine2 to_first = this->to_first();
  for (Detection& detection : first) {
    if (!too_large(detection)) continue;
    const Detection* best = nullptr;
    float overlap = kSameObject;
    for (const Detection& candidate : second) {
      const float common = iou(to_first.bounds(candidate.box), detection.box);
      if (candidate.class_id == detection.class_id && common > overlap)
        overlap = common, best = &candidate;
    }
    if (best == nullptr) continue;
    detection.box = to_first.bounds(best->box);
    detection.landmarks = best->landmarks;
    for (Point& p : detection.landmarks) p = to_first(p);
  }
}

}  // namespace sightline
