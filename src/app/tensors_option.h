// SPDX-License-Identifier: LGPL-2.1-or-later
//
// --tensors, of commands that write events.

#pragma once

#include "meta/json.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace sightline {

CLI::Option* add_tensors_option(CLI::App& command, TensorsAs& tensors);

}  // namespace sightline
