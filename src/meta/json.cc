// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/json.h"

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "meta/analytics.h"
#include "meta/frame.h"
#include "meta/json_tensor.h"
#include "meta/json_value.h"
#include "meta/tensor.h"
#include "meta/track_data.h"
#include "sightline/shape.h"

using sightline::c_str;
using sightline::Json;
using sightline::TensorsAs;

namespace {

void put(Json& json, const char* key, const char* text) {
  if (text != nullptr) json[key] = text;
}

void put_index(Json& json, const char* key, gint index) {
  if (index >= 0) json[key] = index;
}

Json to_json(const SightClassification* classification) {
  Json json = Json::object();
  put(json, "attribute", sight_classification_get_attribute(classification));
  put(json, "label", sight_classification_get_label(classification));
  put_index(json, "class_id", sight_classification_get_class_id(classification));
  json["confidence"] = sight_classification_get_confidence(classification);
  put(json, "stage", sight_classification_get_stage(classification));
  return json;
}

Json to_json(const SightCandidate* candidate) {
  Json json = Json::object();
  put(json, "person", sight_candidate_get_person(candidate));
  put(json, "name", sight_candidate_get_name(candidate));
  put(json, "gallery", sight_candidate_get_gallery(candidate));
  json["similarity"] = sight_candidate_get_similarity(candidate);
  gfloat probability = 0;
  if (sight_candidate_get_probability(candidate, &probability)) json["probability"] = probability;
  return json;
}

// Who is known is the nearest.
void put_nearest(Json& json, const SightIdentity* identity) {
  const char* person = sight_identity_get_nearest_person(identity);
  if (sight_identity_is_known(identity) || person == nullptr) return;
  Json& nearest = json["nearest"] = Json::object();
  put(nearest, "person", person);
  put(nearest, "name", sight_identity_get_nearest_name(identity));
}

Json to_json(const SightIdentity* identity) {
  Json json = Json::object();
  put(json, "person", sight_identity_get_person(identity));
  put(json, "name", sight_identity_get_name(identity));
  put_nearest(json, identity);
  put(json, "gallery", sight_identity_get_gallery(identity));
  json["similarity"] = sight_identity_get_similarity(identity);
  gfloat number = 0;
  if (sight_identity_get_threshold(identity, &number)) json["threshold"] = number;
  if (sight_identity_get_probability(identity, &number)) json["probability"] = number;
  if (const guint votes = sight_identity_get_votes(identity); votes > 0) json["votes"] = votes;
  for (guint i = 0; i < sight_identity_get_n_candidates(identity); ++i)
    json["candidates"].push_back(to_json(sight_identity_get_candidate(identity, i)));
  return json;
}

void put_track(Json& json, const SightObject& object) {
  if (!object.track) return;
  json["track"] = *object.track;
  if (const auto data = sightline::find_track_data(&object)) {
    json["track_state"] = data->state;
    if (data->predicted) json["predicted"] = true;
  }
}

void put_classifications(Json& json,
                         const std::vector<sightline::ClassificationHandle>& classifications) {
  for (const auto& classification : classifications)
    json["classifications"].push_back(to_json(classification.get()));
}

void put_tensors(Json& json, const std::vector<sightline::TensorHandle>& tensors, TensorsAs as) {
  if (as == TensorsAs::kNothing) return;
  for (const auto& tensor : tensors)
    json["tensors"].push_back(sightline::tensor_json(tensor.get(), as));
}

Json to_json(const sightline::LineReport& line) {
  return {{"name", line.name}, {"in", line.in}, {"out", line.out}};
}

Json to_json(const sightline::ZoneReport& zone) {
  Json json = {{"name", zone.name}, {"count", zone.count}, {"in", zone.in}, {"out", zone.out}};
  if (zone.overcrowded) json["overcrowded"] = *zone.overcrowded;
  return json;
}

Json to_json(const sightline::DwellReport& dwell) {
  Json json = {{"name", dwell.zone}};
  if (dwell.seconds) json["dwell"] = static_cast<float>(*dwell.seconds);
  return json;
}

Json to_json(const sightline::CrossingReport& crossing) {
  return {{"line", crossing.line}, {"direction", crossing.inwards ? "in" : "out"}};
}

template <typename Report>
void put_list(Json& json, const char* key, const std::vector<Report>& reports) {
  for (const Report& report : reports) json[key].push_back(to_json(report));
}

void put_analytics(Json& json, const sightline::FrameReport& report) {
  Json analytics = Json::object();
  put_list(analytics, "lines", report.lines);
  put_list(analytics, "zones", report.zones);
  if (!analytics.empty()) json["analytics"] = std::move(analytics);
}

void put_analytics(Json& json, const sightline::ObjectReport& report) {
  if (report.empty()) return;
  Json& analytics = json["analytics"];
  put_list(analytics, "zones", report.zones);
  put_list(analytics, "crossed", report.crossed);
  if (report.direction) analytics["direction"] = *report.direction;
}

// How many pixels in a row, line by line, are not the object's, then are, then are not, …
Json run_lengths(std::span<const float> mask) {
  Json runs = Json::array();
  bool inside = false;
  std::uint64_t length = 0;
  for (const float likely : mask) {
    if ((likely >= 0.5f) != inside) {
      runs.push_back(std::exchange(length, 0));
      inside = !inside;
    }
    ++length;
  }
  runs.push_back(length);
  return runs;
}

void put_shape(Json& json, const SightObject& object) {
  for (const float confidence : object.landmark_confidences)
    json["landmark_confidences"].push_back(confidence);
  for (const SightPoint& corner : object.corners) json["corners"].push_back({corner.x, corner.y});
  gfloat rotation = 0;
  if (sight_object_get_rotation(&object, &rotation)) json["rotation"] = rotation;
  if (!object.mask) return;
  const sightline::Tensor& mask = sightline::unwrap(object.mask.get());
  const SightBox& area = object.mask_area;
  json["mask"] = {{"area", {area.x, area.y, area.width, area.height}},
                  {"size", {mask.shape[1], mask.shape[0]}},
                  {"runs", run_lengths(mask.floats())}};
}

Json to_json(const SightObject& object, TensorsAs tensors) {
  Json json = {{"id", object.id}};
  if (object.parent != 0) json["parent"] = object.parent;
  put_index(json, "class_id", object.class_id);
  put(json, "label", c_str(object.label));
  json["confidence"] = object.confidence;
  json["box"] = {object.box.x, object.box.y, object.box.width, object.box.height};
  for (const SightPoint& point : object.landmarks) json["landmarks"].push_back({point.x, point.y});
  put_shape(json, object);
  put_track(json, object);
  if (object.identity) json["identity"] = to_json(object.identity.get());
  put_classifications(json, object.classifications);
  put_tensors(json, object.tensors, tensors);
  put_analytics(json, sightline::object_report(&object));
  return json;
}

Json to_json(const SightFrame& frame, GstClockTime pts, TensorsAs tensors) {
  Json json = Json::object();
  put(json, "stream", c_str(frame.stream));
  json["frame"] = frame.number;
  if (GST_CLOCK_TIME_IS_VALID(pts)) json["pts"] = pts;
  json["width"] = frame.width;
  json["height"] = frame.height;
  json["objects"] = Json::array();
  for (const auto& object : frame.objects) json["objects"].push_back(to_json(*object, tensors));
  put_classifications(json, frame.classifications);
  put_tensors(json, frame.tensors, tensors);
  put_analytics(json, sightline::frame_report(&frame));
  return json;
}

}  // namespace

namespace sightline {

std::string event_line(const SightFrame& frame, GstClockTime pts, TensorsAs tensors) {
  return to_text(::to_json(frame, pts, tensors));
}

}  // namespace sightline

char* sight_frame_to_json(const SightFrame* frame, GstClockTime pts) {
  g_return_val_if_fail(frame != nullptr, nullptr);
  const std::string line = sightline::event_line(*frame, pts, TensorsAs::kNothing);
  return g_strndup(line.data(), line.size());
}
