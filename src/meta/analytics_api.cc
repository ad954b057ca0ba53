// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The public functions of analytics.h.

#include <algorithm>
#include <optional>
#include <string_view>

#include <gst/gst.h>

#include "meta/analytics.h"
#include "sightline/analytics.h"

namespace {

template <typename Report>
char** names_of(const std::vector<Report>& reports) {
  char** names = g_new0(char*, reports.size() + 1);
  char** next = names;
  for (const Report& report : reports) *next++ = g_strdup(report.name.c_str());
  return names;
}

template <typename Report>
std::optional<Report> find(const std::vector<Report>& reports, std::string Report::*name,
                           std::string_view wanted) {
  const auto found = std::find_if(reports.begin(), reports.end(),
                                  [&](const Report& report) { return report.*name == wanted; });
  return found != reports.end() ? std::optional(*found) : std::nullopt;
}

template <typename To, typename From>
void give(To* to, From value) {
  if (to != nullptr) *to = value;
}

}  // namespace

char** sight_frame_get_lines(const SightFrame* frame) {
  return names_of(sightline::frame_report(frame).lines);
}

gboolean sight_frame_get_line_count(const SightFrame* frame, const char* line, guint64* in,
                                    guint64* out) {
  g_return_val_if_fail(line != nullptr, FALSE);
  const auto found = find(sightline::frame_report(frame).lines, &sightline::LineReport::name, line);
  give(in, found ? found->in : 0);
  give(out, found ? found->out : 0);
  return found.has_value();
}

char** sight_frame_get_zones(const SightFrame* frame) {
  return names_of(sightline::frame_report(frame).zones);
}

gboolean sight_frame_get_zone_count(const SightFrame* frame, const char* zone, guint64* count,
                                    guint64* in, guint64* out, gboolean* overcrowded) {
  g_return_val_if_fail(zone != nullptr, FALSE);
  const auto found = find(sightline::frame_report(frame).zones, &sightline::ZoneReport::name, zone);
  give(count, found ? found->count : 0);
  give(in, found ? found->in : 0);
  give(out, found ? found->out : 0);
  give(overcrowded, found && found->overcrowded.value_or(false));
  return found.has_value();
}

gboolean sight_object_is_in_zone(const SightObject* object, const char* zone, gdouble* dwell) {
  g_return_val_if_fail(object != nullptr && zone != nullptr, FALSE);
  const auto found =
      find(sightline::object_report(object).zones, &sightline::DwellReport::zone, zone);
  give(dwell, found ? found->seconds.value_or(0) : 0);
  return found.has_value();
}

gboolean sight_object_has_crossed(const SightObject* object, const char* line, gboolean* inwards) {
  g_return_val_if_fail(object != nullptr && line != nullptr, FALSE);
  const auto found =
      find(sightline::object_report(object).crossed, &sightline::CrossingReport::line, line);
  give(inwards, found && found->inwards);
  return found.has_value();
}

const char* sight_object_get_direction(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, nullptr);
  const auto* structure = static_cast<const GstStructure*>(
      sight_object_get_user_boxed(object, sightline::kAnalyticsUserData, GST_TYPE_STRUCTURE));
  return structure != nullptr ? gst_structure_get_string(structure, "direction") : nullptr;
}
