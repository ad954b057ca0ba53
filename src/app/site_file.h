// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The file that describes an installation: its cameras, networks and outputs.
// docs/installation-file.md lists the keys.

#pragma once

#include <filesystem>

#include "app/run_plan.h"

namespace sightline {

// What the file says, with `shipped` networks where it names none. Cameras and addresses need not
// be there yet. Throws Error that names file, line, column and key, what was found and what was
// expected. GStreamer must be initialised.
RunPlan read_site(const std::filesystem::path& path, const FaceStages& shipped);

}  // namespace sightline
