// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Faces made unrecognisable, in the pixels of the frame.

#pragma once

#include <vector>

#include <sightline/frame.h>

#include <gst/video/video.h>

#include "core/geometry.h"
#include "elements/overlay/frame_window.h"

namespace sightline {

enum class Blur { kNone, kUnknown, kAll };

// A face becomes at most so many patches of one colour each way: fewer than a mouth, a nose and two
// eyes take.
inline constexpr int kBlurPatches = 6;

// What is to be hidden of the faces of `frame`: the box and 15 % of its size around it, with all
// landmarks, as far as it is in a picture of `size`. A face is what is labelled "face", has an
// identity, or has landmarks that are no pose of a whole body. Unknown: without an identity, or
// with one that says unknown.
std::vector<PixelBounds> areas_to_blur(const SightFrame* frame, Blur blur, Size size);

// Replaces the pixels of `area` by patches of their mean colours, in the frame's own format. False:
// GStreamer can't unpack that format.
bool pixelate(const PixelBounds& area, GstVideoFrame* frame);

}  // namespace sightline
