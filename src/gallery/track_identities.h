// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who is who, by track: the embeddings of a track vote, and a name is kept.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/track_table.h"
#include "gallery/gallery.h"

namespace sightline {

struct VotingRule {
  int min_votes = 2;          // before which a track is given no name
  float hysteresis = 0.001f;  // a name is kept while its similarity is at least threshold − this
  bool allow_duplicates = false;  // whether two tracks of one frame may be one person
};

// One track as one frame shows it.
struct TrackSighting {
  std::uint64_t track = 0;
  // The number of the frame whose pixels the embedding is of: what was taken over from an earlier
  // frame is no new evidence.
  std::uint64_t source = 0;
  std::span<const float> embedding;  // of unit length; empty: none in this frame
  float weight = 1;                  // how much it counts; 0: too bad a view to count
};

struct TrackDecision {
  Decision decision;
  int votes = 0;  // that it is from; 0: of a view that is too bad to count
};

// A track keeps its last kMostVotes embeddings that count. A person's similarity to the track is
// the mean of the similarities to these, each weighted by its view and by kAging for every vote
// that came after it. Then:
//
// - a view that counts or not, and is less similar to these than the matcher's pair_threshold() −
//   hysteresis, is not of the face that voted: it has no vote, and after kDoubts in a row the track
//   has gone over to another face (a cut, a tracker's mistake) and begins anew with them;
// - the nearest person is given if the matcher's rule accepts that mean and there are min_votes;
// - else the track keeps the name that it has while the mean stays above threshold − hysteresis;
// - of several tracks of one frame with the same name the most similar keeps it, where having had
//   it counts `hysteresis` more; the others are unknown.
//
// A change of the gallery has all that was kept decided anew. For one thread at a time.
class TrackIdentities {
 public:
  static constexpr std::size_t kMostVotes = 16;
  static constexpr float kAging = 0.85f;
  static constexpr std::size_t kDoubts = 3;
  static constexpr std::size_t kMostTracks = 1024;
  static constexpr std::uint64_t kPatience = 1000;  // frames of the stream

  TrackIdentities(Matcher& matcher, const VotingRule& rule, std::size_t most_tracks = kMostTracks)
      : matcher_(matcher), rule_(rule), tracks_(most_tracks, kPatience) {}

  // The tracks of one frame, each once, decided together; in the same order. Nothing for a track
  // that no embedding has been seen of. Throws Error(kInput) as Matcher::tally.
  std::vector<std::optional<TrackDecision>> decide(const std::string& stream,
                                                   std::span<const TrackSighting> seen);

  bool knows(const std::string& stream, std::uint64_t track) const {
    return tracks_.contains(stream, track);
  }
  void clear() { tracks_.clear(); }
  std::size_t size() const { return tracks_.size(); }

 private:
  struct Track {
    std::vector<Vote> votes;     // newest last
    std::vector<Vote> doubtful;  // the last views, in a row, that are not of the face that voted
    std::optional<std::uint64_t> source;
    std::vector<float> embedding;  // the latest, while none counts
    Tally tally;
    bool decided = false;  // `tally` is of what is here
    std::string person;    // whose name it has; empty: nobody's
  };

  using TrackPtr = std::shared_ptr<Track>;

  TrackPtr track_of(const std::string& stream, const TrackSighting& sighting);
  void take_evidence(Track& track, const TrackSighting& sighting) const;
  bool is_another_face(const Track& track, const std::vector<float>& view) const;
  static void begin_anew(Track& track);
  static void cast(Track& track, Vote vote);
  void ask(Track& track, std::uint64_t version);
  void give_name(Track& track) const;
  static TrackDecision decision_of(const Track& track);
  void settle_duplicates(std::vector<std::optional<TrackDecision>>& decisions,
                         std::span<const TrackPtr> tracks,
                         std::span<const std::string> before) const;

  Matcher& matcher_;
  const VotingRule rule_;
  TrackTable<Track> tracks_;
};

}  // namespace sightline
