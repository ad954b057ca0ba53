// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/identity.h"

#include <cmath>
#include <vector>

#include "meta/handles.h"

namespace sightline {

// In an empty gallery nobody is near, and there is no threshold for nobody.
SightIdentity* make_identity(const Decision& decision, int votes) {
  const bool any = !decision.person.empty();
  const char* person = any ? decision.person.c_str() : nullptr;
  const char* name = any ? decision.name.c_str() : nullptr;
  std::vector<CandidateHandle> candidates;
  std::vector<SightCandidate*> listed;
  for (const PersonCandidate& one : decision.candidates) {
    candidates.push_back(CandidateHandle::adopt(
        sight_candidate_new(one.person.c_str(), one.name.c_str(), one.gallery.c_str(),
                            one.similarity, one.probability.value_or(NAN))));
    listed.push_back(candidates.back().get());
  }
  return sight_identity_new_full(decision.known ? person : nullptr, decision.known ? name : nullptr,
                                 decision.similarity, person, name, static_cast<guint>(votes),
                                 any ? decision.gallery.c_str() : nullptr,
                                 any ? decision.threshold : NAN, decision.probability.value_or(NAN),
                                 listed.data(), static_cast<guint>(listed.size()));
}

}  // namespace sightline
