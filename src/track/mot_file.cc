// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/mot_file.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/text_file.h"

namespace sightline {

namespace {

constexpr std::size_t kNeededColumns = 6;
constexpr std::size_t kMostColumns = 10;  // results have x, y, z of the world as the last three
constexpr std::int64_t kMostFrames = 1'000'000'000;
constexpr double kFarthest = 1e7;  // pixels
constexpr char kColumns[] = "frame,id,x,y,width,height,confidence,class,visibility";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// One line, whose columns are asked for by their number.
class Line {
 public:
  Line(std::string_view text, std::string where) : where_(std::move(where)) {
    for (std::size_t start = 0;;) {
      const std::size_t comma = text.find(',', start);
      cells_.push_back(trimmed(text.substr(start, comma - start)));
      if (comma == std::string_view::npos) break;
      start = comma + 1;
    }
    if (cells_.size() < kNeededColumns || cells_.size() > kMostColumns)
      fail("has " + std::to_string(cells_.size()) + " columns; expected " +
           std::to_string(kNeededColumns) + " to " + std::to_string(kMostColumns) +
           ", separated by commas: " + kColumns);
  }

  [[noreturn]] void fail(const std::string& complaint) const {
    throw Error(ErrorCode::kInput, where_ + ": " + complaint + ".");
  }

  double number(std::size_t column, const char* name, double otherwise) const {
    if (column >= cells_.size()) return otherwise;
    const std::string_view cell = cells_[column];
    double value = 0;
    const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (problem != std::errc() || end != cell.data() + cell.size() ||
        !(std::abs(value) <= kFarthest))
      fail(std::string(name) + " is \"" + std::string(cell) +
           "\"; expected a number between -10000000 and 10000000");
    return value;
  }

  // Some tools write whole numbers as "1.00".
  std::int64_t whole(std::size_t column, const char* name, std::int64_t least,
                     std::int64_t otherwise) const {
    if (column >= cells_.size()) return otherwise;
    const std::string_view cell = cells_[column];
    std::int64_t value = 0;
    auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    const char* const last = cell.data() + cell.size();
    if (problem == std::errc() && end != last && *end == '.')
      for (++end; end != last && *end == '0';) ++end;
    if (problem != std::errc() || end != last || value < least)
      fail(std::string(name) + " is \"" + std::string(cell) + "\"; expected a whole number from " +
           std::to_string(least));
    return value;
  }

 private:
  std::string where_;
  std::vector<std::string_view> cells_;
};

MotRow read_row(const Line& line) {
  MotRow row;
  row.frame = line.whole(0, "frame", 1, 1);
  if (row.frame > kMostFrames) line.fail("frame is larger than 1000000000");
  row.identity = line.whole(1, "id", 0, 0);
  row.box = {static_cast<float>(line.number(2, "x", 0)), static_cast<float>(line.number(3, "y", 0)),
             static_cast<float>(line.number(4, "width", 0)),
             static_cast<float>(line.number(5, "height", 0))};
  if (row.box.empty()) line.fail("width and height are not both larger than 0");
  row.confidence = line.number(6, "confidence", 1);
  row.class_id = line.whole(7, "class", -1, -1);
  row.visibility = line.number(8, "visibility", -1);
  return row;
}

using Frames = std::map<std::int64_t, std::vector<LabelledBox>>;

bool is_ignored(const MotRow& row, const MotSelection& selection) {
  const bool other_class = selection.class_id >= 0 && row.class_id != selection.class_id;
  const bool hidden = row.visibility >= 0 && row.visibility < selection.min_visibility;
  return other_class || hidden || row.confidence == 0;
}

}  // namespace

std::vector<MotRow> read_mot_file(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  const auto text = is_folder ? std::nullopt : read_text_file(path);
  if (!text)
    throw Error(
        ErrorCode::kNotFound,
        path.string() + ": cannot be read; expected a text file with lines of " + kColumns + ".");
  return parse_mot(*text, path.string());
}

std::vector<MotRow> parse_mot(const std::string& text, const std::string& name) {
  std::vector<MotRow> rows;
  std::map<std::pair<std::int64_t, std::int64_t>, int> seen;  // (frame, id) → line
  std::istringstream lines(text);
  std::string content;
  for (int number = 1; std::getline(lines, content); ++number) {
    if (trimmed(content).empty()) continue;
    const Line line(content, name + ":" + std::to_string(number));
    const MotRow row = read_row(line);
    const auto [first, fresh] = seen.emplace(std::pair(row.frame, row.identity), number);
    if (!fresh)
      line.fail("id " + std::to_string(row.identity) + " is in frame " + std::to_string(row.frame) +
                " a second time, after line " + std::to_string(first->second));
    rows.push_back(row);
  }
  return rows;
}

std::string to_mot_line(const MotRow& row) {
  char line[200];
  std::snprintf(line, sizeof line, "%lld,%lld,%.2f,%.2f,%.2f,%.2f,%.4g,%lld,%.4g",
                static_cast<long long>(row.frame), static_cast<long long>(row.identity),
                static_cast<double>(row.box.x), static_cast<double>(row.box.y),
                static_cast<double>(row.box.width), static_cast<double>(row.box.height),
                row.confidence, static_cast<long long>(row.class_id), row.visibility);
  return line;
}

ComparedSequence compare(const std::vector<MotRow>& truth, const std::vector<MotRow>& result,
                         const MotSelection& selection) {
  Frames of_truth, of_result;
  for (const MotRow& row : truth) {
    of_truth[row.frame].push_back({row.identity, row.box, is_ignored(row, selection)});
    of_result[row.frame];
  }
  for (const MotRow& row : result) {
    of_result[row.frame].push_back({row.identity, row.box});
    of_truth[row.frame];
  }
  std::vector<std::vector<LabelledBox>> truth_frames, result_frames;
  for (auto& [frame, boxes] : of_truth) truth_frames.push_back(std::move(boxes));
  for (auto& [frame, boxes] : of_result) result_frames.push_back(std::move(boxes));
  return compare(truth_frames, result_frames);
}

}  // namespace sightline
