// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a run is to do, whoever said so: the command line, an installation's file, or both.

#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/metrics_server.h"
#include "app/stream.h"

namespace sightline {

struct RunPlan {
  std::vector<StreamPlan> streams;
  int files_at_once = 1;
  std::vector<std::string> galleries;  // locations; empty: nobody is named

  // Outputs; what is empty is not wanted.
  std::string record;        // a file, or a folder, which ends in /
  bool keeps_older = false;  // recordings, events and figures are added to what is there already
  std::string json;          // "-": standard output
  TensorsAs json_tensors = TensorsAs::kNothing;
  std::string stats;                       // likewise
  std::chrono::seconds stats_interval{0};  // 0: at the end only
  bool show = false;
  std::optional<std::filesystem::path> wall;  // empty path: a window
  std::optional<MetricsAddress> metrics;
};

// Throws Error(kNotFound) if a gallery's location is a file that is not there.
void require_gallery(const std::string& location);

// Throws UsageError or Error for what can be known to go wrong before anything is played: models
// and galleries that are not there, fragments that are none, outputs that exclude each other.
void check_plan(const RunPlan& plan);

// The plan in words, a line each.
std::vector<std::string> describe_plan(const RunPlan& plan);

// Plays until all streams have ended or somebody ends it, and gives the exit status; `failed`
// inputs have failed before. Throws Error, UsageError.
int play(const RunPlan& plan, int failed);

}  // namespace sightline
