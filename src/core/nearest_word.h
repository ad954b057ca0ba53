// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What somebody who wrote a word wrong probably meant.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// The known word that takes the fewest changes of a letter; empty if more than half of the letters
// would have to change.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace sightline
