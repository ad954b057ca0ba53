// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>

#include "meta/refcount.h"
#include "meta/text.h"
#include "sightline/frame.h"

using sightline::c_str;
using sightline::repaired;
using sightline::Text;

struct _SightIdentity : sightline::RefCounted<_SightIdentity> {
  Text person;
  Text name;
  float similarity = 0;
  Text nearest_person;
  Text nearest_name;
  guint votes = 0;
};

G_DEFINE_BOXED_TYPE(SightIdentity, sight_identity, sight_identity_ref, sight_identity_unref)

SightIdentity* sight_identity_new(const char* person, const char* name, gfloat similarity,
                                  const char* nearest_person, const char* nearest_name) {
  g_return_val_if_fail(std::isfinite(similarity), nullptr);
  auto* identity = new SightIdentity;
  identity->person = repaired(person);
  identity->name = repaired(name);
  identity->similarity = similarity;
  identity->nearest_person = repaired(nearest_person);
  identity->nearest_name = repaired(nearest_name);
  return identity;
}

SightIdentity* sight_identity_new_voted(const char* person, const char* name, gfloat similarity,
                                        const char* nearest_person, const char* nearest_name,
                                        guint votes) {
  SightIdentity* identity =
      sight_identity_new(person, name, similarity, nearest_person, nearest_name);
  if (identity != nullptr) identity->votes = votes;
  return identity;
}

SightIdentity* sight_identity_ref(SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, nullptr);
  return identity->ref();
}

void sight_identity_unref(SightIdentity* identity) {
  g_return_if_fail(identity != nullptr);
  identity->unref();
}

gboolean sight_identity_is_known(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, FALSE);
  return identity->person.has_value();
}

const char* sight_identity_get_person(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, nullptr);
  return c_str(identity->person);
}

const char* sight_identity_get_name(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, nullptr);
  return c_str(identity->name);
}

gfloat sight_identity_get_similarity(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, 0);
  return identity->similarity;
}

const char* sight_identity_get_nearest_person(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, nullptr);
  return c_str(identity->nearest_person);
}

const char* sight_identity_get_nearest_name(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, nullptr);
  return c_str(identity->nearest_name);
}

guint sight_identity_get_votes(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, 0);
  return identity->votes;
}
