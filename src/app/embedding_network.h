// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The network whose embeddings a gallery holds, as people name it.

#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "gallery/gallery.h"

namespace sightline {

class Model;

// Loads the network of a configuration. Throws Error(kModel) that says which outputs it has unless
// it makes embeddings.
std::shared_ptr<const Model> load_embedding_network(const std::filesystem::path& config,
                                                    const std::string& device = "auto");

// What made embeddings that do not say it: such a configuration, or ID:NAME:DIMENSIONS. Throws
// UsageError that begins with `option`, and as load_embedding_network() does. GStreamer must be
// initialised.
ModelFingerprint named_model(const std::string& text, const std::string& option);

}  // namespace sightline
