// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/identity.h"

namespace sightline {

SightIdentity* make_identity(const Decision& decision, int votes) {
  const char* person = decision.person.empty() ? nullptr : decision.person.c_str();
  const char* name = decision.person.empty() ? nullptr : decision.name.c_str();
  return sight_identity_new_voted(decision.known ? person : nullptr,
                                  decision.known ? name : nullptr, decision.similarity, person,
                                  name, static_cast<guint>(votes));
}

}  // namespace sightline
