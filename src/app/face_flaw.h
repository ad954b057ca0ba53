// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Why a view of a face is too bad to recognise somebody by.

#pragma once

#include <optional>

#include "app/face.h"

namespace sightline {

enum class Flaw { kTooSmall, kTooDark, kBlurred, kTurnedAway };

// The first of them that keeps `rule` from accepting the face; nothing if it is good, or if nothing
// is known about it since it was not aligned by landmarks.
std::optional<Flaw> flaw_of(const Face& face, const QualityRule& rule);

}  // namespace sightline
