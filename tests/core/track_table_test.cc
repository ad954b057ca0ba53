// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/track_table.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using Table = TrackTable<int>;

// As TrackTable, by walking through everything each time.
class Reference {
 public:
  Reference(std::size_t limit, std::uint64_t patience) : limit_(limit), patience_(patience) {}

  void next_frame(const std::string& stream) {
    ++frames_[stream];
    std::erase_if(tracks_, [&](const auto& entry) {
      return entry.first.first == stream && entry.second.frame + patience_ < frames_[stream];
    });
  }
  bool see(const std::string& stream, std::uint64_t track) {
    const std::pair key(stream, track);
    const bool known = tracks_.contains(key);
    if (!known && tracks_.size() >= limit_)
      tracks_.erase(std::min_element(
          tracks_.begin(), tracks_.end(),
          [](const auto& a, const auto& b) { return a.second.turn < b.second.turn; }));
    tracks_[key] = {frames_[stream], ++turn_};
    return known;
  }
  std::size_t size() const { return tracks_.size(); }

 private:
  struct Seen {
    std::uint64_t frame;
    std::uint64_t turn;
  };
  std::size_t limit_;
  std::uint64_t patience_;
  std::uint64_t turn_ = 0;
  std::map<std::string, std::uint64_t> frames_;
  std::map<std::pair<std::string, std::uint64_t>, Seen> tracks_;
};

TEST(TrackTable, RemembersByStreamAndTrack) {
  Table table(10, 5);
  EXPECT_EQ(table.find("a", 1), nullptr);
  table.add("a", 1, std::make_shared<int>(11));
  table.add("b", 1, std::make_shared<int>(21));
  EXPECT_EQ(*table.find("a", 1), 11);
  EXPECT_EQ(*table.find("b", 1), 21);
  EXPECT_EQ(table.find("a", 2), nullptr);
  EXPECT_TRUE(table.contains("b", 1));
  EXPECT_FALSE(table.contains("c", 1));
  table.clear();
  EXPECT_FALSE(table.contains("b", 1));
  EXPECT_EQ(table.size(), 0u);
}

TEST(TrackTable, WhoHoldsAValueKeepsIt) {
  Table table(1, 5);
  const auto held = std::make_shared<int>(1);
  table.add("a", 1, held);
  table.add("a", 2, std::make_shared<int>(2));
  EXPECT_EQ(table.find("a", 1), nullptr);
  EXPECT_EQ(*held, 1);
}

TEST(TrackTable, ForgetsAsTheObviousReferenceDoes) {
  std::mt19937 random(3);
  Table table(20, 4);
  Reference reference(20, 4);
  int known = 0;
  for (int step = 0; step < 20000; ++step) {
    const std::string stream(1, static_cast<char>('a' + random() % 4));
    if (random() % 3 == 0) {
      table.next_frame(stream);
      reference.next_frame(stream);
    } else {
      const std::uint64_t track = random() % 12;
      const auto found = table.find(stream, track);
      if (found == nullptr) table.add(stream, track, std::make_shared<int>(step));
      const bool expected = reference.see(stream, track);
      ASSERT_EQ(found != nullptr, expected) << step;
      known += expected ? 1 : 0;
    }
    ASSERT_EQ(table.size(), reference.size()) << step;
  }
  EXPECT_GT(known, 1000);  // both kinds of answer were compared
  EXPECT_LT(known, 12000);
}

}  // namespace
}  // namespace sightline
