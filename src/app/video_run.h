// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One input through the whole pipeline: decode, find faces, name them, draw, show and write.

#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "app/event_writer.h"
#include "app/face_stages.h"
#include "app/input.h"
#include "app/interrupt.h"
#include "app/recording.h"

namespace sightline {

struct RunRequest {
  FaceStages stages;
  std::filesystem::path gallery;  // empty: nobody is named
  std::filesystem::path out;      // empty: nothing is drawn into a file
  bool show = false;
  EventWriter* events = nullptr;  // null: none are written
};

struct RunSummary {
  long frames = 0;
  long faces = 0;
  double seconds = 0;
  std::map<std::string, long> named;  // name → how often
  long unknown = 0;                   // faces that were compared with the gallery and not named
  std::string problem;                // not empty: it ended before its end, for this reason
};

class VideoRun {
 public:
  // Builds the pipeline. Throws Error, UsageError.
  VideoRun(const Input& input, const RunRequest& request);
  ~VideoRun();

  // Plays to the end of the input, or until it is interrupted, which ends it in good order. If
  // something went wrong in the input after its first frame, what came before is finished and the
  // summary has the problem. Throws Error if nothing came of it; no output is written then.
  RunSummary play(const Interrupts& interrupts);

 private:
  GstElement* add_source();
  void add_outputs(GstElement* last);
  void add_display(GstElement* queue);
  void handle_error(GstMessage* message);
  void end_input();
  void drain(const Interrupts& interrupts);
  void observe(GstBuffer* buffer);
  long frames() const;
  double progress() const;

  static GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  Input input_;
  RunRequest request_;
  Pipeline pipeline_;
  GstElement* source_ = nullptr;   // the first element
  GstElement* decoder_ = nullptr;  // where its pads appear
  GstElement* queue_ = nullptr;    // between decoding and the networks
  GstElement* display_ = nullptr;
  std::unique_ptr<Recording> recording_;

  mutable std::mutex mutex_;  // of what the streaming thread counts
  RunSummary summary_;
  GstClockTime position_ = 0;
  std::string missing_decoder_;  // what GStreamer said is not installed
  std::atomic<bool> ending_ = false;
};

}  // namespace sightline
