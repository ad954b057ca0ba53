// SPDX-License-Identifier: LGPL-2.1-or-later
//
// JSON from outside, read more strictly than the parser does by itself.

#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

namespace sightline {

// How many arrays, objects, numbers, texts and so on a text may have: in memory each takes many
// times the room that it takes in the text.
inline constexpr std::size_t kMostValues = std::size_t{1} << 26;

// Throws Error(kGallery) if the text is no JSON, an object has a member twice, arrays and objects
// are nested deeper than documents are, or there are more values than `most`. It says where, and
// shows nothing of what a cut-off text was in the middle of: that may be a picture in base64.
nlohmann::json parse_strictly(std::string_view text, std::size_t most = kMostValues);
// Likewise, where the order of members counts.
nlohmann::ordered_json parse_strictly_in_order(std::string_view text);

}  // namespace sightline
