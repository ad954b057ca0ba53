// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reading JSON that somebody else wrote: each value knows where it stands, for errors.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "meta/json_value.h"

namespace sightline {

// A value within a Json, which outlives it. Every method throws Error(kInput), with the path to the
// value, if it is not what was asked for.
class JsonNode {
 public:
  explicit JsonNode(const Json& value, std::string path = "")
      : value_(value), path_(std::move(path)) {}

  const Json& value() const { return value_; }
  std::string path() const { return path_.empty() ? "the line" : path_; }

  void require_keys(std::initializer_list<const char*> known) const;  // an object with no others
  bool has(const char* key) const { return value_.contains(key); }
  JsonNode at(const char* key) const;
  std::optional<JsonNode> find(const char* key) const;

  std::vector<JsonNode> items() const;
  std::vector<JsonNode> items(std::size_t count) const;
  std::vector<float> numbers() const;
  std::vector<float> numbers(std::size_t count) const;

  float number() const;
  bool flag() const;
  std::string text() const;
  std::uint64_t natural(std::uint64_t most = UINT64_MAX) const;
  int index() const { return static_cast<int>(natural(INT32_MAX)); }

  [[noreturn]] void fail(const std::string& what) const;

 private:
  [[noreturn]] void fail_expecting(const std::string& what) const;

  const Json& value_;
  std::string path_;
};

}  // namespace sightline
