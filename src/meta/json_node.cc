// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/json_node.h"

#include <algorithm>

#include "core/error.h"

namespace sightline {

namespace {

constexpr std::size_t kShown = 40;  // characters of a value that is wrong

std::string shown(const Json& value) {
  std::string text = to_text(value);
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "…";
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what;
}

}  // namespace

void JsonNode::fail(const std::string& what) const {
  throw Error(ErrorCode::kInput, path() + ": " + what);
}

void JsonNode::fail_expecting(const std::string& what) const {
  fail("expected " + what + ", found " + shown(value_));
}

void JsonNode::require_keys(std::initializer_list<const char*> known) const {
  if (!value_.is_object()) fail_expecting("an object");
  std::string all;
  for (const char* key : known) all += (all.empty() ? "" : ", ") + std::string(key);
  for (const auto& item : value_.items())
    if (std::ranges::none_of(known, [&](const char* key) { return item.key() == key; }))
      fail("unknown key \"" + item.key() + "\". Known: " + all);
}

JsonNode JsonNode::at(const char* key) const {
  if (!value_.is_object()) fail_expecting("an object");
  const auto found = value_.find(key);
  if (found == value_.end()) fail(std::string("the key \"") + key + "\" is missing");
  return JsonNode(*found, path_.empty() ? key : path_ + "." + key);
}

std::optional<JsonNode> JsonNode::find(const char* key) const {
  return has(key) ? std::optional(at(key)) : std::nullopt;
}

std::vector<JsonNode> JsonNode::items() const {
  if (!value_.is_array()) fail_expecting("a list");
  std::vector<JsonNode> items;
  items.reserve(value_.size());
  for (std::size_t i = 0; i < value_.size(); ++i)
    items.emplace_back(value_[i], path_ + "[" + std::to_string(i) + "]");
  return items;
}

std::vector<JsonNode> JsonNode::items(std::size_t count) const {
  if (!value_.is_array() || value_.size() != count) fail_expecting(counted(count, "items"));
  return items();
}

std::vector<float> JsonNode::numbers() const {
  if (!value_.is_array()) fail_expecting("a list of numbers");
  std::vector<float> numbers;
  numbers.reserve(value_.size());
  for (const Json& item : value_) {
    if (!item.is_number()) fail_expecting("a list of numbers");
    numbers.push_back(item.get<float>());
  }
  return numbers;
}

std::vector<float> JsonNode::numbers(std::size_t count) const {
  if (!value_.is_array() || value_.size() != count) fail_expecting(counted(count, "numbers"));
  return numbers();
}

float JsonNode::number() const {
  if (!value_.is_number()) fail_expecting("a number");
  return value_.get<float>();
}

bool JsonNode::flag() const {
  if (!value_.is_boolean()) fail_expecting("true or false");
  return value_.get<bool>();
}

std::string JsonNode::text() const {
  if (!value_.is_string()) fail_expecting("text");
  std::string text = value_.get<std::string>();
  if (text.find('\0') != std::string::npos) fail_expecting("text without U+0000");
  return text;
}

std::uint64_t JsonNode::natural(std::uint64_t most) const {
  if (!value_.is_number_unsigned() || value_.get<std::uint64_t>() > most)
    fail_expecting("an integer from 0 to " + std::to_string(most));
  return value_.get<std::uint64_t>();
}

}  // namespace sightline
