// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What sightmatch does, without its GObject: embeddings of a frame's objects → identities.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sightline/frame.h>

#include "elements/on_error.h"
#include "gallery/gallery.h"
#include "gallery/track_identities.h"
#include "meta/handles.h"
#include "stage/crop_quality.h"

namespace sightline {

enum class DecideBy { kTrack, kFrame };

struct MatchSettings {
  std::string gallery;  // one, or several with commas between them: the first that accepts decides
  std::string tensor_name = "embedding";
  DecisionRule decision;
  QualityRule quality;
  DecideBy decide_by = DecideBy::kTrack;
  VotingRule voting;
  GstSightOnError on_error = GST_SIGHT_ON_ERROR_STOP;
};

// For one thread at a time, but for statistics().
class ObjectMatcher {
 public:
  // What the gallery said of one object.
  struct Verdict {
    guint64 object;
    IdentityHandle identity;
  };
  struct Verdicts {
    std::vector<Verdict> objects;
    std::string warning;  // empty: none
  };

  // Throws as Matcher::open.
  explicit ObjectMatcher(const MatchSettings& settings);

  int person_count() const { return matcher_->person_count(); }
  MatcherStatistics statistics() const { return matcher_->statistics(); }
  // Whether `frame`, which may be null, has an object to give an identity.
  bool concerns(const SightFrame* frame) const;
  // Throws Error: kGallery if the embeddings are not of the gallery's model; kInput of a tensor
  // that is no embedding, unless on_error lets it pass.
  Verdicts match(const SightFrame* frame);
  void forget_tracks() { tracks_.clear(); }

 private:
  struct Alone;
  struct Tracked;

  bool concerns(const std::string& stream, const SightObject* object) const;
  bool is_tracked(const SightObject* object) const;
  std::vector<float> embedding_of(const SightFrame* frame, const SightTensor* tensor) const;
  Alone look_at_alone(const SightFrame* frame, const SightObject* object) const;
  void decide_alone(const std::vector<Alone>& objects, Verdicts& verdicts);
  Tracked look_at(const SightFrame* frame, const SightObject* object) const;
  void decide_together(const SightFrame* frame, const std::vector<Tracked>& tracked,
                       Verdicts& verdicts);

  const MatchSettings settings_;
  const std::unique_ptr<Matcher> matcher_;
  TrackIdentities tracks_;
};

}  // namespace sightline
