// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Calls of the C API that must fail with a code.

#pragma once

#include <gtest/gtest.h>

#include "sightline/error.h"

// Runs `call(&error)`, which must return NULL or FALSE and set SIGHT_ERROR `code` with a text that
// contains `words`.
template <typename Call>
void expect_error(SightError code, const char* words, Call call) {
  GError* error = nullptr;
  EXPECT_FALSE(call(&error));
  ASSERT_NE(error, nullptr) << "no error was set, expected: " << words;
  EXPECT_TRUE(g_error_matches(error, SIGHT_ERROR, code)) << error->code << ": " << error->message;
  EXPECT_NE(std::string(error->message).find(words), std::string::npos)
      << '"' << error->message << "\" does not say \"" << words << '"';
  g_error_free(error);
}
