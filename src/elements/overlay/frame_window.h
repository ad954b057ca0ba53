// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A part of a mapped frame, as a frame of its own over the same pixels.

#pragma once

#include <gst/video/video.h>

namespace sightline {

// Pixels, right and bottom exclusive.
struct PixelBounds {
  int left, top, right, bottom;
};

// GStreamer converts whole lines of a frame, also for a bar of three pixels. Shown no more than
// this window, its cost is the area that is worked on.
struct FrameWindow {
  GstVideoFrame frame;  // never unmapped: the whole one is
  int x = 0;            // where its first pixel is in the whole frame
  int y = 0;

  // Holds `box` as far as it is in `whole`; begins and ends where no chroma is shared with pixels
  // outside, or at the frame's edges. All of a frame whose pixels have no place of their own.
  static FrameWindow around(const PixelBounds& box, const GstVideoFrame& whole);
};

// `box` grown to where no chroma is shared, within a frame of this size.
PixelBounds without_shared_chroma(const PixelBounds& box, int width, int height);

}  // namespace sightline
