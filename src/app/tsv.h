// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Tables of tab-separated text, read with their line numbers.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

struct TsvRow {
  int line = 0;  // counted from 1
  std::vector<std::string> cells;
};

class TsvTable {
 public:
  // Rows with exactly these columns; a first line that repeats their names is skipped, and so are
  // empty lines and lines that begin with '#'. Throws Error(kNotFound) or Error(kInput) that names
  // the file and, of a bad row, the line.
  static TsvTable read(const std::filesystem::path& path, const std::vector<std::string>& columns);
  static TsvTable parse(const std::string& text, const std::string& name,
                        const std::vector<std::string>& columns);

  const std::vector<TsvRow>& rows() const { return rows_; }

  // Throws Error(kInput): "name:line: complaint".
  [[noreturn]] void fail(const TsvRow& row, const std::string& complaint) const;

 private:
  std::string name_;
  std::vector<TsvRow> rows_;
};

}  // namespace sightline
