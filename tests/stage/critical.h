// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Calls of the C API that a programmer got wrong.

#pragma once

#include <string>

#include <glib.h>

// Runs `call`, which must say with a critical that `condition` does not hold. (An
// expected one does not stop a program under G_DEBUG=fatal-criticals.)
template <typename Call>
void expect_critical(const char* condition, Call call) {
  const std::string pattern = "*'" + std::string(condition) + "' failed";
  g_test_expect_message("Sightline", G_LOG_LEVEL_CRITICAL, pattern.c_str());
  call();
  g_test_assert_expected_messages();
}
