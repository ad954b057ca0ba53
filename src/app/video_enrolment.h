// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A clip, a camera or a running stream shows one person, who is to become known.

#pragma once

#include <string>

#include "app/enrolment_check.h"
#include "app/face_stages.h"
#include "app/input.h"
#include "app/known_faces.h"
#include "app/picture_enrolment.h"

namespace sightline {

struct VideoOutcome {
  long views = 0;                    // that were enrolled; 0: see what follows
  std::optional<Refusal> objection;  // if something was enrolled, one that force overrode
  bool is_known = false;             // another program has enrolled it meanwhile
};

// Looks at the input until five views are good and differ from each other, or to its end; a live
// one for a minute at most. What was found is judged as pictures are, together, and stored at once:
// all of it or none. Throws Error, InputError if the input can't be opened.
VideoOutcome enrol_from_video(const Input& input, const std::string& person,
                              const EnrolmentRequest& request, KnownFaces& known);

}  // namespace sightline
