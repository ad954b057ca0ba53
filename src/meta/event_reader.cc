// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/event_reader.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "meta/analytics.h"
#include "meta/error.h"
#include "meta/frame.h"
#include "meta/json_node.h"
#include "meta/json_tensor.h"
#include "meta/object.h"
#include "meta/tensor.h"
#include "meta/track_data.h"
#include "sightline/shape.h"

namespace sightline {

namespace {

constexpr std::uint64_t kLargestId = INT64_MAX;
constexpr std::size_t kMostMaskPixels = std::size_t{1} << 26;

// Runs a setter of the C API; its error gets the path to the value that it was given.
template <typename Setter>
void set(const JsonNode& node, Setter setter) {
  GError* error = nullptr;
  if (!setter(&error)) node.fail(take_error(error).what());
}

Json parse(std::string_view line) {
  try {
    return Json::parse(line);
  } catch (const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at …": what comes first is the library's own.
    const std::string text = error.what();
    const std::size_t end = text.find("] ");
    throw Error(ErrorCode::kInput,
                "is no JSON: " + (end == std::string::npos ? text : text.substr(end + 2)));
  }
}

SightBox box_from(const JsonNode& node) {
  const std::vector<float> box = node.numbers(4);
  return {box[0], box[1], box[2], box[3]};
}

std::vector<SightPoint> points_from(const std::vector<JsonNode>& nodes) {
  std::vector<SightPoint> points;
  for (const JsonNode& node : nodes) {
    const std::vector<float> point = node.numbers(2);
    points.push_back({point[0], point[1]});
  }
  return points;
}

// --- what is said of an object ------------------------------------------------------------------

ClassificationHandle classification_from(const JsonNode& node) {
  node.require_keys({"attribute", "label", "class_id", "confidence", "stage"});
  const auto class_id = node.find("class_id"), stage = node.find("stage");
  const std::string stage_name = stage ? stage->text() : "";
  return ClassificationHandle::adopt(
      sight_classification_new(node.at("attribute").text().c_str(), node.at("label").text().c_str(),
                               class_id ? class_id->index() : -1, node.at("confidence").number(),
                               stage ? stage_name.c_str() : nullptr, 0));
}

Text text_of(const JsonNode& node, const char* key) {
  const auto found = node.find(key);
  return found ? Text(found->text()) : std::nullopt;
}

// NaN if it is absent.
float number_of(const JsonNode& node, const char* key) {
  const auto found = node.find(key);
  return found ? found->number() : NAN;
}

CandidateHandle candidate_from(const JsonNode& node) {
  node.require_keys({"person", "name", "gallery", "similarity", "probability"});
  const Text name = text_of(node, "name"), gallery = text_of(node, "gallery");
  return CandidateHandle::adopt(sight_candidate_new(node.at("person").text().c_str(), c_str(name),
                                                    c_str(gallery), node.at("similarity").number(),
                                                    number_of(node, "probability")));
}

std::vector<CandidateHandle> candidates_from(const JsonNode& node) {
  std::vector<CandidateHandle> candidates;
  if (const auto list = node.find("candidates"))
    for (const JsonNode& item : list->items()) candidates.push_back(candidate_from(item));
  return candidates;
}

IdentityHandle identity_from(const JsonNode& node) {
  node.require_keys({"person", "name", "nearest", "gallery", "similarity", "threshold",
                     "probability", "votes", "candidates"});
  const Text person = text_of(node, "person"), name = text_of(node, "name"),
             gallery = text_of(node, "gallery");
  Text nearest_person = person, nearest_name = name;
  if (const auto nearest = node.find("nearest")) {
    if (person) nearest->fail("stands beside \"person\", who is the nearest");
    nearest->require_keys({"person", "name"});
    nearest_person = nearest->at("person").text();
    nearest_name = text_of(*nearest, "name");
  }
  const auto votes = node.find("votes");
  const std::vector<CandidateHandle> candidates = candidates_from(node);
  std::vector<SightCandidate*> listed;
  for (const CandidateHandle& candidate : candidates) listed.push_back(candidate.get());
  return IdentityHandle::adopt(sight_identity_new_full(
      c_str(person), c_str(name), node.at("similarity").number(), c_str(nearest_person),
      c_str(nearest_name), votes ? static_cast<guint>(votes->natural(UINT32_MAX)) : 0,
      c_str(gallery), number_of(node, "threshold"), number_of(node, "probability"), listed.data(),
      static_cast<guint>(listed.size())));
}

TensorHandle tensor_from(const JsonNode& node) {
  node.require_keys({"name", "type", "shape", "stage", "row", "data", "base64"});
  Tensor tensor;
  tensor.name = node.at("name").text();
  tensor.type = element_type_from(node.at("type").text(), node.at("type").path());
  const JsonNode shape = node.at("shape");
  for (const JsonNode& size : shape.items())
    tensor.shape.push_back(static_cast<std::int64_t>(size.natural(INT64_MAX)));
  try {
    element_count(tensor.shape);
  } catch (const Error& error) {
    shape.fail(error.what());
  }
  const JsonNode data = node.at(node.has("base64") ? "base64" : "data");
  if (!data.value().is_string() && !data.value().is_array()) data.fail("expected a list");
  auto bytes = elements_from(data.value(), tensor.type, tensor.shape, data.path());
  tensor.data = bytes->data();
  tensor.owner = std::move(bytes);
  const auto stage = node.find("stage"), row = node.find("row");
  return TensorHandle::adopt(
      wrap_tensor(std::move(tensor), stage ? stage->text() : "", 0, row ? row->index() : -1));
}

// 0 and 1 for each pixel.
std::vector<float> mask_pixels(const JsonNode& runs, std::size_t count) {
  std::vector<float> pixels;
  pixels.reserve(count);
  bool inside = false;
  for (const JsonNode& run : runs.items()) {
    const std::uint64_t length = run.natural(count - pixels.size());
    pixels.insert(pixels.end(), length, inside ? 1.0f : 0.0f);
    inside = !inside;
  }
  if (pixels.size() != count)
    runs.fail("are " + std::to_string(pixels.size()) + " pixels, and the mask's size says " +
              std::to_string(count));
  return pixels;
}

void read_mask(SightObject* object, const JsonNode& node) {
  node.require_keys({"area", "size", "runs"});
  const std::vector<JsonNode> size = node.at("size").items(2);
  const std::uint64_t width = size[0].natural(kMostMaskPixels);
  const std::uint64_t height = size[1].natural(kMostMaskPixels);
  if (width * height > kMostMaskPixels)
    node.at("size").fail("more than " + std::to_string(kMostMaskPixels) + " pixels");
  const std::vector<float> pixels = mask_pixels(node.at("runs"), width * height);
  const Shape shape = {static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)};
  const auto mask =
      TensorHandle::adopt(wrap_tensor(Tensor::copy_of("mask", shape, pixels), "", 0, -1));
  const SightBox area = box_from(node.at("area"));
  set(node, [&](GError** e) { return sight_object_set_mask(object, mask.get(), &area, e); });
}

void read_shape(SightObject* object, const JsonNode& node) {
  if (const auto found = node.find("landmarks")) {
    const std::vector<SightPoint> points = points_from(found->items());
    set(*found, [&](GError** e) {
      return sight_object_set_landmarks(object, points.data(), static_cast<guint>(points.size()),
                                        e);
    });
  }
  if (const auto found = node.find("landmark_confidences")) {
    const std::vector<float> sure = found->numbers();
    set(*found, [&](GError** e) {
      return sight_object_set_landmark_confidences(object, sure.data(),
                                                   static_cast<guint>(sure.size()), e);
    });
  }
  if (const auto found = node.find("corners")) {
    const std::vector<SightPoint> points = points_from(found->items(SIGHT_N_CORNERS));
    set(*found, [&](GError** e) { return sight_object_set_corners(object, points.data(), e); });
  }
  // "rotation" follows from the corners.
  if (const auto found = node.find("rotation"); found && !node.has("corners"))
    found->fail("needs \"corners\" beside it");
  if (const auto found = node.find("mask")) read_mask(object, *found);
}

void read_track(SightObject* object, const JsonNode& node) {
  const auto track = node.find("track"), state = node.find("track_state"),
             predicted = node.find("predicted");
  if (!track && (state || predicted)) node.fail("\"track_state\" needs \"track\" beside it");
  if (predicted && !state) node.fail("\"predicted\" needs \"track_state\" beside it");
  if (!track) return;
  set(*track, [&](GError** e) { return sight_object_set_track(object, track->natural(), e); });
  if (!state) return;
  TrackData data;
  data.state = state->text();
  data.predicted = predicted && predicted->flag();
  set_track_data(object, data);
}

void read_analytics(SightObject* object, const JsonNode& node) {
  node.require_keys({"zones", "crossed", "direction"});
  ObjectReport report;
  if (const auto zones = node.find("zones"))
    for (const JsonNode& zone : zones->items()) {
      zone.require_keys({"name", "dwell"});
      const auto dwell = zone.find("dwell");
      report.zones.push_back(
          {zone.at("name").text(), dwell ? std::optional<double>(dwell->number()) : std::nullopt});
    }
  if (const auto crossed = node.find("crossed"))
    for (const JsonNode& crossing : crossed->items()) {
      crossing.require_keys({"line", "direction"});
      const std::string direction = crossing.at("direction").text();
      if (direction != "in" && direction != "out")
        crossing.at("direction").fail("expected \"in\" or \"out\", found \"" + direction + "\"");
      report.crossed.push_back({crossing.at("line").text(), direction == "in"});
    }
  if (const auto direction = node.find("direction")) report.direction = direction->text();
  add_report(object, report);
}

ObjectHandle object_from(const JsonNode& node, const EditTokenPtr& token) {
  node.require_keys({"id", "parent", "class_id", "label", "confidence", "box", "landmarks",
                     "landmark_confidences", "corners", "rotation", "mask", "track", "track_state",
                     "predicted", "identity", "classifications", "tensors", "analytics"});
  const auto label = node.find("label"), class_id = node.find("class_id"),
             parent = node.find("parent");
  const std::string text = label ? label->text() : "";
  const SightBox box = box_from(node.at("box"));
  ObjectHandle object;
  try {
    object =
        make_object(token, label ? text.c_str() : nullptr, class_id ? class_id->index() : -1,
                    node.at("confidence").number(), box, parent ? parent->natural(kLargestId) : 0);
  } catch (const Error& error) {
    node.fail(error.what());
  }
  object->id = node.at("id").natural(kLargestId);
  if (object->id == 0) node.at("id").fail("expected an integer from 1");
  read_shape(object.get(), node);
  read_track(object.get(), node);
  if (const auto identity = node.find("identity")) object->identity = identity_from(*identity);
  if (const auto list = node.find("classifications"))
    for (const JsonNode& item : list->items())
      object->classifications.push_back(classification_from(item));
  if (const auto list = node.find("tensors"))
    for (const JsonNode& item : list->items()) object->tensors.push_back(tensor_from(item));
  if (const auto analytics = node.find("analytics")) read_analytics(object.get(), *analytics);
  return object;
}

// --- what is said of the frame ------------------------------------------------------------------

void read_analytics(SightFrame* frame, const JsonNode& node) {
  node.require_keys({"lines", "zones"});
  FrameReport report;
  if (const auto lines = node.find("lines"))
    for (const JsonNode& line : lines->items()) {
      line.require_keys({"name", "in", "out"});
      report.lines.push_back(
          {line.at("name").text(), line.at("in").natural(), line.at("out").natural()});
    }
  if (const auto zones = node.find("zones"))
    for (const JsonNode& zone : zones->items()) {
      zone.require_keys({"name", "count", "in", "out", "overcrowded"});
      const auto crowded = zone.find("overcrowded");
      report.zones.push_back({zone.at("name").text(), zone.at("count").natural(),
                              zone.at("in").natural(), zone.at("out").natural(),
                              crowded ? std::optional(crowded->flag()) : std::nullopt});
    }
  add_report(frame, report);
}

void read_objects(SightFrame& frame, const JsonNode& node) {
  std::set<guint64> ids;
  for (const JsonNode& item : node.items()) {
    frame.objects.push_back(object_from(item, frame.token));
    const guint64 id = frame.objects.back()->id;
    if (!ids.insert(id).second)
      item.at("id").fail("another object of the frame has the id " + std::to_string(id) + ", too");
  }
  if (!ids.empty()) make_no_ids_up_to(*ids.rbegin());
}

}  // namespace

Event read_event(std::string_view line) {
  const Json json = parse(line);
  const JsonNode node(json);
  node.require_keys({"late", "stream", "frame", "pts", "width", "height", "objects",
                     "classifications", "tensors", "analytics"});
  Event event;
  if (const auto late = node.find("late")) event.late = late->text();
  if (const auto pts = node.find("pts")) event.pts = pts->natural(UINT64_MAX - 1);
  const auto width = static_cast<guint>(node.at("width").natural(UINT32_MAX));
  const auto height = static_cast<guint>(node.at("height").natural(UINT32_MAX));
  event.frame = FrameHandle::adopt(sight_frame_new(width, height));
  SightFrame& frame = *event.frame;
  frame.number = node.at("frame").natural();
  if (const auto stream = node.find("stream")) frame.stream = stream->text();
  read_objects(frame, node.at("objects"));
  if (const auto list = node.find("classifications"))
    for (const JsonNode& item : list->items())
      frame.classifications.push_back(classification_from(item));
  if (const auto list = node.find("tensors"))
    for (const JsonNode& item : list->items()) frame.tensors.push_back(tensor_from(item));
  if (const auto analytics = node.find("analytics")) read_analytics(&frame, *analytics);
  return event;
}

}  // namespace sightline
