// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is probably wrong in a sound gallery: pictures under a wrong name, persons that are one,
// pictures that are there twice.

#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gallery/person_views.h"

namespace sightline {

// One embedding of a gallery, of unit length.
struct PersonView {
  std::size_t person;  // persons are numbered from 0
  Embedding unit;
};

// A view that is nearer to another person than to its own, by the mean of the similarities to all
// of a person's views: one wrong picture casts no doubt on the right ones that it resembles.
struct MixUp {
  std::size_t view;
  float own;           // to its person's other views
  std::size_t person;  // the nearest other
  float other;         // to that person's views
};

// Two persons whose views are, on average, as similar as those of one.
struct SamePerson {
  std::size_t first, second;
  float similarity;
};

// Two views of the very same picture.
struct SamePicture {
  std::size_t first, second;
};

struct Doubts {
  std::vector<MixUp> mix_ups;            // the clearest first; none between two of `same_persons`
  std::vector<SamePerson> same_persons;  // likewise
  std::vector<SamePicture> same_pictures;
};

// `threshold` is the similarity from which on two faces are taken for one person's. Compares all
// with all, on all cores; `progress` is told the share that is done, by one thread at a time.
Doubts find_doubts(std::span<const PersonView> views, float threshold,
                   const std::function<void(double)>& progress = {});

}  // namespace sightline
