// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What speaks against enrolling a picture. A gallery is as good as what goes into it: one wrong
// picture names somebody wrongly for ever.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/enrolment.h"
#include "app/face_pipeline.h"
#include "app/known_faces.h"

namespace sightline {

struct Refusal {
  const char* reason;         // one word for programs, as docs/gallery.md lists them
  std::string words;          // why, and what to do; without the name of the picture
  bool may_be_forced = true;  // there is a face that could be enrolled all the same
};

struct EnrolmentRule {
  QualityRule quality;

  // Below this similarity to each of a person's other pictures, one does not fit: of pairs of LFW,
  // none of one person are less similar, and a hundredth of those of two persons are more.
  float least_fit() const { return kPairThreshold - 0.001f; }

  // By how much new pictures are nearer to each other than to somebody who is known, if they are
  // not that person's. Of pictures of LFW that are one person's, divided in two, 4 to 14 in
  // a hundred are; of those of two persons who look alike, nearly all.
  float lead = 0.0025f;
};

// Of the picture alone.
std::optional<Refusal> picture_objection(const PictureFaces& picture, const EnrolmentRule& rule);

// The face that is to be enrolled: the only one, or the largest.
const Face& face_to_enrol(const PictureFaces& picture);

// Whether views bear witness for each other.
enum class Origin {
  kPictures,  // each was taken at a time of its own
  kVideo,     // they are of one minute: that they are alike says nothing about who it is
};

// Of new views of one person, in the same order: whether they fit each other, what the person has,
// and what others have. Against somebody else a view's own side is the person's views that were
// there before. New pictures count on that side, too, if those that fit together are nearer to each
// other than to that person by EnrolmentRule::lead, both by the mean of each one's best similarity
// and by the mean of all.
std::vector<std::optional<Refusal>> person_objections(const std::string& person,
                                                      std::span<const Embedding> views,
                                                      const KnownFaces& known,
                                                      const EnrolmentRule& rule,
                                                      Origin origin = Origin::kPictures);

// The first objection to any view of a video: all are of one person, taken within a minute. Their
// embeddings are of unit length.
std::optional<Refusal> objection_to_any(const std::string& person, std::span<const FaceView> views,
                                        const KnownFaces& known, const EnrolmentRule& rule);

}  // namespace sightline
