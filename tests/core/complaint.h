// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <string>

#include "core/error.h"

namespace sightline {

// What the Error says that `action` throws.
template <typename Action>
std::string complaint(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no complaint";
}

}  // namespace sightline
