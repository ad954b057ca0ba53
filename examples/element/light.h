// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What lightmeter attaches to each object: user data "light", of the boxed type "LightReading".

#pragma once

#include <sightline/sightline.h>

struct LightReading {
  float brightness;  // mean of the object's pixels, 0 to 255
  float strength;    // Euclidean length of the object's tensor, 0 if it has none
};

inline constexpr char kLight[] = "light";
inline constexpr char kLightType[] = "LightReading";

// NULL: nobody has measured this object. Valid as long as the object is.
inline const LightReading* light_of(const SightObject* object) {
  const GType type = g_type_from_name(kLightType);  // registered once somebody has measured
  return static_cast<const LightReading*>(sight_object_get_user_boxed(object, kLight, type));
}
