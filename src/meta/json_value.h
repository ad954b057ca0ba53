// SPDX-License-Identifier: LGPL-2.1-or-later
//
// JSON as the writers and the reader of events have it.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace sightline {

// Keys in the order in which they are written; single precision, so that 0.9f is "0.9".
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool,
                                  std::int64_t, std::uint64_t, float>;

// On one line. All text of a frame is UTF-8 already; `replace` promises that nothing is thrown.
inline std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sightline
