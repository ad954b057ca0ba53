// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/person_table.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace sightline {
namespace {

constexpr std::size_t kShards = 4096;

}  // namespace

PersonTable::PersonTable() {
  for (std::size_t i = 0; i < kShards; ++i) shards_.push_back({});
}

std::size_t PersonTable::shard_of(const std::string& id) {
  return std::hash<std::string>()(id) % kShards;
}

std::optional<std::uint32_t> PersonTable::find(const std::string& id) const {
  for (const std::uint32_t number : shards_[shard_of(id)])
    if (entries_[number].id == id) return number;
  return std::nullopt;
}

std::uint32_t PersonTable::add(Entry person) {
  const auto number = static_cast<std::uint32_t>(entries_.size());
  shards_.edit(shard_of(person.id)).push_back(number);
  entries_.push_back(std::move(person));
  ++count_;
  return number;
}

void PersonTable::change(std::uint32_t number, const std::string& name, const OwnRule& rule) {
  const Entry& known = entries_[number];
  if (known.name == name && known.rule == rule) return;
  Entry& changed = entries_.edit(number);
  changed.name = name;
  changed.rule = rule;
}

void PersonTable::remove(std::uint32_t number) {
  std::vector<std::uint32_t>& shard = shards_.edit(shard_of(entries_[number].id));
  shard.erase(std::find(shard.begin(), shard.end(), number));
  entries_.edit(number) = {};
  --count_;
}

}  // namespace sightline
