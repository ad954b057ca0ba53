// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>

#include "meta/optional_number.h"
#include "meta/refcount.h"
#include "meta/text.h"
#include "sightline/frame.h"

using sightline::c_str;
using sightline::repaired;
using sightline::Text;

struct _SightCandidate : sightline::RefCounted<_SightCandidate> {
  Text person;
  Text name;
  Text gallery;
  float similarity = 0;
  float probability = NAN;  // NaN: not known
};

G_DEFINE_BOXED_TYPE(SightCandidate, sight_candidate, sight_candidate_ref, sight_candidate_unref)

SightCandidate* sight_candidate_new(const char* person, const char* name, const char* gallery,
                                    gfloat similarity, gfloat probability) {
  g_return_val_if_fail(person != nullptr, nullptr);
  g_return_val_if_fail(std::isfinite(similarity) && !std::isinf(probability), nullptr);
  auto* candidate = new SightCandidate;
  candidate->person = repaired(person);
  candidate->name = repaired(name);
  candidate->gallery = repaired(gallery);
  candidate->similarity = similarity;
  candidate->probability = probability;
  return candidate;
}

SightCandidate* sight_candidate_ref(SightCandidate* candidate) {
  g_return_val_if_fail(candidate != nullptr, nullptr);
  return candidate->ref();
}

void sight_candidate_unref(SightCandidate* candidate) {
  g_return_if_fail(candidate != nullptr);
  candidate->unref();
}

const char* sight_candidate_get_person(const SightCandidate* candidate) {
  g_return_val_if_fail(candidate != nullptr, nullptr);
  return c_str(candidate->person);
}

const char* sight_candidate_get_name(const SightCandidate* candidate) {
  g_return_val_if_fail(candidate != nullptr, nullptr);
  return c_str(candidate->name);
}

const char* sight_candidate_get_gallery(const SightCandidate* candidate) {
  g_return_val_if_fail(candidate != nullptr, nullptr);
  return c_str(candidate->gallery);
}

gfloat sight_candidate_get_similarity(const SightCandidate* candidate) {
  g_return_val_if_fail(candidate != nullptr, 0);
  return candidate->similarity;
}

gboolean sight_candidate_get_probability(const SightCandidate* candidate, gfloat* probability) {
  g_return_val_if_fail(candidate != nullptr, FALSE);
  return sightline::give(candidate->probability, probability);
}
