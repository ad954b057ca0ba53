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
};

// Of the picture alone.
std::optional<Refusal> picture_objection(const PictureFaces& picture, const EnrolmentRule& rule);

// The face that is to be enrolled: the only one, or the largest.
const Face& face_to_enrol(const PictureFaces& picture);

// Of new views of one person, in the same order: whether they fit each other, what the person has,
// and what others have.
std::vector<std::optional<Refusal>> person_objections(const std::string& person,
                                                      std::span<const Embedding> views,
                                                      const KnownFaces& known,
                                                      const EnrolmentRule& rule);

// The first objection to any view of a video: all are of one person, taken within a minute. Their
// embeddings are of unit length.
std::optional<Refusal> objection_to_any(const std::string& person, std::span<const FaceView> views,
                                        const KnownFaces& known, const EnrolmentRule& rule);

}  // namespace sightline
