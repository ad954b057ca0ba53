// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Configuration files: groups of keys with values, as INI or as YAML, read with their line numbers,
// so that every complaint names one.
//
// Values may be laid over those of the file (an element's properties) and under them (defaults of
// another program), so that whoever reads asks one place only.
//
// Each room reads the keys that are its own; who joins the rooms then calls reject_unknown(). A key
// that nobody asked for is an error, so no key can be parsed and ignored.

#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace sightline {

// One value and where it stands. Every reader throws Error(kConfig) with "file:line: key = value:
// …, expected …".
class ConfigValue {
 public:
  ConfigValue(std::string text, std::string key, std::string where,
              std::filesystem::path directory);

  const std::string& text() const { return text_; }
  const std::string& where() const { return where_; }  // "models/face-detect.ini:14"

  int as_int(int minimum, int maximum) const;
  float as_float(float minimum, float maximum) const;
  bool as_bool() const;                  // 0, 1, true, false, yes, no
  std::vector<float> as_floats() const;  // separated by ';' (also ',')
  std::vector<int> as_ints() const;      // likewise
  std::vector<std::string> as_strings()
      const;                              // likewise ';', blanks trimmed, a last empty one dropped
  std::filesystem::path as_path() const;  // relative to the file's directory

  // One of `words`; nvinfer's number and our readable word may both stand for one value.
  template <typename T>
  T as_one_of(std::initializer_list<std::pair<std::string_view, T>> words) const {
    for (const auto& [word, value] : words)
      if (text_ == word) return value;
    std::string known;
    for (const auto& [word, value] : words)
      known += (known.empty() ? "" : ", ") + std::string(word);
    fail("no such value. Known: " + known);
  }

  // "where: key = text: what"
  std::string complaint(const std::string& what) const;
  // Throws it as Error(kConfig).
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::string text_;
  std::string key_;
  std::string where_;
  std::filesystem::path directory_;
};

class ConfigFile {
 public:
  // A key that is there twice in a group.
  enum class Repeats { kRefused, kLastCounts };

  // YAML where the name ends in .yaml or .yml, else INI. Throws Error(kConfig): cannot be read, a
  // line that is none, a key twice in a group, a key before any group.
  static ConfigFile read(const std::filesystem::path& path, Repeats repeats = Repeats::kRefused);
  static ConfigFile parse(std::string_view text, std::string name,
                          std::filesystem::path directory = {},
                          Repeats repeats = Repeats::kRefused);
  // Keys of the document are groups, theirs are keys; a list is its items separated by ';'.
  static ConfigFile parse_yaml(std::string_view text, std::string name,
                               std::filesystem::path directory = {});

  const std::string& name() const { return name_; }  // as given, for messages

  bool has_group(std::string_view group) const;
  std::vector<std::string> groups() const;  // in the order of the file
  // The keys of a group, in the order of the file, for families of keys such as roi-<name>. Being
  // listed does not make a key a known one.
  std::vector<std::string> keys(std::string_view group) const;

  // The value of a key, if it is there. Asking makes the key a known one.
  std::optional<ConfigValue> find(std::string_view group, std::string_view key) const;
  // Throws Error(kConfig) that names file and key if it is not there.
  ConfigValue get(std::string_view group, std::string_view key) const;

  // Lays a value over the file's. Complaints begin with `origin`: "the property batch-size".
  // Relative paths are relative to the current folder.
  void set(std::string_view group, std::string_view key, std::string text, std::string origin);
  // Lays a value under the file's: it counts where the key is missing, and nobody need ask for it.
  void set_default(std::string_view group, std::string_view key, std::string text,
                   std::string origin);
  // Takes a value away, as if the file did not have it.
  void remove(std::string_view group, std::string_view key);
  // What find() gives, without making the key a known one.
  std::optional<ConfigValue> peek(std::string_view group, std::string_view key) const;
  // Everything that was asked for so far: group and key.
  const std::set<std::pair<std::string, std::string>>& asked() const { return asked_; }

  // What a reader passed over rather than refuse, for whoever reports it.
  void remark(std::string text) const { remarks_.push_back(std::move(text)); }
  const std::vector<std::string>& remarks() const { return remarks_; }

  // A complaint of each key or group that nobody has asked for, with the nearest known word.
  std::vector<std::string> unknown() const;
  // Throws the first as Error(kConfig).
  void reject_unknown() const;

 private:
  struct Entry {
    std::string group, key, text;
    std::string where;
    std::filesystem::path directory{};
    bool is_default = false;
  };

  Entry* entry(std::string_view group, std::string_view key);
  void add(Entry entry, Repeats repeats);

  std::string name_;
  std::filesystem::path directory_;
  std::vector<std::pair<std::string, std::string>> groups_;  // with where they stand
  std::vector<Entry> entries_;
  mutable std::set<std::pair<std::string, std::string>> asked_;
  mutable std::vector<std::string> remarks_;
};

}  // namespace sightline
