// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Errors on their way between C++ and the C API.

#pragma once

#include <exception>
#include <type_traits>

#include "core/error.h"
#include "sightline/error.h"

namespace sightline {

// Sets `*error`, if somebody asked for it, to `problem` in the domain SIGHT_ERROR. What it says may
// hold bytes of a file; bytes that are not UTF-8 become U+FFFD, as readers of a GError expect it.
void set_gerror(GError** error, const std::exception& problem);

// Frees `error` and returns what it said. An error of another domain is ErrorCode::kFailed.
Error take_error(GError* error);

// The result of `body`, or, if it throws, a value-initialised one (NULL, FALSE) with `*error` set.
template <typename Body>
auto catch_gerror(GError** error, Body body) -> std::invoke_result_t<Body> {
  try {
    return body();
  } catch (const std::exception& problem) {
    set_gerror(error, problem);
    return {};
  }
}

}  // namespace sightline
