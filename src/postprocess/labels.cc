// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/labels.h"

#include <fstream>
#include <sstream>

#include "postprocess/nvinfer_rules.h"

namespace sightline {

namespace {

constexpr std::size_t kLargestFile = 1 << 20;  // ImageNet's 1000 names are 30 KB

std::string read_text(const ConfigValue& path) {
  const std::filesystem::path file = path.as_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) path.fail("is a folder, expected a text file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) path.fail("cannot read " + file.string());
  std::string text(kLargestFile + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kLargestFile) path.fail("is over 1 MiB, expected a label a line");
  if (text.find('\0') != std::string::npos) path.fail("holds a zero byte: this is no text file");
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  return text;
}

std::string trimmed(const std::string& text) {
  constexpr const char* kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> labels;
  std::istringstream stream(line);
  for (std::string label; std::getline(stream, label, ';');) labels.push_back(trimmed(label));
  if (!labels.empty() && labels.back().empty()) labels.pop_back();  // "a;b;" is two
  return labels;
}

}  // namespace

std::optional<Labels> read_labels(const ConfigFile& config) {
  const auto list = config.find("property", "labels");
  const auto path = config.find("property", "labelfile-path");
  if (list && path) path->fail("labels gives the names already; keep one of the two");
  if (list) return Labels{*list, {list->as_strings()}};
  if (!path) return std::nullopt;

  Labels labels{*path, {}};
  std::istringstream stream(read_text(*path));
  for (std::string line; std::getline(stream, line);)
    if (!trimmed(line).empty()) labels.lines.push_back(split(line));
  return labels;
}

void fit_labels(const ConfigFile& config, const ConfigValue& origin, std::size_t count,
                std::vector<std::string>& labels) {
  if (labels.size() == count) return;
  complain_or_remark(config, origin,
                     "holds " + std::to_string(labels.size()) + " labels, expected " +
                         std::to_string(count) + ", one a class");
  for (std::size_t i = labels.size(); i < count; ++i)
    labels.push_back("class " + std::to_string(i));
  labels.resize(count);
}

std::optional<int> stated_classes(const ConfigFile& config) {
  constexpr int kMostClasses = 1 << 16;
  if (const auto count = config.find("property", "num-detected-classes"))
    return count->as_int(1, kMostClasses);
  std::size_t count = 0;
  if (const auto labels = read_labels(config))
    for (const auto& line : labels->lines) count += line.size();
  return count == 0 ? std::nullopt : std::optional(static_cast<int>(count));
}

}  // namespace sightline
