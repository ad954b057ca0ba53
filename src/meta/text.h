// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Text from outside: optional, and UTF-8 or not.

#pragma once

#include <optional>
#include <string>

namespace sightline {

using Text = std::optional<std::string>;

// A copy; what is not UTF-8 becomes U+FFFD.
Text repaired(const char* text);
// A copy. Throws Error(kInput), naming `what`, if it is not UTF-8.
Text checked(const char* text, const char* what);

inline const char* c_str(const Text& text) { return text ? text->c_str() : nullptr; }

}  // namespace sightline
