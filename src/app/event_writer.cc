// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/event_writer.h"

#include <cerrno>
#include <cstring>

#include "app/gst_pointer.h"
#include "core/error.h"

namespace sightline {

EventWriter::EventWriter(const std::string& target)
    : name_(target == "-" ? "standard output" : target), stream_(stdout) {
  if (target == "-") return;
  file_ = std::make_unique<OutputFile>(target);
  stream_ = std::fopen(file_->path().c_str(), "we");
  check(stream_ != nullptr);
}

EventWriter::~EventWriter() {
  if (file_ != nullptr && stream_ != nullptr) std::fclose(stream_);
}

void EventWriter::check(bool written) const {
  if (written) return;
  throw Error(ErrorCode::kFailed,
              name_ + ": events cannot be written: " + std::strerror(errno) +
                  (errno == ENOSPC ? ". Make room, or choose another place." : "."));
}

void EventWriter::write(const SightFrame* frame, GstClockTime pts) {
  const TextPtr line(sight_frame_to_json(frame, pts));
  // Whoever reads standard output wants to see a frame when it has been seen.
  check(std::fputs(line.get(), stream_) != EOF && std::fputc('\n', stream_) != EOF &&
        (file_ != nullptr || std::fflush(stream_) == 0));
}

void EventWriter::finish() {
  check(std::fflush(stream_) == 0 && std::ferror(stream_) == 0);
  if (file_ != nullptr) file_->commit();
}

}  // namespace sightline
