// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/number_range.h"

#include <charconv>
#include <cmath>
#include <string>

namespace sightline {

namespace {

std::string shown(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

std::string words_for(double least, double most) {
  return most == std::numeric_limits<double>::max() ? shown(least) + " or more"
                                                    : shown(least) + " to " + shown(most);
}

bool is_number_in(const std::string& text, double least, double most) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && std::isfinite(value) && value >= least &&
         value <= most;
}

}  // namespace

CLI::Validator number_range(double least, double most) {
  const std::string words = words_for(least, most);
  return CLI::Validator(
      [least, most, words](const std::string& text) {
        return is_number_in(text, least, most) ? std::string()
                                               : "\"" + text + "\": expected a number, " + words;
      },
      words);
}

}  // namespace sightline
