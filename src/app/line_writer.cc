// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/line_writer.h"

#include <cerrno>
#include <cstring>

#include "app/report.h"
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
  if (stream_ == nullptr) throw Error(ErrorCode::kFailed, complaint());
}

LineWriter::~LineWriter() {
  if (stream_ != stdout && stream_ != nullptr) std::fclose(stream_);
}

std::string LineWriter::complaint() const {
  return name_ + ": " + what_ + " cannot be written: " + std::strerror(errno) +
         (errno == ENOSPC ? ". Make room, or choose another place." : ".");
}

bool LineWriter::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

void LineWriter::write(const SightFrame* frame, GstClockTime pts) {
  write(event_line(*frame, pts, tensors_));
}

void LineWriter::write(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (failed_) return;
  failed_ =
      std::fputs((line + "\n").c_str(), stream_) == EOF || (at_once_ && std::fflush(stream_) != 0);
  if (!failed_) return;
  if (!survives_) throw Error(ErrorCode::kFailed, complaint());
  report_error(complaint() + " The streams go on without.");
}

void LineWriter::finish() {
  const std::lock_guard lock(mutex_);
  if (failed_) return;
  if (std::fflush(stream_) != 0 || std::ferror(stream_) != 0)
    throw Error(ErrorCode::kFailed, complaint());
  if (file_ != nullptr) file_->commit();
}

}  // namespace sightline
