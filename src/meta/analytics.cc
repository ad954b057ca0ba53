// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/analytics.h"

#include <limits>
#include <memory>
#include <utility>

#include <gst/gst.h>

#include "meta/error.h"
#include "meta/text.h"

namespace sightline {
namespace {

constexpr char kIn[] = "in";
constexpr char kOut[] = "out";

struct StructureFree {
  void operator()(GstStructure* it) const { gst_structure_free(it); }
};
using StructurePtr = std::unique_ptr<GstStructure, StructureFree>;

StructurePtr new_item(const char* kind, const std::string& name) {
  return StructurePtr(
      gst_structure_new(kind, "name", G_TYPE_STRING, repaired(name.c_str())->c_str(), nullptr));
}

// The item for one line, zone or crossing.

StructurePtr to_structure(const LineReport& line) {
  StructurePtr item = new_item("line", line.name);
  gst_structure_set(item.get(), "in", G_TYPE_UINT64, line.in, "out", G_TYPE_UINT64, line.out,
                    nullptr);
  return item;
}

StructurePtr to_structure(const ZoneReport& zone) {
  StructurePtr item = new_item("zone", zone.name);
  gst_structure_set(item.get(), "count", G_TYPE_UINT64, zone.count, "in", G_TYPE_UINT64, zone.in,
                    "out", G_TYPE_UINT64, zone.out, nullptr);
  if (zone.overcrowded)
    gst_structure_set(item.get(), "overcrowded", G_TYPE_BOOLEAN, gboolean{*zone.overcrowded},
                      nullptr);
  return item;
}

StructurePtr to_structure(const DwellReport& dwell) {
  StructurePtr item = new_item("zone", dwell.zone);
  if (dwell.seconds) gst_structure_set(item.get(), "dwell", G_TYPE_DOUBLE, *dwell.seconds, nullptr);
  return item;
}

StructurePtr to_structure(const CrossingReport& crossing) {
  StructurePtr item = new_item("line", crossing.line);
  gst_structure_set(item.get(), "direction", G_TYPE_STRING, crossing.inwards ? kIn : kOut, nullptr);
  return item;
}

template <typename Report>
void put_items(GstStructure* structure, const char* field, const std::vector<Report>& reports) {
  if (reports.empty()) return;
  GValue items = G_VALUE_INIT;
  gst_value_array_init(&items, static_cast<guint>(reports.size()));
  for (const Report& report : reports) {
    GValue item = G_VALUE_INIT;
    g_value_init(&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&item, to_structure(report).release());
    gst_value_array_append_and_take_value(&items, &item);
  }
  gst_structure_take_value(structure, field, &items);
}

guint64 number(const GstStructure* item, const char* field) {
  guint64 value = 0;
  return gst_structure_get_uint64(item, field, &value) ? value : 0;
}

std::string text(const GstStructure* item, const char* field) {
  const char* value = gst_structure_get_string(item, field);
  return value != nullptr ? value : "";
}

std::optional<bool> flag(const GstStructure* item, const char* field) {
  gboolean value = FALSE;
  return gst_structure_get_boolean(item, field, &value) ? std::optional(value != FALSE)
                                                        : std::nullopt;
}

void from_structure(const GstStructure* item, LineReport& line) {
  line = {text(item, "name"), number(item, "in"), number(item, "out")};
}

void from_structure(const GstStructure* item, ZoneReport& zone) {
  zone = {text(item, "name"), number(item, "count"), number(item, "in"), number(item, "out"),
          flag(item, "overcrowded")};
}

// What others write may be any number; ours is one that JSON can say.
void from_structure(const GstStructure* item, DwellReport& dwell) {
  gdouble seconds = -1;
  gst_structure_get_double(item, "dwell", &seconds);
  const bool known = seconds >= 0 && seconds <= std::numeric_limits<float>::max();
  dwell = {text(item, "name"), known ? std::optional(seconds) : std::nullopt};
}

void from_structure(const GstStructure* item, CrossingReport& crossing) {
  crossing = {text(item, "name"), text(item, "direction") == kIn};
}

template <typename Report>
void get_items(const GstStructure* structure, const char* field, std::vector<Report>& reports) {
  const GValue* items = gst_structure_get_value(structure, field);
  if (items == nullptr || !GST_VALUE_HOLDS_ARRAY(items)) return;
  for (guint i = 0; i < gst_value_array_get_size(items); ++i) {
    const GValue* item = gst_value_array_get_value(items, i);
    if (!GST_VALUE_HOLDS_STRUCTURE(item) || gst_value_get_structure(item) == nullptr) continue;
    from_structure(gst_value_get_structure(item), reports.emplace_back());
  }
}

const GstStructure* structure_of(gconstpointer user_data) {
  return static_cast<const GstStructure*>(user_data);
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Keeps `structure` as user data of a frame or an object.
template <typename Owner>
void set(gboolean (*setter)(Owner*, const char*, GType, gconstpointer, GError**), Owner* owner,
         const StructurePtr& structure) {
  GError* error = nullptr;
  if (!setter(owner, kAnalyticsUserData, GST_TYPE_STRUCTURE, structure.get(), &error))
    throw take_error(error);
}

}  // namespace

void add_report(SightFrame* frame, const FrameReport& report) {
  FrameReport all = frame_report(frame);
  append(all.lines, report.lines);
  append(all.zones, report.zones);
  StructurePtr structure(gst_structure_new_empty(kAnalyticsUserData));
  put_items(structure.get(), "lines", all.lines);
  put_items(structure.get(), "zones", all.zones);
  set(sight_frame_set_user_boxed, frame, structure);
}

void add_report(SightObject* object, const ObjectReport& report) {
  ObjectReport all = object_report(object);
  append(all.zones, report.zones);
  append(all.crossed, report.crossed);
  if (!all.direction) all.direction = report.direction;
  StructurePtr structure(gst_structure_new_empty(kAnalyticsUserData));
  put_items(structure.get(), "zones", all.zones);
  put_items(structure.get(), "crossed", all.crossed);
  if (all.direction)
    gst_structure_set(structure.get(), "direction", G_TYPE_STRING,
                      repaired(all.direction->c_str())->c_str(), nullptr);
  set(sight_object_set_user_boxed, object, structure);
}

FrameReport frame_report(const SightFrame* frame) {
  FrameReport report;
  const GstStructure* structure =
      structure_of(sight_frame_get_user_boxed(frame, kAnalyticsUserData, GST_TYPE_STRUCTURE));
  if (structure == nullptr) return report;
  get_items(structure, "lines", report.lines);
  get_items(structure, "zones", report.zones);
  return report;
}

ObjectReport object_report(const SightObject* object) {
  ObjectReport report;
  const GstStructure* structure =
      structure_of(sight_object_get_user_boxed(object, kAnalyticsUserData, GST_TYPE_STRUCTURE));
  if (structure == nullptr) return report;
  get_items(structure, "zones", report.zones);
  get_items(structure, "crossed", report.crossed);
  if (const char* direction = gst_structure_get_string(structure, "direction"))
    report.direction = direction;
  return report;
}

}  // namespace sightline
