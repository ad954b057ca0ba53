// SPDX-License-Identifier: LGPL-2.1-or-later
//
// YAML files with the line and column of everything in them, so that every complaint names one.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace sightline {

// One value of a document, and where it stands. It holds the document. Every reader throws
// Error(kConfig) with "file:line:column: key: …, expected …".
class YamlValue {
 public:
  struct Document;

  // Throws Error(kNotFound) or Error(kConfig): cannot be read, is empty, is no YAML.
  static YamlValue read(const std::filesystem::path& path);
  // `name` is for messages, relative paths are relative to `folder`.
  static YamlValue parse(std::string text, std::string name, std::filesystem::path folder);

  const std::string& key() const { return key_; }
  std::string where() const;  // "site.yaml:3:5"
  [[noreturn]] void fail(const std::string& complaint) const;

  std::string as_text() const;    // not empty
  std::string as_scalar() const;  // may be empty; what YAML calls null is
  bool as_bool() const;           // true, false, yes, no, on, off
  int as_int(int minimum, int maximum) const;
  double as_number(double minimum, double maximum) const;
  std::filesystem::path as_path() const;  // relative to the file's folder
  std::vector<YamlValue> as_list() const;
  bool is_list() const;
  bool is_map() const;

 private:
  friend class YamlMap;
  YamlValue(std::shared_ptr<const Document> document, int node, std::string key)
      : document_(std::move(document)), node_(node), key_(std::move(key)) {}

  const std::string& scalar(const std::string& expected) const;

  std::shared_ptr<const Document> document_;
  int node_;  // index in the document
  std::string key_;
};

// The keys of a mapping. Who reads one asks for each key that there may be, and then calls
// reject_unknown(): no key can be parsed and ignored.
class YamlMap {
 public:
  // Throws Error(kConfig) if it is none, or has a key twice.
  explicit YamlMap(const YamlValue& value);

  std::optional<YamlValue> find(const std::string& key);
  std::vector<YamlValue> values() const;  // of all keys, in the order of the file
  std::string where() const { return value_.where(); }
  [[noreturn]] void fail(const std::string& complaint) const { value_.fail(complaint); }

  // Throws Error(kConfig) for the first key that nobody has asked for, with the nearest known one.
  void reject_unknown() const;

 private:
  YamlValue value_;
  std::vector<std::pair<YamlValue, YamlValue>> entries_;  // key, value
  std::vector<std::string> asked_;
};

}  // namespace sightline
