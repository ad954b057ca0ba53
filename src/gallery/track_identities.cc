// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/track_identities.h"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

namespace sightline {

std::vector<std::optional<TrackDecision>> TrackIdentities::decide(
    const std::string& stream, std::span<const TrackSighting> seen) {
  tracks_.next_frame(stream);
  const std::uint64_t version = matcher_.version();
  std::vector<std::optional<TrackDecision>> decisions(seen.size());
  std::vector<TrackPtr> tracks;
  std::vector<std::string> before;  // the names that they had
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const TrackPtr track = track_of(stream, seen[i]);
    tracks.push_back(track);
    before.push_back(track == nullptr ? "" : track->person);
    if (track == nullptr) continue;
    ask(*track, version);
    give_name(*track);
    decisions[i] = decision_of(*track);
  }
  if (!rule_.allow_duplicates) settle_duplicates(decisions, tracks, before);
  return decisions;
}

// What is known of the track, this sighting included; null if nothing is.
TrackIdentities::TrackPtr TrackIdentities::track_of(const std::string& stream,
                                                    const TrackSighting& sighting) {
  TrackPtr track = tracks_.find(stream, sighting.track);
  if (track == nullptr) {
    if (sighting.embedding.empty()) return nullptr;
    track = std::make_shared<Track>();
    take_evidence(*track, sighting);
    tracks_.add(stream, sighting.track, track);
  } else if (!sighting.embedding.empty()) {
    take_evidence(*track, sighting);
  }
  return track;
}

void TrackIdentities::take_evidence(Track& track, const TrackSighting& sighting) const {
  if (track.source == sighting.source) return;
  track.source = sighting.source;
  Vote vote{{sighting.embedding.begin(), sighting.embedding.end()}, sighting.weight};
  if (!is_another_face(track, vote.unit)) {
    track.doubtful.clear();
    cast(track, std::move(vote));
    return;
  }
  track.doubtful.push_back(std::move(vote));
  if (track.doubtful.size() == kDoubts) begin_anew(track);
}

bool TrackIdentities::is_another_face(const Track& track, const std::vector<float>& view) const {
  double sum = 0, weights = 0;
  for (const Vote& vote : track.votes) {
    if (vote.unit.size() != view.size()) return true;
    sum += vote.weight * std::inner_product(view.begin(), view.end(), vote.unit.begin(), 0.0);
    weights += vote.weight;
  }
  return weights > 0 && sum / weights < matcher_.pair_threshold() - rule_.hysteresis;
}

void TrackIdentities::begin_anew(Track& track) {
  track.votes.clear();
  track.person.clear();
  for (Vote& vote : std::exchange(track.doubtful, {})) cast(track, std::move(vote));
}

// A view that does not count is kept only while none does.
void TrackIdentities::cast(Track& track, Vote vote) {
  if (vote.weight > 0) {
    for (Vote& older : track.votes) older.weight *= kAging;
    if (track.votes.size() == kMostVotes) track.votes.erase(track.votes.begin());
    track.votes.push_back(std::move(vote));
    track.embedding.clear();
  } else if (track.votes.empty()) {
    track.embedding = std::move(vote.unit);
  } else {
    return;
  }
  track.decided = false;
}

// Asks the gallery, if anything has changed since it was asked.
void TrackIdentities::ask(Track& track, std::uint64_t version) {
  if (track.decided && track.tally.version == version) return;
  if (track.votes.empty()) {
    const Vote only{track.embedding, 1};
    track.tally = matcher_.tally({&only, 1}, track.person);
  } else {
    track.tally = matcher_.tally(track.votes, track.person);
  }
  track.decided = true;
}

void TrackIdentities::give_name(Track& track) const {
  const Tally& tally = track.tally;
  const bool enough = track.votes.size() >= static_cast<std::size_t>(std::max(rule_.min_votes, 1));
  if (tally.decision.known && enough) {
    track.person = tally.decision.person;
    return;
  }
  const bool keeps = tally.held && tally.held->person == track.person &&
                     tally.held->similarity >= tally.held->threshold - rule_.hysteresis;
  if (!keeps) track.person.clear();
}

TrackDecision TrackIdentities::decision_of(const Track& track) {
  const Tally& tally = track.tally;
  const bool keeps = !track.person.empty() && track.person != tally.decision.person;
  TrackDecision result{keeps ? *tally.held : tally.decision, static_cast<int>(track.votes.size())};
  result.decision.known = !track.person.empty();
  result.decision.candidates = tally.decision.candidates;
  return result;
}

void TrackIdentities::settle_duplicates(std::vector<std::optional<TrackDecision>>& decisions,
                                        std::span<const TrackPtr> tracks,
                                        std::span<const std::string> before) const {
  const auto strength = [&](std::size_t i) {
    const Decision& decision = decisions[i]->decision;
    return decision.similarity + (before[i] == decision.person ? rule_.hysteresis : 0);
  };
  std::map<std::string, std::size_t> holders;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    if (!decisions[i] || !decisions[i]->decision.known) continue;
    const auto [holder, first] = holders.emplace(decisions[i]->decision.person, i);
    if (first || tracks[holder->second] == tracks[i]) continue;
    std::size_t weaker = i;
    if (strength(i) > strength(holder->second)) std::swap(weaker, holder->second);
    decisions[weaker]->decision.known = false;
    tracks[weaker]->person.clear();
  }
}

}  // namespace sightline
