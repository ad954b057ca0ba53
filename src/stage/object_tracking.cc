// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/object_tracking.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <utility>

#include "meta/error.h"
#include "stage/attach.h"

namespace sightline {

namespace {

constexpr double kMaxStepBack = 1;     // seconds by which a time may go back for no reason
constexpr double kMaxPause = 1;        // seconds that a pause counts as
constexpr double kUnusedSeconds = 60;  // after which a stream is forgotten
constexpr std::size_t kMaxStreams = 1024;
constexpr gsize kMaxEmbedding = 8192;  // floats; whatever is longer is no embedding

const char* name_of(TrackState state) {
  switch (state) {
    case TrackState::kTentative:
      return "tentative";
    case TrackState::kConfirmed:
      return "confirmed";
    case TrackState::kLost:
      break;
  }
  return "lost";
}

TrackData data_of(const Track& track, bool predicted) {
  const Point velocity = track.filter.velocity();
  return {name_of(track.state),
          static_cast<guint>(track.age),
          static_cast<guint>(track.hits),
          predicted,
          velocity.x,
          velocity.y};
}

// The objects of a frame as observations, and what those point to.
class Observations {
 public:
  Observations(const SightFrame* frame, guint stage_id, const TrackingOptions& options) {
    const guint count = sight_frame_get_n_objects(frame);
    for (guint i = 0; i < count; ++i) {
      const SightObject* object = sight_frame_get_object(frame, i);
      const bool wanted = options.stage_id != 0 || sight_object_get_parent(object) == 0;
      if (wanted && sight_object_get_stage_id(object) == stage_id && !find_track_data(object))
        objects_.push_back(object);
    }
    landmarks_.reserve(objects_.size());  // spans point into it
    for (const SightObject* object : objects_) add(frame, object, options.embedding_tensor);
  }

  std::span<const Observation> all() const { return observations_; }
  const SightObject* object(std::size_t index) const { return objects_[index]; }

 private:
  void add(const SightFrame* frame, const SightObject* object, const std::string& tensor) {
    SightBox box;
    sight_object_get_box(object, &box);
    const char* label = sight_object_get_label(object);
    observations_.push_back({.box = {box.x, box.y, box.width, box.height},
                             .class_id = sight_object_get_class_id(object),
                             .label = label != nullptr ? label : "",
                             .confidence = sight_object_get_confidence(object),
                             .landmarks = landmarks_of(object),
                             .embedding = embedding_of(object, tensor),
                             .parent_track = parent_track(frame, object)});
  }

  std::span<const Point> landmarks_of(const SightObject* object) {
    guint count = 0;
    const SightPoint* points = sight_object_get_landmarks(object, &count);
    std::vector<Point>& copy = landmarks_.emplace_back();
    for (guint i = 0; i < count; ++i) copy.push_back({points[i].x, points[i].y});
    return copy;
  }

  static std::span<const float> embedding_of(const SightObject* object, const std::string& name) {
    if (name.empty()) return {};
    const SightTensor* tensor = sight_object_find_tensor(object, name.c_str());
    gsize count = 0;
    const gfloat* values = sight_tensor_get_floats(tensor, &count, nullptr);
    if (values == nullptr || count > kMaxEmbedding) return {};
    return {values, count};
  }

  static guint64 parent_track(const SightFrame* frame, const SightObject* object) {
    const SightObject* parent = sight_frame_find_object(frame, sight_object_get_parent(object));
    guint64 track = 0;
    if (parent != nullptr) sight_object_get_track(parent, &track);
    return track;
  }

  std::vector<const SightObject*> objects_;
  std::vector<std::vector<Point>> landmarks_;
  std::vector<Observation> observations_;
};

// The stages whose objects are in the frame and are to be tracked.
std::set<guint> stages_in(const SightFrame* frame, guint only) {
  if (only != 0) return {only};
  std::set<guint> stages;
  const guint count = sight_frame_get_n_objects(frame);
  for (guint i = 0; i < count; ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (sight_object_get_parent(object) == 0 && !find_track_data(object))
      stages.insert(sight_object_get_stage_id(object));
  }
  return stages;
}

TrackingResult::Predicted predicted_of(const Track& track, guint stage_id) {
  const Rect box = track.filter.box(), from = track.last_box;
  TrackingResult::Predicted result;
  result.track = track.id;
  result.data = data_of(track, true);
  result.box = {box.x, box.y, box.width, box.height};
  for (const Point& point : track.landmarks)
    result.landmarks.push_back({box.x + (point.x - from.x) / from.width * box.width,
                                box.y + (point.y - from.y) / from.height * box.height});
  result.label = track.label;
  result.class_id = track.class_id;
  result.confidence = track.confidence;
  result.stage_id = stage_id;
  result.parent_track = track.parent_track;
  return result;
}

// What the C API says of a failure, thrown.
class Checked {
 public:
  operator GError**() { return &error_; }
  void check() {
    if (error_ != nullptr) throw take_error(std::exchange(error_, nullptr));
  }

 private:
  GError* error_ = nullptr;
};

bool is_inside(const SightFrame* frame, const SightBox& box) {
  const auto width = static_cast<float>(sight_frame_get_width(frame));
  const auto height = static_cast<float>(sight_frame_get_height(frame));
  if (width <= 0 || height <= 0) return true;  // not known
  return !intersection({box.x, box.y, box.width, box.height}, {0, 0, width, height}).empty();
}

guint64 object_with_track(const SightFrame* frame, guint64 track) {
  const guint count = track != 0 ? sight_frame_get_n_objects(frame) : 0;
  for (guint i = 0; i < count; ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    guint64 its = 0;
    if (sight_object_get_track(object, &its) && its == track) return sight_object_get_id(object);
  }
  return 0;
}

void set_track(SightObject* object, guint64 track, const TrackData& data) {
  Checked error;
  sight_object_set_track(object, track, error);
  error.check();
  set_track_data(object, data);
}

void add_predicted(SightFrame* frame, const TrackingResult::Predicted& predicted) {
  if (!is_inside(frame, predicted.box)) return;
  Checked error;
  SightObject* object =
      sight_frame_add_object(frame, predicted.label.empty() ? nullptr : predicted.label.c_str(),
                             predicted.class_id, predicted.confidence, &predicted.box,
                             object_with_track(frame, predicted.parent_track), error);
  error.check();
  sight_object_set_stage_id(object, predicted.stage_id, error);
  error.check();
  if (!predicted.landmarks.empty())
    sight_object_set_landmarks(object, predicted.landmarks.data(),
                               static_cast<guint>(predicted.landmarks.size()), error);
  error.check();
  set_track(object, predicted.track, predicted.data);
}

}  // namespace

ObjectTracking::ObjectTracking(TrackingOptions options) : options_(std::move(options)) {
  if (options_.embedding_tensor.empty()) options_.tracker.max_embedding_distance = 0;
}

TrackingResult ObjectTracking::track(const SightFrame* frame, const std::string& name,
                                     const TrackingTime& time) {
  if (clock_) activity_ += std::clamp(time.clock - *clock_, 0.0, kMaxPause);
  clock_ = time.clock;
  Stream& stream = find_stream(name, time);
  stream.used = activity_;
  const std::size_t before = stream.track_count();

  TrackingResult result;
  for (const guint stage : stages_in(frame, options_.stage_id))
    stream.trackers.try_emplace(stage, options_.tracker);
  for (auto& [stage, tracker] : stream.trackers)
    track_stage(tracker, stage, frame, stream.newest, result);
  std::erase_if(stream.trackers, [](const auto& entry) { return entry.second.track_count() == 0; });

  counts_.tracks += stream.track_count() - before;
  forget_unused();
  ++counts_.frames;
  counts_.found += result.found.size();
  counts_.predicted += result.predicted.size();
  counts_.streams = streams_.size();
  return result;
}

void ObjectTracking::forget_all() {
  streams_.clear();
  counts_.streams = counts_.tracks = 0;
}

std::size_t ObjectTracking::Stream::track_count() const {
  std::size_t count = 0;
  for (const auto& [stage, tracker] : trackers) count += tracker.track_count();
  return count;
}

// The stream, forgotten before if its time went back, and with the frame's time as its newest.
ObjectTracking::Stream& ObjectTracking::find_stream(const std::string& name,
                                                    const TrackingTime& time) {
  const auto [entry, is_new] = streams_.try_emplace(name);
  Stream& stream = entry->second;
  const double seconds = time.seconds ? *time.seconds
                         : is_new     ? 0
                                      : stream.newest + time.frame_seconds;
  const double may_go_back = stream.segment == segment_ ? kMaxStepBack : 0;
  if (seconds < stream.newest - may_go_back) {
    counts_.tracks -= stream.track_count();
    stream.trackers.clear();
  }
  stream.newest = stream.trackers.empty() ? seconds : std::max(seconds, stream.newest);
  stream.segment = segment_;
  return stream;
}

// Looks at all streams once a second, and where there are too many.
void ObjectTracking::forget_unused() {
  while (streams_.size() > kMaxStreams)
    forget(std::ranges::min_element(streams_, {},
                                    [](const auto& entry) { return entry.second.used; }));
  if (activity_ - swept_ < 1) return;
  swept_ = activity_;
  const double limit = std::max(
      {kUnusedSeconds, 2 * options_.tracker.max_lost, 2 * options_.tracker.max_lost_embedding});
  for (auto stream = streams_.begin(); stream != streams_.end();)
    stream = activity_ - stream->second.used > limit ? forget(stream) : std::next(stream);
}

std::map<std::string, ObjectTracking::Stream>::iterator ObjectTracking::forget(
    std::map<std::string, Stream>::iterator stream) {
  counts_.tracks -= stream->second.track_count();
  return streams_.erase(stream);
}

void ObjectTracking::track_stage(Tracker& tracker, guint stage_id, const SightFrame* frame,
                                 double seconds, TrackingResult& result) {
  if (frame != nullptr && (was_skipped(frame, stage_id) || has_failed(frame, stage_id))) {
    tracker.predict(seconds);
  } else {
    const Observations observations(frame, stage_id, options_);
    const auto tracks = tracker.update(seconds, observations.all());
    for (std::size_t i = 0; i < tracks.size(); ++i)
      if (tracks[i] != nullptr)
        result.found.push_back({sight_object_get_id(observations.object(i)), tracks[i]->id,
                                data_of(*tracks[i], false)});
  }
  for (const Track* track : tracker.predicted())
    result.predicted.push_back(predicted_of(*track, stage_id));
}

void attach(SightFrame* frame, const TrackingResult& result) {
  for (const TrackingResult::Found& found : result.found) {
    Checked error;
    SightObject* object =
        sight_frame_edit_object(frame, sight_frame_find_object(frame, found.object), error);
    error.check();
    set_track(object, found.track, found.data);
  }
  for (const TrackingResult::Predicted& predicted : result.predicted)
    add_predicted(frame, predicted);
}

}  // namespace sightline
