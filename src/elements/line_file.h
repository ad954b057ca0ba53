// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file that grows by whole lines.

#pragma once

#include <string>
#include <string_view>

namespace sightline {

// Every line is handed to the operating system before write() returns. Methods throw
// Error(kNotFound) or Error(kFailed) that names the file and what to do; lines written before stay
// whole, and a line that did not fit is taken back where the file can be cut.
class LineFile {
 public:
  enum class Mode { kTruncate, kAppend };

  LineFile() = default;
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile();

  // `path` may be "-", the standard output. Appending to a file that ends in half a line starts a
  // new one.
  void open(const std::string& path, Mode mode);
  bool is_open() const { return descriptor_ >= 0; }
  void write(std::string_view line);  // without its line feed
  void close();                       // nothing if it is not open

 private:
  [[noreturn]] void fail(const std::string& what, int code) const;
  void end_half_line();

  std::string name_;
  int descriptor_ = -1;
};

}  // namespace sightline
