// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/text_stream.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text_file.h"

namespace sightline {
namespace {

constexpr std::size_t kPart = 1 << 16;  // that is read at a time

// As people count bytes: the largest unit of which it is a whole number, up to MiB.
std::string amount(std::size_t bytes) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return std::to_string(bytes >> 20) + " MiB";
  if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes) + " bytes";
}

}  // namespace

TextStream::TextStream(std::filesystem::path path, std::string name)
    : path_(std::move(path)), name_(std::move(name)) {
  require_file_or_pipe(path_);
  std::error_code ignored;
  if (!std::filesystem::is_directory(path_, ignored)) stream_.open(path_, std::ios::binary);
  if (!stream_.is_open()) throw Error(ErrorCode::kNotFound, name_ + ": cannot be read.");
}

// Makes the part that has not been taken longer; false: the end is reached.
bool TextStream::fill() {
  buffer_.erase(0, std::exchange(begin_, 0));
  const std::size_t end = buffer_.size();
  buffer_.resize(end + kPart);
  stream_.read(buffer_.data() + end, kPart);
  buffer_.resize(end + static_cast<std::size_t>(stream_.gcount()));
  return buffer_.size() > end;
}

std::string_view TextStream::ahead(std::size_t bytes) {
  while (buffer_.size() - begin_ < bytes && fill()) {
  }
  return std::string_view(buffer_).substr(begin_, bytes);
}

bool TextStream::next_line(std::string& line, std::size_t longest) {
  ++line_;
  std::size_t searched = 0;  // of what has not been taken
  for (;;) {
    const std::size_t end = buffer_.find('\n', begin_ + searched);
    searched = std::min(end, buffer_.size()) - begin_;
    if (searched > longest)
      throw Error(ErrorCode::kInput, name_ + ":" + std::to_string(line_) +
                                         ": the line is longer than " + amount(longest) +
                                         ", more than any that is expected here. Is it another "
                                         "file, or is an end of a line missing?");
    if (end == std::string::npos && fill()) continue;
    const bool is_there = end != std::string::npos || searched > 0;
    line.assign(buffer_, begin_, searched);
    begin_ = std::min(begin_ + searched + 1, buffer_.size());
    return is_there;
  }
}

std::string TextStream::rest(std::size_t largest, const std::string& advice) {
  while (buffer_.size() - begin_ <= largest && fill()) {
  }
  if (buffer_.size() - begin_ > largest) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path_, error);
    throw Error(ErrorCode::kInput,
                name_ + ": is larger than " + amount(largest) +
                    (error ? "" : " (it has " + std::to_string(size) + " bytes)") + ", " + advice);
  }
  return std::exchange(buffer_, {}).substr(std::exchange(begin_, 0));
}

}  // namespace sightline
