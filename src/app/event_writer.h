// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Events: a line of JSON a frame, to a file or to standard output.

#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "app/output_file.h"
#include "sightline/frame.h"

namespace sightline {

class EventWriter {
 public:
  // "-": standard output. Throws Error if the file can't be written.
  explicit EventWriter(const std::string& target);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  // Throws Error(kFailed) that names the target.
  void write(const SightFrame* frame, GstClockTime pts);

  // The events are complete: they replace what the file held before. Throws likewise.
  void finish();

 private:
  void check(bool written) const;

  std::string name_;
  std::unique_ptr<OutputFile> file_;
  std::FILE* stream_;
};

}  // namespace sightline
