// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Headers of other projects that take long to read, read once for the whole room.

#include <CLI/CLI.hpp>
#include <gst/gst.h>
#include <nlohmann/json.hpp>
