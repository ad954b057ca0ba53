// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One input of a run, from its first frame to its last: a file is played once; a live input that
// fails is opened again, and its figures and frame numbers go on.

#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/input.h"
#include "app/interrupt.h"
#include "app/output_names.h"
#include "app/restart_rule.h"
#include "app/stream_figures.h"
#include "app/video_run.h"

namespace sightline {

class Wall;

struct StreamPlan {
  Input input;
  FaceStages stages;
  FaceTracking tracking;
  std::optional<float> threshold;
  std::filesystem::path analytics;  // a configuration file; empty: none
  bool live = false;
  bool record = true;  // if the run records at all
  RestartRule restarts;
  // Whether an input that has never given a frame is opened again: one that stands alone on a
  // command line is more likely mistyped than away.
  bool retry_at_start = true;
};

// What all streams of a run share. It outlives them.
struct StreamOutputs {
  std::vector<std::string> galleries;  // locations; empty: nobody is named
  OutputNames* recordings = nullptr;   // never null
  LineWriter* events = nullptr;        // null: none are written
  Wall* wall = nullptr;                // null: none
  bool show = false;
};

class Stream {
 public:
  // `tile` is its place on the wall.
  Stream(StreamPlan plan, const StreamOutputs& outputs, std::size_t tile);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Plays until the input has ended, is given up, or the run is interrupted. In a thread of its
  // own; errors become lines for people, and the stream's state.
  void play(const Interrupts& interrupts);

  // From any thread, while it plays and afterwards.
  const StreamPlan& plan() const { return plan_; }
  StreamSnapshot snapshot() const { return figures_.snapshot(); }
  double progress() const;
  std::vector<std::pair<std::string, StructurePtr>> network_statistics() const;

 private:
  enum class End { kDone, kInputFailed, kFailed };

  End play_once(const Interrupts& interrupts);
  End play_pipeline(const RunRequest& request, const Interrupts& interrupts, RunEnd& end);
  End judge(const RunEnd& end, const Interrupts& interrupts);
  std::optional<std::chrono::seconds> next_pause();
  bool wait(std::chrono::seconds pause, const Interrupts& interrupts);
  void finish(End end, bool interrupted);
  RunRequest request();
  void report_summary() const;

  StreamPlan plan_;
  StreamOutputs outputs_;
  std::size_t tile_;
  StreamFigures figures_;
  RestartPauses pauses_;
  double seconds_ = 0;   // for which it played in all
  double last_ran_ = 0;  // and the last time
  std::string written_;  // the recordings, for people

  mutable std::mutex mutex_;  // of `run_`, which others look at while it plays
  std::unique_ptr<VideoRun> run_;
};

}  // namespace sightline
