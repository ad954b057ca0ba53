// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/tsv.h"

#include <algorithm>
#include <sstream>
#include <string_view>

#include "core/error.h"
#include "core/text_file.h"

namespace sightline {

namespace {

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> cells;
  for (std::size_t start = 0;;) {
    const std::size_t tab = line.find('\t', start);
    cells.emplace_back(line.substr(start, tab - start));
    if (tab == std::string_view::npos) return cells;
    start = tab + 1;
  }
}

std::string joined(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ", ") + column;
  return text;
}

}  // namespace

TsvTable TsvTable::read(const std::filesystem::path& path,
                        const std::vector<std::string>& columns) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw Error(ErrorCode::kInput, path.string() +
                                       ": is a folder; expected a table with the columns " +
                                       joined(columns) + ".");
  const std::optional<std::string> text = read_text_file(path);
  if (!text)
    throw Error(ErrorCode::kNotFound, path.string() +
                                          ": cannot be read; expected a table with the columns " +
                                          joined(columns) + ", separated by tabs.");
  return parse(*text, path.string(), columns);
}

TsvTable TsvTable::parse(const std::string& text, const std::string& name,
                         const std::vector<std::string>& columns) {
  TsvTable table;
  table.name_ = name;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    TsvRow row{number, split(line)};
    if (table.rows_.empty() && row.cells == columns) continue;
    if (row.cells.size() != columns.size())
      table.fail(row, "has " + std::to_string(row.cells.size()) + " columns; expected " +
                          std::to_string(columns.size()) +
                          ", separated by tabs: " + joined(columns));
    const auto empty = std::ranges::find(row.cells, std::string());
    if (empty != row.cells.end())
      table.fail(row, "the column " + columns[empty - row.cells.begin()] + " is empty");
    table.rows_.push_back(std::move(row));
  }
  if (table.rows_.empty())
    throw Error(ErrorCode::kInput, name + ": has no rows; expected the columns " + joined(columns) +
                                       ", separated by tabs.");
  return table;
}

void TsvTable::fail(const TsvRow& row, const std::string& complaint) const {
  throw Error(ErrorCode::kInput, name_ + ":" + std::to_string(row.line) + ": " + complaint + ".");
}

}  // namespace sightline
