// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>

#include "stage/identity.h"

namespace sightline {

// In an empty gallery nobody is near, and there is no threshold for nobody.
SightIdentity* make_identity(const Decision& decision, int votes) {
  const bool any = !decision.person.empty();
  const char* person = any ? decision.person.c_str() : nullptr;
  const char* name = any ? decision.name.c_str() : nullptr;
  return sight_identity_new_full(
      decision.known ? person : nullptr, decision.known ? name : nullptr, decision.similarity,
      person, name, static_cast<guint>(votes), any ? decision.gallery.c_str() : nullptr,
      any ? decision.threshold : NAN, decision.probability.value_or(NAN), nullptr, 0);
}

}  // namespace sightline
