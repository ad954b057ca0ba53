// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Many pictures of many persons become entries of a gallery: while the networks look at one, the
// next are decoded. A person's pictures are judged together, and what was accepted is stored every
// second.

#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "app/enrolment.h"
#include "app/enrolment_check.h"
#include "app/known_faces.h"

namespace sightline {

struct PictureOfPerson {
  std::string person;  // as names are stored
  std::string file;
  std::string hash;  // of its contents; empty if it can't be read
};

// What became of one.
struct PictureOutcome {
  enum class Status {
    kEnrolled,
    kForced,   // enrolled, though there is an objection
    kRefused,  // for the objection
    kKnown,    // it is there already, or is given twice
    kDropped   // nothing against it, but others were refused, and it was all or none
  };
  PictureOfPerson picture;
  Status status;
  std::optional<Refusal> objection;
};

struct EnrolmentRequest {
  std::string gallery;
  FaceStages stages;
  EnrolmentRule rule;
  bool force = false;        // enrol in spite of objections, where there is a face at all
  bool all_or_none = false;  // one refusal, and nothing is stored
};

struct EnrolmentCounts {
  long enrolled = 0, refused = 0, known = 0;
  double seconds = 0;
  double network_seconds = 0;  // of these, with a network at work
};

class PictureEnrolment {
 public:
  // `report` is called for each picture once it is certain what becomes of it, in order.
  PictureEnrolment(const EnrolmentRequest& request, KnownFaces& known,
                   std::function<void(const PictureOutcome&)> report);

  // Pictures of a person follow each other. Whatever ends the program, what was reported as
  // enrolled is stored. Throws Error if a network fails or the gallery can't be written.
  EnrolmentCounts run(const std::vector<PictureOfPerson>& pictures);

 private:
  using Clock = std::chrono::steady_clock;

  // A picture with nothing against it so far.
  struct Candidate {
    PictureOfPerson picture;
    FaceView view;
    std::optional<Refusal> objection;  // that force overrides
    bool is_known = false;             // by its contents
  };

  void look_at(const PictureOfPerson& picture, PictureFaces&& faces);
  void judge();
  void accept(Candidate&& candidate, std::optional<Refusal>&& objection);
  void store();
  void settle(const PictureOfPerson& picture, PictureOutcome::Status status,
              std::optional<Refusal> objection = {});

  const EnrolmentRequest& request_;
  KnownFaces& known_;
  const std::function<void(const PictureOutcome&)> report_;
  std::optional<ModelFingerprint> model_;
  std::vector<Candidate> of_person_;  // of the person whose pictures are being looked at
  std::vector<Candidate> accepted_;   // to be stored
  Clock::time_point stored_;
  EnrolmentCounts counts_;
};

}  // namespace sightline
