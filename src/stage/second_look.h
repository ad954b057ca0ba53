// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A detector sees best what does not fill its tensor: a face as high as the picture gets a poor
// box. So where a detection is larger than a share of the tensor's height, the network looks once
// more, at the picture in half the size, and the better box replaces the first one.

#pragma once

#include <vector>

#include "stage/model.h"

namespace sightline {

// Whether `detections`, in pixels of the model's tensor, ask for a second look.
bool wants_second_look(const Model& model, const std::vector<Detection>& detections);

// Replaces boxes of `detections`, which came from `first`, by those of a second look. Waits for the
// network. Throws Error.
void look_again(const Model& model, const FrameView& frame, const Affine2& first,
                std::vector<Detection>& detections);

}  // namespace sightline
