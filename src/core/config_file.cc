// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/config_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "core/nearest_word.h"
#include "core/text_file.h"
#include "core/yaml_document.h"

namespace sightline {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find_first_of(separators);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  if (parts.back().empty()) parts.pop_back();  // "a;b;" is two, as in nvinfer's files
  return parts;
}

}  // namespace

ConfigValue::ConfigValue(std::string text, std::string key, std::string where,
                         std::filesystem::path directory)
    : text_(std::move(text)),
      key_(std::move(key)),
      where_(std::move(where)),
      directory_(std::move(directory)) {}

std::string ConfigValue::complaint(const std::string& what) const {
  return where_ + ": " + key_ + " = " + text_ + ": " + what;
}

void ConfigValue::fail(const std::string& what) const {
  throw Error(ErrorCode::kConfig, complaint(what));
}

int ConfigValue::as_int(int minimum, int maximum) const {
  const auto value = parse_number<int>(text_);
  if (!value || *value < minimum || *value > maximum)
    fail("expected a whole number from " + std::to_string(minimum) + " to " +
         std::to_string(maximum));
  return *value;
}

float ConfigValue::as_float(float minimum, float maximum) const {
  const auto value = parse_number<float>(text_);
  if (!value || !(*value >= minimum && *value <= maximum)) {
    std::ostringstream expected;
    expected << "expected a number from " << minimum << " to " << maximum;
    fail(expected.str());
  }
  return *value;
}

bool ConfigValue::as_bool() const {
  return as_one_of<bool>(
      {{"0", false}, {"1", true}, {"false", false}, {"true", true}, {"no", false}, {"yes", true}});
}

std::vector<float> ConfigValue::as_floats() const {
  std::vector<float> values;
  for (const std::string_view part : split(text_, ";,")) {
    const auto value = parse_number<float>(part);
    if (!value || !std::isfinite(*value))
      fail("expected numbers separated by ';', found \"" + std::string(part) + "\"");
    values.push_back(*value);
  }
  return values;
}

std::vector<int> ConfigValue::as_ints() const {
  std::vector<int> values;
  for (const std::string_view part : split(text_, ";,")) {
    const auto value = parse_number<int>(part);
    if (!value)
      fail("expected whole numbers separated by ';', found \"" + std::string(part) + "\"");
    values.push_back(*value);
  }
  return values;
}

std::vector<std::string> ConfigValue::as_strings() const {
  std::vector<std::string> values;
  for (const std::string_view part : split(text_, ";")) values.emplace_back(part);
  return values;
}

std::filesystem::path ConfigValue::as_path() const {
  if (text_.empty()) fail("expected the name of a file");
  return directory_ / text_;  // an absolute path stays as it is
}

ConfigFile ConfigFile::read(const std::filesystem::path& path, Repeats repeats) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw Error(ErrorCode::kConfig, path.string() + ": is a folder, expected a configuration file");
  const std::optional<std::string> text = read_text_file(path);
  if (!text)
    throw Error(ErrorCode::kNotFound,
                path.string() + ": no such configuration file, or it cannot be read");
  const std::string ending = path.extension().string();
  if (ending == ".yaml" || ending == ".yml")
    return parse_yaml(*text, path.string(), path.parent_path());
  return parse(*text, path.string(), path.parent_path(), repeats);
}

ConfigFile ConfigFile::parse(std::string_view text, std::string name,
                             std::filesystem::path directory, Repeats repeats) {
  ConfigFile file;
  file.name_ = std::move(name);
  file.directory_ = std::move(directory);
  int line_number = 0;
  const auto where = [&] { return file.name_ + ":" + std::to_string(line_number); };
  const auto complain = [&](const std::string& what) {
    throw Error(ErrorCode::kConfig, where() + ": " + what);
  };

  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    ++line_number;
    const auto end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);

    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.find('\0') != std::string_view::npos)
      complain("holds a zero byte: this is not a text file");
    if (line.front() == '[') {
      if (line.back() != ']')
        complain("the group \"" + std::string(line) + "\" has no closing bracket");
      file.groups_.emplace_back(trimmed(line.substr(1, line.size() - 2)), where());
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string_view::npos)
      complain("expected \"key = value\", found \"" + std::string(line.substr(0, 80)) + "\"");
    if (file.groups_.empty())
      complain("a key before any group: the file is to begin with [property]");
    file.add({file.groups_.back().first, std::string(trimmed(line.substr(0, equals))),
              std::string(trimmed(line.substr(equals + 1))), where(), file.directory_},
             repeats);
  }
  return file;
}

ConfigFile ConfigFile::parse_yaml(std::string_view text, std::string name,
                                  std::filesystem::path directory) {
  ConfigFile file;
  file.name_ = std::move(name);
  file.directory_ = std::move(directory);
  const YamlMap document(YamlValue::parse(std::string(text), file.name_, file.directory_));
  for (const YamlValue& group : document.values()) {
    file.groups_.emplace_back(group.key(), group.where());
    if (!group.is_map() && !group.is_list() && group.as_scalar().empty()) continue;
    for (const YamlValue& value : YamlMap(group).values()) {
      std::string joined;
      if (value.is_list())
        for (const YamlValue& item : value.as_list()) joined += item.as_scalar() + ";";
      file.add({group.key(), value.key(), value.is_list() ? joined : value.as_scalar(),
                value.where(), file.directory_},
               Repeats::kRefused);
    }
  }
  return file;
}

void ConfigFile::add(Entry added, Repeats repeats) {
  Entry* const earlier = entry(added.group, added.key);
  if (earlier == nullptr) {
    entries_.push_back(std::move(added));
    return;
  }
  if (repeats == Repeats::kRefused)
    throw Error(ErrorCode::kConfig, added.where + ": " + added.key + ": already set in line " +
                                        earlier->where.substr(earlier->where.rfind(':') + 1));
  *earlier = std::move(added);
}

ConfigFile::Entry* ConfigFile::entry(std::string_view group, std::string_view key) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.group == group && entry.key == key;
  });
  return found == entries_.end() ? nullptr : &*found;
}

void ConfigFile::set(std::string_view group, std::string_view key, std::string text,
                     std::string origin) {
  Entry laid{std::string(group), std::string(key), std::move(text), std::move(origin)};
  if (Entry* const below = entry(group, key))
    *below = std::move(laid);
  else
    entries_.push_back(std::move(laid));
}

void ConfigFile::set_default(std::string_view group, std::string_view key, std::string text,
                             std::string origin) {
  if (entry(group, key) != nullptr) return;
  entries_.push_back(
      {std::string(group), std::string(key), std::move(text), std::move(origin), directory_, true});
}

void ConfigFile::remove(std::string_view group, std::string_view key) {
  std::erase_if(entries_,
                [&](const Entry& entry) { return entry.group == group && entry.key == key; });
}

bool ConfigFile::has_group(std::string_view group) const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [&](const auto& known) { return known.first == group; });
}

std::vector<std::string> ConfigFile::groups() const {
  std::vector<std::string> names;
  for (const auto& [group, where] : groups_)
    if (std::find(names.begin(), names.end(), group) == names.end()) names.push_back(group);
  return names;
}

std::vector<std::string> ConfigFile::keys(std::string_view group) const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_)
    if (entry.group == group && !entry.is_default) names.push_back(entry.key);
  return names;
}

std::optional<ConfigValue> ConfigFile::peek(std::string_view group, std::string_view key) const {
  for (const Entry& entry : entries_)
    if (entry.group == group && entry.key == key)
      return ConfigValue(entry.text, entry.key, entry.where, entry.directory);
  return std::nullopt;
}

std::optional<ConfigValue> ConfigFile::find(std::string_view group, std::string_view key) const {
  asked_.emplace(group, key);
  return peek(group, key);
}

ConfigValue ConfigFile::get(std::string_view group, std::string_view key) const {
  if (auto value = find(group, key)) return *std::move(value);
  throw Error(ErrorCode::kConfig, name_ + ": the key " + std::string(key) +
                                      " is missing in group [" + std::string(group) + "]");
}

std::vector<std::string> ConfigFile::unknown() const {
  std::vector<std::string> complaints;
  std::set<std::string_view> strange;
  for (const auto& [group, where] : groups_) {
    const bool known = std::any_of(asked_.begin(), asked_.end(), [&group = group](const auto& key) {
      return key.first == group;
    });
    if (!known && strange.insert(group).second)
      complaints.push_back(where + ": [" + group + "]: no such group");
  }
  for (const Entry& entry : entries_) {
    if (entry.is_default || strange.contains(entry.group) ||
        asked_.contains({entry.group, entry.key}))
      continue;
    std::vector<std::string> known;
    for (const auto& [group, key] : asked_)
      if (group == entry.group) known.push_back(key);
    const std::string nearest = nearest_word(entry.key, known);
    complaints.push_back(entry.where + ": " + entry.key + ": no such key in [" + entry.group + "]" +
                         (nearest.empty() ? "" : ". Did you mean " + nearest + "?"));
  }
  return complaints;
}

void ConfigFile::reject_unknown() const {
  if (const auto complaints = unknown(); !complaints.empty())
    throw Error(ErrorCode::kConfig, complaints.front());
}

}  // namespace sightline
