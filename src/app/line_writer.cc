// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/line_writer.h"

#include <cerrno>
#include <cstring>

#include "app/gst_pointer.h"
#include "core/error.h"

namespace sightline {

LineWriter::LineWriter(const std::string& target, const std::string& what, Mode mode)
    : name_(target == "-" ? "standard output" : target),
      what_(what),
      stream_(stdout),
      at_once_(target == "-" || mode == Mode::kAppend) {
  if (target == "-") return;
  if (mode == Mode::kWhole) file_ = std::make_unique<OutputFile>(target);
  stream_ = std::fopen((file_ == nullptr ? target : file_->path().string()).c_str(),
                       mode == Mode::kWhole ? "we" : "ae");
  check(stream_ != nullptr);
}

LineWriter::~LineWriter() {
  if (stream_ != stdout && stream_ != nullptr) std::fclose(stream_);
}

void LineWriter::check(bool written) const {
  if (written) return;
  throw Error(ErrorCode::kFailed,
              name_ + ": " + what_ + " cannot be written: " + std::strerror(errno) +
                  (errno == ENOSPC ? ". Make room, or choose another place." : "."));
}

void LineWriter::write(const SightFrame* frame, GstClockTime pts) {
  const TextPtr line(sight_frame_to_json(frame, pts));
  write(std::string(line.get()));
}

void LineWriter::write(const std::string& line) {
  const std::lock_guard lock(mutex_);
  check(std::fputs((line + "\n").c_str(), stream_) != EOF &&
        (!at_once_ || std::fflush(stream_) == 0));
}

void LineWriter::finish() {
  const std::lock_guard lock(mutex_);
  check(std::fflush(stream_) == 0 && std::ferror(stream_) == 0);
  if (file_ != nullptr) file_->commit();
}

}  // namespace sightline
