// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reading what others write, as large as they like, with a bound on what is in memory.

#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace sightline {

// A file or a pipe, from its beginning. Errors name the file, and of lines the number.
class TextStream {
 public:
  // `name` is for messages. Throws Error(kNotFound) if it cannot be read, Error(kInput) as
  // require_file_or_pipe() does.
  TextStream(std::filesystem::path path, std::string name);
  explicit TextStream(const std::filesystem::path& path) : TextStream(path, path.string()) {}

  const std::string& name() const { return name_; }

  // Up to so many bytes of what comes next, which stays to be read.
  std::string_view ahead(std::size_t bytes);
  // The next line without its end; false: there is none. Throws Error(kInput) if it has more bytes
  // than `longest`.
  bool next_line(std::string& line, std::size_t longest);
  long line_number() const { return line_; }  // of the line that was read last, from 1
  // All that is left. Throws Error(kInput) if that is more than `largest` bytes; `advice` ends the
  // message.
  std::string rest(std::size_t largest, const std::string& advice);

 private:
  bool fill();

  const std::filesystem::path path_;
  const std::string name_;
  std::ifstream stream_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what has not been taken, in buffer_
  long line_ = 0;
};

}  // namespace sightline
