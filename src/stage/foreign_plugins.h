// SPDX-License-Identifier: LGPL-2.1-or-later
//
// GStreamer's plugins that know families which are not built in.

#pragma once

#include "core/config_file.h"

namespace sightline {

// Loads the plugin sightlinepython for a `model-family = python:…`; where there is none,
// make_postprocessor() says so.
void load_foreign_families(const ConfigFile& config);

}  // namespace sightline
