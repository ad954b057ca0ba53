// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where a gallery is, and how that may be shown.

#include <string_view>

#include "gallery/gallery.h"

namespace sightline {
namespace {

constexpr char kHidden[] = "***";

std::size_t after_scheme(const std::string& location) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"})
    if (location.starts_with(scheme)) return scheme.size();
  return 0;
}

}  // namespace

bool is_database_url(const std::string& location) { return after_scheme(location) != 0; }

// Rather too much than too little: a password that should have been escaped may have any character.
std::string shown_location(const std::string& location) {
  const std::size_t begin = after_scheme(location);
  if (begin == 0) return location;
  std::string shown = location;
  // A parameter's name is case-sensitive, and ends in "password": sslpassword, too.
  constexpr std::string_view kParameter = "password=";
  for (std::size_t at = shown.find(kParameter); at != std::string::npos;
       at = shown.find(kParameter, at + kParameter.size())) {
    const std::size_t value = at + kParameter.size();
    shown.replace(value, shown.find('&', value) - value, kHidden);
  }
  const std::size_t colon = shown.find(':', begin), end = shown.rfind('@');
  if (colon != std::string::npos && end != std::string::npos && colon < end)
    shown.replace(colon + 1, end - colon - 1, kHidden);
  return shown;
}

std::vector<std::string> locations_in(const std::string& list) {
  std::vector<std::string> locations(1);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == ',')
      locations.emplace_back();
    else if (list[i] == '\\' && i + 1 < list.size() && list[i + 1] == ',')
      locations.back() += list[++i];
    else
      locations.back() += list[i];
  }
  return locations;
}

std::string list_of_locations(std::span<const std::string> locations) {
  std::string list;
  for (const std::string& location : locations) {
    if (!list.empty()) list += ',';
    for (const char c : location) {
      if (c == ',') list += '\\';
      list += c;
    }
  }
  return list;
}

}  // namespace sightline
