// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/analytics.h"

#include <chrono>

#include "meta/analytics.h"
#include "meta/error.h"

namespace sightline {
namespace {

Sighting sighting_of(const SightObject* object) {
  Sighting sighting;
  guint64 track = 0;
  if (sight_object_get_track(object, &track)) sighting.track = track;
  sighting.class_id = sight_object_get_class_id(object);
  const char* label = sight_object_get_label(object);
  sighting.label = label != nullptr ? label : "";
  SightBox box;
  sight_object_get_box(object, &box);
  sighting.box = {box.x, box.y, box.width, box.height};
  return sighting;
}

FrameReport to_report(const StreamRules& rules, const Findings& findings) {
  FrameReport report;
  for (std::size_t i = 0; i < rules.lines.size(); ++i)
    report.lines.push_back({rules.lines[i].name, findings.lines[i].in, findings.lines[i].out});
  for (std::size_t i = 0; i < rules.zones.size(); ++i) {
    const ZoneCount& count = findings.zones[i];
    report.zones.push_back({rules.zones[i].name, count.now, count.in, count.out, {}});
    if (rules.zones[i].object_threshold) report.zones.back().overcrowded = count.overcrowded;
  }
  return report;
}

ObjectReport to_report(const StreamRules& rules, const ObjectFindings& found, bool tracked) {
  ObjectReport report;
  for (const ObjectFindings::Dwell& dwell : found.zones) {
    report.zones.push_back({rules.zones[dwell.zone].name, {}});
    if (tracked) report.zones.back().seconds = std::chrono::duration<double>(dwell.time).count();
  }
  for (const LineCrossing& crossing : found.crossings)
    report.crossed.push_back({rules.lines[crossing.line].name, crossing.inwards});
  if (found.direction) report.direction = rules.directions[*found.direction].name;
  return report;
}

}  // namespace

std::vector<Sighting> sightings_of(const SightFrame* frame) {
  std::vector<Sighting> sightings;
  const guint count = sight_frame_get_n_objects(frame);
  for (guint i = 0; i < count; ++i)
    sightings.push_back(sighting_of(sight_frame_get_object(frame, i)));
  return sightings;
}

void attach(SightFrame* frame, const StreamRules& rules, const Findings& findings) {
  for (std::size_t i = 0; i < findings.objects.size(); ++i) {
    const SightObject* known = sight_frame_get_object(frame, static_cast<guint>(i));
    const ObjectReport report =
        to_report(rules, findings.objects[i], sight_object_get_track(known, nullptr));
    if (report.empty()) continue;
    GError* error = nullptr;
    SightObject* object = sight_frame_edit_object(frame, known, &error);
    if (object == nullptr) throw take_error(error);
    add_report(object, report);
  }
  add_report(frame, to_report(rules, findings));
}

}  // namespace sightline
