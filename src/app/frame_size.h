// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How large a picture or a clip may be.

#pragma once

#include <string>

namespace sightline {

// Smaller ones hold no face that any network would find; larger ones would not fit into the memory
// of a small machine.
inline constexpr int kSmallestSide = 16;
inline constexpr int kLargestSide = 16384;

// What is wrong with this size and what to do; empty: nothing.
std::string size_objection(int width, int height);

}  // namespace sightline
