// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/roi_mirror.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <gst/video/video.h>

#include "core/geometry.h"
#include "meta/frame.h"
#include "meta/frame_meta.h"
#include "meta/roi_params.h"
#include "meta/visible_part.h"

namespace sightline {

namespace {

using RegionMeta = GstVideoRegionOfInterestMeta;

std::vector<RegionMeta*> regions_of(GstBuffer* buffer) {
  std::vector<RegionMeta*> regions;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
    regions.push_back(reinterpret_cast<RegionMeta*>(meta));
  return regions;
}

const Mirror* mirror_of_region(const SightFrame& frame, gint region) {
  const auto found = std::ranges::find(frame.mirrors, region, &Mirror::region);
  return found != frame.mirrors.end() ? &*found : nullptr;
}

const Mirror* mirror_of_object(const SightFrame& frame, guint64 object) {
  const auto found = std::ranges::find(frame.mirrors, object, &Mirror::object);
  return found != frame.mirrors.end() ? &*found : nullptr;
}

// An id that no region on `buffer` has or had.
gint new_region_id(GstBuffer* buffer, const SightFrame& frame) {
  for (;;) {
    const auto id = static_cast<gint>(gst_util_seqnum_next());
    if (id != 0 && mirror_of_region(frame, id) == nullptr &&
        gst_buffer_get_video_region_of_interest_meta_id(buffer, id) == nullptr)
      return id;
  }
}

// --- theirs to ours ---------------------------------------------------------------------------

// The region's own pixels, or the finer numbers of its detection where both say the same place.
SightBox box_of(const RegionMeta& region, const RegionDetection& detection,
                const SightFrame& frame) {
  const SightBox coarse = {static_cast<float>(region.x), static_cast<float>(region.y),
                           static_cast<float>(region.w), static_cast<float>(region.h)};
  if (!detection.box || frame.width == 0 || frame.height == 0) return coarse;
  const float width = detection.in_pixels ? 1 : static_cast<float>(frame.width);
  const float height = detection.in_pixels ? 1 : static_cast<float>(frame.height);
  const Rect& part = *detection.box;
  const SightBox fine = {part.x * width, part.y * height, part.width * width, part.height * height};
  const auto near = [](float a, float b) { return std::abs(a - b) <= 2; };  // both edges rounded
  return near(fine.x, coarse.x) && near(fine.y, coarse.y) && near(fine.width, coarse.width) &&
                 near(fine.height, coarse.height)
             ? fine
             : coarse;
}

// Whether `region` can be seen and is not known yet. `frame` is NULL if there is none yet.
bool is_new(const SightFrame* frame, const RegionMeta& region) {
  if (region.w == 0 || region.h == 0) return false;
  if (frame == nullptr) return true;
  return mirror_of_region(*frame, region.id) == nullptr &&
         !visible(box_of(region, {}, *frame), *frame).empty();
}

// The object that was imported from a detection which the region repeats, as DL Streamer's elements
// write both; NULL if there is none, or another region was taken for it.
const SightObject* same_detection(const SightFrame& frame, const RegionMeta& region) {
  const char* label = g_quark_to_string(region.roi_type);
  for (const auto& [id, revision] : frame.relations.revisions) {
    const SightObject* object = sight_frame_find_object(&frame, id);
    if (object == nullptr || mirror_of_object(frame, id) != nullptr) continue;
    const Rect part = visible(object->box, frame);
    if (part.empty()) continue;
    const PixelBox box = nearest_pixels(part);
    if (box.x == region.x && box.y == region.y && box.width == region.w && box.height == region.h &&
        g_strcmp0(c_str(object->label), label) == 0)
      return object;
  }
  return nullptr;
}

ObjectHandle import_region(const RegionMeta& region, const SightFrame& frame, guint stage_id) {
  const RegionDetection detection = read_detection(region);
  const SightBox box = box_of(region, detection, frame);
  const Text label = repaired(g_quark_to_string(region.roi_type));
  ObjectHandle object = make_object(frame.token, c_str(label), detection.label_id.value_or(-1),
                                    detection.confidence.value_or(1), box, 0);
  object->track = read_track(region);
  object->landmarks = read_landmarks(region, box);
  object->classifications = read_classifications(region);
  object->tensors = read_tensors(region);
  object->stage_id = stage_id;
  return object;
}

// Parents are regions' ids, in any order.
void link_parent(SightObject& object, const RegionMeta& region, const SightFrame& frame) {
  if (region.parent_id == 0) return;
  const Mirror* parent = mirror_of_region(frame, region.parent_id);
  if (parent != nullptr && parent->object != object.id) object.parent = parent->object;
}

// --- ours to theirs ---------------------------------------------------------------------------

bool is_up_to_date(GstBuffer* buffer, const SightFrame& frame, const SightObject& object) {
  const Mirror* mirror = mirror_of_object(frame, object.id);
  const RegionMeta* region =
      mirror != nullptr ? gst_buffer_get_video_region_of_interest_meta_id(buffer, mirror->region)
                        : nullptr;
  if (visible(object.box, frame).empty()) return region == nullptr;
  return region != nullptr && mirror->revision == object.revision && has_detection(*region);
}

bool has_object(const SightFrame& frame, const Mirror& mirror) {
  return std::ranges::any_of(
      frame.objects, [&](const ObjectHandle& object) { return object->id == mirror.object; });
}

void remove_region(GstBuffer* buffer, const Mirror& mirror) {
  if (RegionMeta* region = gst_buffer_get_video_region_of_interest_meta_id(buffer, mirror.region))
    gst_buffer_remove_meta(buffer, &region->meta);
}

// The region of `object`, made if there is none.
RegionMeta& region_for(GstBuffer* buffer, SightFrame& frame, const SightObject& object) {
  if (const Mirror* mirror = mirror_of_object(frame, object.id)) {
    if (RegionMeta* region =
            gst_buffer_get_video_region_of_interest_meta_id(buffer, mirror->region))
      return *region;
    std::erase_if(frame.mirrors, [&](const Mirror& lost) { return lost.object == object.id; });
  }
  const gint id = new_region_id(buffer, frame);
  RegionMeta* region = gst_buffer_add_video_region_of_interest_meta(buffer, nullptr, 0, 0, 0, 0);
  region->id = id;
  frame.mirrors.push_back({object.id, id, object.revision});
  return *region;
}

void write_region(GstBuffer* buffer, SightFrame& frame, const SightObject& object) {
  const Rect part = visible(object.box, frame);
  const PixelBox box = nearest_pixels(part);
  RegionMeta& region = region_for(buffer, frame, object);
  // Readers make a string of the label, so there has to be one.
  region.roi_type = g_quark_from_string(object.label ? object.label->c_str() : "object");
  region.x = box.x, region.y = box.y, region.w = box.width, region.h = box.height;
  if (const Mirror* parent = mirror_of_object(frame, object.parent))
    region.parent_id = parent->region;
  write_params(region, object, normalised(part, frame));
  std::ranges::find(frame.mirrors, object.id, &Mirror::object)->revision = object.revision;
}

// Takes the regions of objects away that are gone or cannot be seen.
void remove_stale(GstBuffer* buffer, SightFrame& frame) {
  std::erase_if(frame.mirrors, [&](const Mirror& mirror) {
    const SightObject* object = sight_frame_find_object(&frame, mirror.object);
    if (object != nullptr && !visible(object->box, frame).empty()) return false;
    remove_region(buffer, mirror);
    return true;
  });
}

}  // namespace

int import_regions(GstBuffer* buffer, guint stage_id) {
  const std::vector<RegionMeta*> regions = regions_of(buffer);
  const SightFrame* current = peek_frame(buffer);
  if (std::ranges::none_of(regions, [&](RegionMeta* r) { return is_new(current, *r); })) return 0;

  SightFrame& frame = edit_frame(buffer);
  std::vector<std::pair<ObjectHandle, const RegionMeta*>> imported;
  for (RegionMeta* region : regions) {
    if (!is_new(&frame, *region)) continue;  // or no longer: an id that was there before
    if (region->id == 0) region->id = new_region_id(buffer, frame);
    if (const SightObject* known = same_detection(frame, *region)) {
      frame.mirrors.push_back({known->id, region->id, known->revision});
      continue;
    }
    ObjectHandle object = import_region(*region, frame, stage_id);
    frame.mirrors.push_back({object->id, region->id, object->revision});
    imported.emplace_back(object, region);
    frame.objects.push_back(std::move(object));
  }
  for (const auto& [object, region] : imported) link_parent(*object, *region, frame);
  return static_cast<int>(imported.size());
}

int mirror_objects(GstBuffer* buffer) {
  const SightFrame* current = peek_frame(buffer);
  if (current == nullptr) return 0;
  const auto stale = [&](const ObjectHandle& object) {
    return !is_up_to_date(buffer, *current, *object);
  };
  const auto orphan = [&](const Mirror& mirror) { return !has_object(*current, mirror); };
  if (current->mirrored && std::ranges::none_of(current->objects, stale) &&
      std::ranges::none_of(current->mirrors, orphan))
    return 0;

  SightFrame& frame = edit_frame(buffer);
  frame.mirrored = true;
  remove_stale(buffer, frame);
  int written = 0;
  for (const ObjectHandle& object : frame.objects) {
    if (is_up_to_date(buffer, frame, *object)) continue;
    write_region(buffer, frame, *object);
    ++written;
  }
  return written;
}

}  // namespace sightline
