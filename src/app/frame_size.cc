// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/frame_size.h"

namespace sightline {

namespace {

std::string pixels(int width, int height) {
  return std::to_string(width) + "×" + std::to_string(height);
}

}  // namespace

std::string size_objection(int width, int height) {
  if (width < kSmallestSide || height < kSmallestSide)
    return "is " + pixels(width, height) + " pixels, too small to show a face. At least " +
           pixels(kSmallestSide, kSmallestSide) + " are needed.";
  if (width > kLargestSide || height > kLargestSide)
    return "is " + pixels(width, height) + " pixels; at most " +
           pixels(kLargestSide, kLargestSide) + " are taken. Scale it down.";
  return "";
}

}  // namespace sightline
