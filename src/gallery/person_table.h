// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The persons of a gallery in memory, by number and by id.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gallery/gallery.h"
#include "gallery/shared_vector.h"

namespace sightline {

// A value whose copies share what is equal in them, as EmbeddingIndex: a person's number is the
// owner of that person's embeddings, and is not given again.
class PersonTable {
 public:
  struct Entry {
    std::string id;  // empty: removed
    std::string name;
    OwnRule rule;
  };

  PersonTable();

  std::size_t size() const { return count_; }
  std::size_t numbers() const { return entries_.size(); }  // those in use are below
  const Entry& operator[](std::uint32_t number) const { return entries_[number]; }
  std::optional<std::uint32_t> find(const std::string& id) const;

  std::uint32_t add(Entry person);
  void change(std::uint32_t number, const std::string& name, const OwnRule& rule);
  void remove(std::uint32_t number);

 private:
  static std::size_t shard_of(const std::string& id);

  SharedVector<Entry, 256> entries_;
  SharedVector<std::vector<std::uint32_t>, 64> shards_;  // numbers, by a hash of the id
  std::size_t count_ = 0;
};

}  // namespace sightline
