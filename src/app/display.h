// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A window that shows video.

#pragma once

#include <functional>
#include <string>

#include "app/pipeline.h"

namespace sightline {

// Adds what shows the video of `last` in a window, beneath a line of text, and gives the window's
// element and that of the text (a textoverlay; no text at first). `on_key` gets the names of keys
// that are pressed in the window, as X11 calls them ("a", "Return"), from a thread of the window's;
// windows that know no keys never call it. Throws Error(kDevice) where there is no display;
// `otherwise` ends its text: what else can be done.
struct Display {
  GstElement* window;
  GstElement* caption;
};
Display add_display(Pipeline& pipeline, GstElement* last, const std::string& otherwise,
                    std::function<void(const std::string&)> on_key = nullptr);

}  // namespace sightline
