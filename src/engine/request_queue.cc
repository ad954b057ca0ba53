// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/request_queue.h"

#include <utility>

namespace sightline {

RequestQueue::Due RequestQueue::due(const Request& request, std::uint64_t arrival) {
  const Standing& standing = request.standing;
  return {*standing.deadline, standing.priority, standing.source, arrival};
}

void RequestQueue::line_up(Rank rank, std::uint64_t arrival, Request request) {
  Line& line = lines_[rank];
  const std::uint64_t id = request.standing.source;
  const auto [found, is_new] = line.sources.try_emplace(id);
  if (is_new) found->second = line.turns.emplace(line.turns.end(), id);
  found->second->requests.emplace(arrival, std::move(request));
}

void RequestQueue::add(Request request) {
  const std::uint64_t arrival = arrivals_++;
  if (request.standing.deadline) deadlines_.insert(due(request, arrival));
  line_up({request.standing.priority, false}, arrival, std::move(request));
  ++size_;
}

// Leaves no source and no line without requests.
Request RequestQueue::extract(std::map<Rank, Line>::iterator line, Turns::iterator source,
                              std::uint64_t arrival) {
  auto node = source->requests.extract(arrival);
  if (source->requests.empty()) {
    line->second.sources.erase(source->id);
    line->second.turns.erase(source);
  }
  if (line->second.turns.empty()) lines_.erase(line);
  return std::move(node.mapped());
}

void RequestQueue::promote_overdue(Clock::time_point now) {
  while (!deadlines_.empty() && deadlines_.begin()->deadline <= now) {
    const Due due = *deadlines_.begin();
    deadlines_.erase(deadlines_.begin());
    const auto line = lines_.find({due.priority, false});
    line_up({due.priority, true}, due.arrival,
            extract(line, line->second.sources.at(due.source), due.arrival));
  }
}

Request RequestQueue::take(Clock::time_point now) {
  promote_overdue(now);
  const auto line = lines_.begin();
  Turns& turns = line->second.turns;
  const auto source = turns.begin();
  turns.splice(turns.end(), turns, source);
  const std::uint64_t arrival = source->requests.begin()->first;
  const bool overdue = line->first.overdue;
  Request request = extract(line, source, arrival);
  if (request.standing.deadline && !overdue) deadlines_.erase(due(request, arrival));
  --size_;
  return request;
}

std::vector<Request> RequestQueue::remove_abandoned() {
  RequestQueue kept;
  std::vector<Request> removed;
  for (auto& [rank, line] : lines_)
    for (Source& source : line.turns)
      for (auto& [arrival, request] : source.requests) {
        if (request.standing.is_abandoned()) {
          removed.push_back(std::move(request));
          continue;
        }
        if (request.standing.deadline && !rank.overdue)
          kept.deadlines_.insert(due(request, arrival));
        kept.line_up(rank, arrival, std::move(request));
      }
  kept.size_ = size_ - removed.size();
  kept.arrivals_ = arrivals_;
  *this = std::move(kept);
  return removed;
}

std::vector<Request> RequestQueue::remove_all() {
  std::vector<Request> removed;
  removed.reserve(size_);
  for (auto& [rank, line] : lines_)
    for (Source& source : line.turns)
      for (auto& [arrival, request] : source.requests) removed.push_back(std::move(request));
  *this = {};
  return removed;
}

}  // namespace sightline
