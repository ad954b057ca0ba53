// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where models and their configuration files live.

#pragma once

#include <filesystem>

namespace sightline {

// $SIGHTLINE_MODELS, else $XDG_DATA_HOME/sightline/models, else ~/.local/share/sightline/models.
// Need not exist.
std::filesystem::path user_models_directory();

// A model file that a configuration names: `path` itself if it exists, else the file of that name
// in the user's folder. Throws Error(kNotFound) that names both places and how to fetch the model.
std::filesystem::path find_model(const std::filesystem::path& path);

}  // namespace sightline
