// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/object_matcher.h"

#include <optional>
#include <span>
#include <utility>

#include "core/error.h"
#include "meta/error.h"
#include "meta/track_data.h"
#include "stage/attach.h"
#include "stage/identity.h"

namespace sightline {

namespace {

std::string describe(const ModelFingerprint& model) {
  return "model " + model.id.substr(0, 12) + "… (" + model.name + ", " +
         std::to_string(model.dimensions) + "-d)";
}

// Throws Error(kGallery) if the gallery holds embeddings of another model.
void require_same_model(const std::string& gallery, const ModelFingerprint& expected,
                        const SightFrame* frame, const SightTensor* tensor, std::size_t count) {
  const auto found = find_fingerprint(frame, sight_tensor_get_stage_id(tensor));
  const bool same_model = !found || found->id == expected.id;
  if (same_model && count == static_cast<std::size_t>(expected.dimensions)) return;
  throw Error(ErrorCode::kGallery,
              shown_location(gallery) + " was made with " + describe(expected) +
                  "; this pipeline runs " +
                  (found ? describe(*found) : std::to_string(count) + "-d embeddings") +
                  ". Use that model, or enrol again with this one: sightline enroll NAME "
                  "IMAGE... --gallery NEW.db");
}

std::string stream_of(const SightFrame* frame) {
  const char* stream = sight_frame_get_stream(frame);
  return stream == nullptr ? "" : stream;
}

template <typename Visit>
void for_each_object(const SightFrame* frame, Visit visit) {
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i)
    visit(sight_frame_get_object(frame, i));
}

}  // namespace

// An object that is decided by its own embedding.
struct ObjectMatcher::Alone {
  guint64 object;
  std::vector<float> embedding;
  bool is_good_view;
};

// An object with its track, and what it shows of it.
struct ObjectMatcher::Tracked {
  guint64 object;
  TrackSighting sighting;
  std::vector<float> embedding;  // which the sighting points into
};

ObjectMatcher::ObjectMatcher(const MatchSettings& settings)
    : settings_(settings),
      matcher_(Matcher::open(locations_in(settings.gallery), settings.decision)),
      tracks_(*matcher_, settings.voting) {}

bool ObjectMatcher::is_tracked(const SightObject* object) const {
  return settings_.decide_by == DecideBy::kTrack && sight_object_get_track(object, nullptr);
}

// An object without an embedding has the name of its track.
bool ObjectMatcher::concerns(const std::string& stream, const SightObject* object) const {
  if (sight_object_find_tensor(object, settings_.tensor_name.c_str()) != nullptr) return true;
  guint64 track = 0;
  return is_tracked(object) && sight_object_get_track(object, &track) &&
         tracks_.knows(stream, track);
}

bool ObjectMatcher::concerns(const SightFrame* frame) const {
  if (frame == nullptr) return false;
  bool any = false;
  const std::string stream = stream_of(frame);
  for_each_object(frame, [&](const SightObject* object) { any |= concerns(stream, object); });
  return any;
}

// Of unit length.
std::vector<float> ObjectMatcher::embedding_of(const SightFrame* frame,
                                               const SightTensor* tensor) const {
  gsize count = 0;
  GError* problem = nullptr;
  const gfloat* values = sight_tensor_get_floats(tensor, &count, &problem);
  if (values == nullptr)
    throw Error(ErrorCode::kInput, std::string("no embedding: ") + take_error(problem).what() +
                                       ". Is tensor-name right?");
  if (const auto expected = matcher_->fingerprint())
    require_same_model(settings_.gallery, *expected, frame, tensor, count);
  return to_unit_length({values, count});
}

ObjectMatcher::Alone ObjectMatcher::look_at_alone(const SightFrame* frame,
                                                  const SightObject* object) const {
  const SightTensor* tensor = sight_object_find_tensor(object, settings_.tensor_name.c_str());
  const auto quality = find_quality(object);
  return {sight_object_get_id(object), embedding_of(frame, tensor),
          !quality || settings_.quality.accepts(*quality)};
}

// All of a frame in one search.
void ObjectMatcher::decide_alone(const std::vector<Alone>& objects, Verdicts& verdicts) {
  std::vector<std::vector<float>> embeddings;
  for (const Alone& one : objects) embeddings.push_back(one.embedding);
  std::vector<Decision> decisions = matcher_->decide_each(embeddings);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (!objects[i].is_good_view) decisions[i].known = false;
    verdicts.objects.push_back(
        {objects[i].object, IdentityHandle::adopt(make_identity(decisions[i]))});
  }
}

ObjectMatcher::Tracked ObjectMatcher::look_at(const SightFrame* frame,
                                              const SightObject* object) const {
  Tracked tracked{sight_object_get_id(object), {}, {}};
  sight_object_get_track(object, &tracked.sighting.track);
  const SightTensor* tensor = sight_object_find_tensor(object, settings_.tensor_name.c_str());
  // What was made of a place where the object is only expected may be of anything.
  if (tensor == nullptr || is_predicted(object)) return tracked;
  tracked.embedding = embedding_of(frame, tensor);
  tracked.sighting.embedding = tracked.embedding;
  tracked.sighting.source = taken_over_from(object, sight_tensor_get_stage_id(tensor))
                                .value_or(sight_frame_get_number(frame));
  const auto quality = find_quality(object);
  tracked.sighting.weight = quality ? settings_.quality.weight(*quality) : 1;
  return tracked;
}

void ObjectMatcher::decide_together(const SightFrame* frame, const std::vector<Tracked>& tracked,
                                    Verdicts& verdicts) {
  std::vector<TrackSighting> sightings;
  for (const Tracked& one : tracked) sightings.push_back(one.sighting);
  const auto decisions = tracks_.decide(stream_of(frame), sightings);
  for (std::size_t i = 0; i < tracked.size(); ++i)
    if (decisions[i])
      verdicts.objects.push_back(
          {tracked[i].object,
           IdentityHandle::adopt(make_identity(decisions[i]->decision, decisions[i]->votes))});
}

ObjectMatcher::Verdicts ObjectMatcher::match(const SightFrame* frame) {
  Verdicts verdicts;
  verdicts.warning = matcher_->problem();
  const std::string stream = stream_of(frame);
  std::vector<Alone> alone;
  std::vector<Tracked> tracked;
  for_each_object(frame, [&](const SightObject* object) {
    if (!concerns(stream, object)) return;
    try {
      if (is_tracked(object))
        tracked.push_back(look_at(frame, object));
      else
        alone.push_back(look_at_alone(frame, object));
    } catch (const Error& error) {
      // A gallery of another model is wrong for every frame; no frame can be let off.
      if (settings_.on_error == GST_SIGHT_ON_ERROR_STOP || error.code() != ErrorCode::kInput) throw;
      verdicts.warning = error.what();
    }
  });
  decide_alone(alone, verdicts);
  decide_together(frame, tracked, verdicts);
  return verdicts;
}

}  // namespace sightline
