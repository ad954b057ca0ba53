// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a tracker says of an object beside its number: user data "sightline-track", a GstStructure
// of that name on the object.
//
//   state        string   "tentative", "confirmed" or "lost"
//   age          uint     frames since the one in which the track was seen first
//   hits         uint     frames in which it was seen
//   predicted    boolean  nobody saw it in this frame: the box is where it is expected
//   velocity-x   double   of the box's centre, pixels a second
//   velocity-y   double

#pragma once

#include <optional>
#include <string>

#include "sightline/frame.h"

namespace sightline {

struct TrackData {
  std::string state;
  guint age = 0;
  guint hits = 0;
  bool predicted = false;
  double velocity_x = 0;
  double velocity_y = 0;
};

// `object` has to be open for editing. Throws Error(kReadOnly) if it is not.
void set_track_data(SightObject* object, const TrackData& data);

// Nothing if there is none, or it is not what is said above.
std::optional<TrackData> find_track_data(const SightObject* object);

// Whether a tracker says of the object that nobody saw it in its frame.
bool is_predicted(const SightObject* object);

}  // namespace sightline
