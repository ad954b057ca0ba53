// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/text.h"

#include <memory>

#include <glib.h>

#include "core/error.h"

namespace sightline {

namespace {

std::string make_valid(const char* text) {
  const std::unique_ptr<char, decltype(&g_free)> valid(g_utf8_make_valid(text, -1), g_free);
  return valid.get();
}

}  // namespace

Text repaired(const char* text) {
  if (text == nullptr) return std::nullopt;
  return make_valid(text);
}

Text checked(const char* text, const char* what) {
  if (text == nullptr) return std::nullopt;
  if (!g_utf8_validate(text, -1, nullptr))
    throw Error(ErrorCode::kInput, std::string(what) + " \"" + make_valid(text) +
                                       "\" is not UTF-8; convert it first (g_utf8_make_valid)");
  return std::string(text);
}

}  // namespace sightline
