// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The networks of a face pipeline: find faces, find their landmarks, embed them. Every command that
// looks at faces runs these, so that what is enrolled is what is recognised.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/pipeline.h"

namespace CLI {
class App;
}

namespace sightline {

class Engine;

inline constexpr char kNone[] = "none";

struct FaceStages {
  // Configuration files; "none": without landmarks, or those of the detector; without embeddings.
  std::filesystem::path detect, landmarks, embed;
  std::string device = "auto";

  friend bool operator==(const FaceStages&, const FaceStages&) = default;

  // Those that come with sightline, in `models`.
  static FaceStages shipped(const std::filesystem::path& models);

  // --detect, --landmarks, --embed, --device.
  void add_options(CLI::App& command);

  // Throws Error if a configuration or a model is not there.
  void check() const;

  // Adds one sightinfer a network, linked in a row. Throws as check(), before anything runs.
  std::vector<GstElement*> add_to(Pipeline& pipeline) const;

  // Loads the networks and keeps them loaded as long as the result lives, so that one pipeline
  // after another need not load them anew.
  std::vector<std::shared_ptr<Engine>> keep_loaded() const;
};

}  // namespace sightline
