// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The networks of a face pipeline: find faces, find their landmarks, embed them. Every command that
// looks at faces runs these, so that what is enrolled is what is recognised. An installation may
// have networks for other things in their place.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/pipeline.h"

namespace CLI {
class App;
}

namespace sightline {

class Engine;
class Model;

inline constexpr char kNone[] = "none";

// What makes a row of networks one for video, rather than for pictures that have nothing to do with
// each other.
struct FaceTracking {
  bool tracks = false;  // faces keep a number over time; networks need not look at each again
  int interval = 0;     // frames without detection between two with it
};

// The elements of FaceStages in a pipeline.
struct FaceChain {
  GstElement *first, *last;
  std::vector<GstElement*> networks;  // sightinfer, in their order
  // Looked at already: as long as this is there, the pipeline need not load it again.
  std::shared_ptr<const Model> embedding;
};

// Any network in a row of networks.
struct NetworkStage {
  std::filesystem::path config;
  bool deepstream = false;                                      // with nvinfer's defaults
  std::vector<std::pair<std::string, std::string>> properties;  // of sightinfer
  std::string where;                                            // it was written, for complaints

  friend bool operator==(const NetworkStage&, const NetworkStage&) = default;
};

// What an earlier run has written down, as sightreplay takes it.
struct Replay {
  std::filesystem::path events;  // empty: nothing is replayed
  std::string stream;            // empty: sightreplay's choice
  std::string match = "auto";

  friend bool operator==(const Replay&, const Replay&) = default;
};

// Where an installation's file names something, "site.yaml:3:11: detect"; empty: it does not.
struct StagePlaces {
  std::string detect, landmarks, embed, tracker;

  friend bool operator==(const StagePlaces&, const StagePlaces&) = default;
};

struct FaceStages {
  // Configuration files; "none": without landmarks, or those of the detector; without embeddings.
  std::filesystem::path detect, landmarks, embed;
  std::string device = "auto";
  // Where there are any, these are run instead, in this order.
  std::vector<NetworkStage> networks;
  std::vector<std::pair<std::string, std::string>> tracker;  // properties of sighttrack
  Replay replay;  // if there is one, no network is run at all
  StagePlaces places;

  friend bool operator==(const FaceStages&, const FaceStages&) = default;

  // Those that come with sightline, in `models`.
  static FaceStages shipped(const std::filesystem::path& models);

  // --detect, --landmarks, --embed, --device.
  void add_options(CLI::App& command);

  // Throws Error, with its place, if a configuration or a model is not there.
  void check() const;

  // Adds one sightinfer a network, linked in a row, and sighttrack behind the first if it is
  // wanted; or a sightreplay. Throws as check(), before anything runs, and if the embedding network
  // is none.
  FaceChain add_to(Pipeline& pipeline, const FaceTracking& tracking = {}) const;

  // Loads the networks and keeps them loaded as long as the result lives, so that one pipeline
  // after another need not load them anew.
  std::vector<std::shared_ptr<Engine>> keep_loaded() const;
};

}  // namespace sightline
