// SPDX-License-Identifier: LGPL-2.1-or-later
//
// JSON from outside, read more strictly than the parser does by itself.

#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace sightline {

// Throws Error(kGallery) if the text is no JSON, an object has a member twice, or arrays and
// objects are nested deeper than documents are. It says where, and shows nothing of what a cut-off
// text was in the middle of: that may be a picture in base64.
nlohmann::json parse_strictly(std::string_view text);

}  // namespace sightline
