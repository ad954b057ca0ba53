// SPDX-License-Identifier: LGPL-2.1-or-later
//
// JSON as the program prints it.

#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace sightline {

using Json = nlohmann::ordered_json;  // keys stay in the order in which the documents list them

// One line. File names that are not UTF-8 keep what can be shown.
inline std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sightline
