// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines of JSON, such as an event a frame, to a file or to standard output.

#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "app/output_file.h"
#include "meta/json.h"
#include "sightline/frame.h"

namespace sightline {

// For any number of threads.
class LineWriter {
 public:
  // Whole: the file appears when everything is written, and replaces an older one. Append: lines
  // are added to an older one, each at once.
  enum class Mode { kWhole, kAppend };

  // `what` the lines are, for errors: "events". "-": standard output. Throws Error if the file
  // can't be written.
  LineWriter(const std::string& target, const std::string& what, Mode mode);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // How the tensors of frames are written; without this they are left out.
  void write_tensors(TensorsAs tensors) { tensors_ = tensors; }
  // For outputs that their writers shall outlive: the first line that can't be written is reported
  // instead of thrown, and no other is tried.
  void survive_failures() { survives_ = true; }
  bool failed() const;

  // Throws Error(kFailed) that names the target.
  void write(const SightFrame* frame, GstClockTime pts);
  void write(const std::string& line);

  // The lines are complete, unless it failed. Throws likewise.
  void finish();

 private:
  std::string complaint() const;  // of errno

  std::string name_, what_;
  TensorsAs tensors_ = TensorsAs::kNothing;
  bool survives_ = false;
  mutable std::mutex mutex_;  // of what follows
  bool failed_ = false;
  std::unique_ptr<OutputFile> file_;
  std::FILE* stream_;
  bool at_once_;  // whoever reads wants to see a line when it has been written
};

}  // namespace sightline
