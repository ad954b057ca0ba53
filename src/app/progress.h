// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A progress bar on standard error, if that is a terminal; else nothing at all.

#pragma once

#include <chrono>
#include <string>

namespace sightline {

class ProgressBar {
 public:
  explicit ProgressBar(std::string title);
  ~ProgressBar();  // leaves an empty line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `share` is from 0 to 1, or negative where the end is not known. Draws at most ten times a
  // second.
  void update(double share, const std::string& detail);

  // What update() draws in a line of `columns` characters.
  static std::string line(const std::string& title, double share, const std::string& detail,
                          int columns);

 private:
  std::string title_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace sightline
