// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One input through the whole pipeline: decode, find faces, name them, draw, show and write. Once;
// Stream plays an input again.

#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/display.h"
#include "app/face_stages.h"
#include "app/input.h"
#include "app/interrupt.h"
#include "app/line_writer.h"
#include "app/recording.h"
#include "app/stream_figures.h"
#include "app/video_source.h"
#include "core/error.h"

namespace sightline {

struct RunRequest {
  FaceStages stages;
  FaceTracking tracking;
  std::vector<std::string> galleries;  // locations; empty: nobody is named
  bool embed = false;                  // faces are embedded, though nobody is named
  std::optional<float> threshold;      // of naming; none: the gallery's own
  std::filesystem::path analytics;     // sightanalytics' configuration file; empty: none
  std::filesystem::path out;           // empty: nothing is drawn into a file
  bool show = false;
  std::string without_display = "or write a file with --out.";  // what else can be done
  LineWriter* events = nullptr;                                 // null: none are written
  StreamFigures* figures = nullptr;                             // never null

  bool live = false;                           // the newest frame wins
  bool paced = false;                          // at the input's own speed, though it is not live
  std::chrono::milliseconds stall_timeout{0};  // without a frame; 0: for ever
  std::uint64_t first_number = 0;              // of its frames

  // Called by the streaming thread with each frame after the networks, and with each drawn one.
  std::function<void(GstBuffer*, GstCaps*)> on_frame;
  std::function<void(GstSample*)> on_picture;
  std::function<void(const std::string&)> on_key;  // pressed in the window that `show` opens
  std::function<void()> on_tick;                   // about ten times a second, by play()
};

// The input failed, not what is done with it: it may work when it is opened again.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(ErrorCode::kInput, message) {}
};

struct RunEnd {
  long frames = 0;
  double seconds = 0;
  std::string problem;         // not empty: the input failed before its end, for this reason
  bool window_closed = false;  // somebody wanted no more of it
};

class VideoRun {
 public:
  // Builds the pipeline. Throws Error, UsageError.
  VideoRun(const Input& input, const RunRequest& request);
  ~VideoRun();

  // Plays to the end of the input, or until it is interrupted, which ends it in good order. If the
  // input failed after its first frame, what came before is finished. Throws InputError if the
  // input gave no frame at all, and Error for everything else; no output is written then.
  RunEnd play(const Interrupts& interrupts);

  // From 0 to 1; negative where nobody knows how long the input is. From any thread.
  double progress() const;
  // What each network's element says of itself ("stats"), by the element's name. From any thread.
  std::vector<std::pair<std::string, StructurePtr>> network_statistics() const;
  // The line of text in the window that `show` opens. From any thread.
  void set_caption(const std::string& text);

 private:
  GstElement* add_match(GstElement* last);
  void add_outputs(GstElement* last);
  void add_picture_sink(GstElement* last);
  GstStateChangeReturn start(GstState state);
  void handle_error(GstMessage* message);
  void fail(const std::string& problem);
  void end_input();
  void drain(const Interrupts& interrupts);
  void handle(GstMessage* message);
  void watch_for_stall();
  std::chrono::milliseconds patience_with_file() const;
  void number(GstPadProbeInfo* info, GstPad* pad);
  void observe(GstBuffer* buffer, GstPad* pad);

  static GstPadProbeReturn on_decoded(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn before_networks(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn after_networks(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  Input input_;
  RunRequest request_;
  Pipeline pipeline_;
  std::unique_ptr<VideoSource> source_;
  std::vector<GstElement*> networks_;
  std::optional<Display> display_;
  std::unique_ptr<Recording> recording_;

  std::uint64_t next_number_;
  std::atomic<bool> decoded_ = false;  // a frame came
  std::atomic<long> frames_ = 0;       // that left the networks
  std::atomic<GstClockTime> position_ = 0;
  std::string missing_decoder_;  // what GStreamer said is not installed
  std::string problem_;
  bool window_closed_ = false;
  std::atomic<bool> ending_ = false;
};

}  // namespace sightline
