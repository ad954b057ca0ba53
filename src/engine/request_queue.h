// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who is next. Of the requests of the highest priority those whose deadline has passed come first,
// and within each of the two, sources take turns.

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"

namespace sightline {

// A turn is one request: whose turn was taken stands behind all others that wait, and so does who
// comes anew. So a source that had nothing queued waits for one request of each other source at
// most, however many they have.
//
// Adding and taking cost O(log n). Not guarded: its owner's lock is.
class RequestQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  void add(Request request);
  Request take(Clock::time_point now);  // from a queue that is not empty

  std::vector<Request> remove_abandoned();  // looks at all
  std::vector<Request> remove_all();

 private:
  struct Rank {
    int priority = 0;
    bool overdue = false;

    bool operator<(const Rank& other) const {  // the more urgent first
      return std::tie(other.priority, other.overdue) < std::tie(priority, overdue);
    }
  };
  struct Source {
    explicit Source(std::uint64_t number) : id(number) {}

    std::uint64_t id;
    std::map<std::uint64_t, Request> requests;  // by arrival; never empty
  };
  using Turns = std::list<Source>;
  struct Line {  // never empty
    Turns turns;
    std::unordered_map<std::uint64_t, Turns::iterator> sources;
  };
  struct Due {
    Clock::time_point deadline;
    int priority = 0;
    std::uint64_t source = 0;
    std::uint64_t arrival = 0;

    friend auto operator<=>(const Due&, const Due&) = default;
  };

  static Due due(const Request& request, std::uint64_t arrival);
  void line_up(Rank rank, std::uint64_t arrival, Request request);
  Request extract(std::map<Rank, Line>::iterator line, Turns::iterator source,
                  std::uint64_t arrival);
  void promote_overdue(Clock::time_point now);

  std::map<Rank, Line> lines_;
  std::set<Due> deadlines_;  // of those that are not overdue
  std::size_t size_ = 0;
  std::uint64_t arrivals_ = 0;
};

}  // namespace sightline
