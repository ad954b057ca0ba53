// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What analytics found, as user data of frames and objects. docs/analytics.md describes the
// structures; they are written and read here only.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sightline/frame.h"

namespace sightline {

inline constexpr char kAnalyticsUserData[] = "sightline-analytics";

struct LineReport {
  std::string name;
  guint64 in = 0;
  guint64 out = 0;
};

struct ZoneReport {
  std::string name;
  guint64 count = 0;
  guint64 in = 0;
  guint64 out = 0;
  std::optional<bool> overcrowded;  // none: no number is too many
};

struct FrameReport {
  std::vector<LineReport> lines;
  std::vector<ZoneReport> zones;
};

struct DwellReport {
  std::string zone;
  std::optional<double> seconds;  // none: nobody knows since when, for lack of a track
};

struct CrossingReport {
  std::string line;
  bool inwards = false;
};

struct ObjectReport {
  std::vector<DwellReport> zones;
  std::vector<CrossingReport> crossed;
  std::optional<std::string> direction;

  bool empty() const { return zones.empty() && crossed.empty() && !direction; }
};

// Adds `report` to what is there already. Bytes of names that are not UTF-8 become U+FFFD. Throws
// Error(kReadOnly).
void add_report(SightFrame* frame, const FrameReport& report);
void add_report(SightObject* object, const ObjectReport& report);

// Empty if there is none. What others have written differently is left out.
FrameReport frame_report(const SightFrame* frame);
ObjectReport object_report(const SightObject* object);

}  // namespace sightline
