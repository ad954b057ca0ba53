// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which keypoints of a pose belong together.

#pragma once

#include <array>
#include <cstddef>
#include <utility>

namespace sightline {

// COCO's 17: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; of each pair the
// left one, which is the person's own, first.
inline constexpr std::size_t kCocoPoints = 17;
inline constexpr std::array<std::pair<int, int>, 18> kCocoLimbs = {{{0, 1},
                                                                    {0, 2},
                                                                    {1, 3},
                                                                    {2, 4},
                                                                    {3, 5},
                                                                    {4, 6},
                                                                    {5, 6},
                                                                    {5, 7},
                                                                    {7, 9},
                                                                    {6, 8},
                                                                    {8, 10},
                                                                    {5, 11},
                                                                    {6, 12},
                                                                    {11, 12},
                                                                    {11, 13},
                                                                    {13, 15},
                                                                    {12, 14},
                                                                    {14, 16}}};

}  // namespace sightline
