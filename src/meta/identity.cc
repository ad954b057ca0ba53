// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>
#include <vector>

#include "meta/handles.h"
#include "meta/optional_number.h"
#include "meta/refcount.h"
#include "meta/text.h"
#include "sightline/frame.h"

using sightline::c_str;
using sightline::CandidateHandle;
using sightline::repaired;
using sightline::Text;

struct _SightIdentity : sightline::RefCounted<_SightIdentity> {
  Text person;
  Text name;
  float similarity = 0;
  Text nearest_person;
  Text nearest_name;
  guint votes = 0;
  Text gallery;
  float threshold = NAN;    // NaN: there is none
  float probability = NAN;  // NaN: not known
  std::vector<CandidateHandle> candidates;
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

SightIdentity* sight_identity_new_full(const char* person, const char* name, gfloat similarity,
                                       const char* nearest_person, const char* nearest_name,
                                       guint votes, const char* gallery, gfloat threshold,
                                       gfloat probability, SightCandidate** candidates,
                                       guint n_candidates) {
  g_return_val_if_fail(!std::isinf(threshold) && !std::isinf(probability), nullptr);
  g_return_val_if_fail(candidates != nullptr || n_candidates == 0, nullptr);
  SightIdentity* identity =
      sight_identity_new_voted(person, name, similarity, nearest_person, nearest_name, votes);
  if (identity == nullptr) return nullptr;
  identity->gallery = repaired(gallery);
  identity->threshold = threshold;
  identity->probability = probability;
  for (guint i = 0; i < n_candidates; ++i)
    if (candidates[i] != nullptr)
      identity->candidates.push_back(CandidateHandle::share(candidates[i]));
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

const char* sight_identity_get_gallery(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, nullptr);
  return c_str(identity->gallery);
}

gboolean sight_identity_get_threshold(const SightIdentity* identity, gfloat* threshold) {
  g_return_val_if_fail(identity != nullptr, FALSE);
  return sightline::give(identity->threshold, threshold);
}

gboolean sight_identity_get_probability(const SightIdentity* identity, gfloat* probability) {
  g_return_val_if_fail(identity != nullptr, FALSE);
  return sightline::give(identity->probability, probability);
}

guint sight_identity_get_n_candidates(const SightIdentity* identity) {
  g_return_val_if_fail(identity != nullptr, 0);
  return static_cast<guint>(identity->candidates.size());
}

SightCandidate* sight_identity_get_candidate(const SightIdentity* identity, guint index) {
  g_return_val_if_fail(identity != nullptr, nullptr);
  return index < identity->candidates.size() ? identity->candidates[index].get() : nullptr;
}
