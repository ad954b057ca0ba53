// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Making people known while video runs: commands from the terminal and from the window, views from
// the frames, and what is to be said about it.

#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "app/line_input.h"
#include "app/view_taker.h"

namespace sightline {

class LiveEnrolment {
 public:
  // `source` is what the gallery says that views are from. With `force` a face is enrolled in spite
  // of what speaks against it.
  LiveEnrolment(std::string gallery, std::string source, bool force);

  // Says how to use it.
  void explain(bool has_window) const;

  // From the streaming thread: each frame after the networks.
  void observe(GstBuffer* buffer, GstCaps* caps);
  // From the window's thread: the name of a key, as X11 calls it.
  void press(const std::string& key);

  // From whoever plays, often: takes commands, and stores views that are complete. False: somebody
  // wants it to end.
  bool go_on();
  void end();                                 // no frame comes any more
  std::string caption() const;                // for the window; empty: nothing to say
  int failures() const { return failures_; }  // people that were to be made known and were not

 private:
  using Clock = std::chrono::steady_clock;

  // Somebody is being made known.
  struct Enrolment {
    std::string name;
    ViewTaker taker;
    std::string objection;  // to the last frame
    Clock::time_point begin = Clock::now();
  };

  bool take_lines();
  bool take_keys();
  bool obey(const std::string& line);
  void type(const std::string& key);
  void begin(const std::string& name);
  void give_up(const std::string& reason);
  void look_after();
  void store(Enrolment enrolment);
  void check(const std::string& name, const std::vector<FaceView>& views) const;
  void announce();

  const std::string gallery_;
  const std::string source_;
  const bool force_;
  LineInput lines_;
  bool asked_for_name_ = false;       // the next line is one
  std::optional<std::string> typed_;  // the name, as far as it is typed in the window
  std::string announced_;
  int failures_ = 0;

  mutable std::mutex mutex_;  // of what follows
  std::deque<std::string> keys_;
  std::optional<Enrolment> enrolment_;
  std::string last_words_;  // of the last enrolment, for the caption
  Clock::time_point last_words_until_{};
};

}  // namespace sightline
