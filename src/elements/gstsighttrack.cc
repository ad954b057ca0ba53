// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsighttrack.h"

#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <sightline/frame.h>

#include "core/error.h"
#include "elements/element_error.h"
#include "meta/error.h"
#include "meta/mirrors.h"
#include "stage/object_tracking.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_track_debug);
#define GST_CAT_DEFAULT gst_sight_track_debug

typedef enum {
  GST_SIGHT_TRACK_ALGORITHM_IOU,
  GST_SIGHT_TRACK_ALGORITHM_SORT,
  GST_SIGHT_TRACK_ALGORITHM_BYTETRACK,
} GstSightTrackAlgorithm;

G_DEFINE_ENUM_TYPE(GstSightTrackAlgorithm, gst_sight_track_algorithm,
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_TRACK_ALGORITHM_IOU, "iou"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_TRACK_ALGORITHM_SORT, "sort"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_TRACK_ALGORITHM_BYTETRACK, "bytetrack"))

namespace sightline {
namespace {

enum Property {
  kPropStageId = 1,
  kPropAlgorithm,
  kPropHighConfidence,
  kPropLowConfidence,
  kPropBirthConfidence,
  kPropMinOverlap,
  kPropMinOverlapLow,
  kPropMinHits,
  kPropMaxLost,
  kPropCoast,
  kPropMixClasses,
  kPropFollowCamera,
  kPropUseEmbeddings,
  kPropMaxEmbeddingDistance,
  kPropMaxLostEmbedding,
  kPropUseLandmarks,
  kPropMaxTracks,
  kPropStats,
};

constexpr double kDefaultEmbeddingDistance = 0.3;
constexpr guint kMostMilliseconds = 24 * 3600 * 1000;
constexpr double kDefaultFrameSeconds = 0.04;  // where neither buffers nor caps say

guint to_ms(double seconds) { return static_cast<guint>(seconds * 1000 + 0.5); }

TrackingOptions default_options() {
  TrackingOptions options;
  options.tracker.max_embedding_distance = kDefaultEmbeddingDistance;
  return options;
}

}  // namespace

struct SightTrack {
  std::mutex mutex;                             // guards the next two
  TrackingOptions options = default_options();  // properties that change in READY only
  TrackingCounts counts;                        // as of the newest frame

  // Of the streaming thread, from start() to stop().
  std::optional<ObjectTracking> tracking;
  std::string stream;  // from STREAM_START, for frames that name none
  double frame_seconds = kDefaultFrameSeconds;
  TrackingResult result;  // of the buffer that is on its way through
};

}  // namespace sightline

struct _GstSightTrack {
  GstBaseTransform parent;
  sightline::SightTrack* self;
};

G_DEFINE_TYPE(GstSightTrack, gst_sight_track, GST_TYPE_BASE_TRANSFORM)

namespace sightline {
namespace {

SightTrack& self_of(gpointer element) { return *GST_SIGHT_TRACK(element)->self; }

// Runs `work`; what it throws becomes an error on the bus.
template <typename Work>
bool report(gpointer element, Work&& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    post_error(GST_ELEMENT(element), error);
  } catch (const std::exception& error) {
    post_error(GST_ELEMENT(element), Error(ErrorCode::kFailed, error.what()));
  }
  return false;
}

void check(const TrackerOptions& options) {
  if (options.low_confidence > options.high_confidence)
    throw Error(ErrorCode::kConfig, "low-confidence is " + std::to_string(options.low_confidence) +
                                        ", above high-confidence, which is " +
                                        std::to_string(options.high_confidence) +
                                        ". Set low-confidence to at most high-confidence");
}

gboolean start(GstBaseTransform* base) {
  SightTrack& self = self_of(base);
  const std::lock_guard lock(self.mutex);
  return report(base, [&] {
    check(self.options.tracker);
    self.tracking.emplace(self.options);
    self.counts = {};
    self.stream.clear();
    self.frame_seconds = kDefaultFrameSeconds;
  });
}

gboolean stop(GstBaseTransform* base) {
  self_of(base).tracking.reset();
  return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* /*out*/) {
  gint frames = 0, seconds = 1;
  gst_structure_get_fraction(gst_caps_get_structure(in, 0), "framerate", &frames, &seconds);
  self_of(base).frame_seconds =
      frames > 0 ? static_cast<double>(seconds) / frames : kDefaultFrameSeconds;
  return TRUE;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  SightTrack& self = self_of(base);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START: {
      const gchar* id = nullptr;
      gst_event_parse_stream_start(event, &id);
      self.stream = id;
      break;
    }
    case GST_EVENT_SEGMENT:
      if (self.tracking) self.tracking->new_segment();
      break;
    case GST_EVENT_FLUSH_STOP:
    case GST_EVENT_EOS:
      if (self.tracking) self.tracking->forget_all();
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS(gst_sight_track_parent_class)->sink_event(base, event);
}

// Played backwards, time goes on all the same.
TrackingTime time_of(GstBaseTransform* base, GstBuffer* buffer) {
  TrackingTime time;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    const double seconds = static_cast<double>(GST_BUFFER_PTS(buffer)) / GST_SECOND;
    time.seconds = base->segment.rate < 0 ? -seconds : seconds;
  }
  time.frame_seconds = self_of(base).frame_seconds;
  time.clock = static_cast<double>(g_get_monotonic_time()) / G_USEC_PER_SEC;
  return time;
}

void track(GstBaseTransform* base, GstBuffer* buffer) {
  SightTrack& self = self_of(base);
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  const char* stream = frame != nullptr ? sight_frame_get_stream(frame) : nullptr;
  self.result =
      self.tracking->track(frame, stream != nullptr ? stream : self.stream, time_of(base, buffer));
  const std::lock_guard lock(self.mutex);
  self.counts = self.tracking->counts();
}

// Only a buffer that will be changed is copied (its metadata, not its pixels), should others hold
// it.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean is_discont, GstBuffer* input) {
  if (!report(base, [&] { track(base, input); })) {
    gst_buffer_unref(input);
    return GST_FLOW_ERROR;
  }
  if (!self_of(base).result.empty()) input = gst_buffer_make_writable(input);
  return GST_BASE_TRANSFORM_CLASS(gst_sight_track_parent_class)
      ->submit_input_buffer(base, is_discont, input);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  const TrackingResult result = std::exchange(self_of(base).result, {});
  if (result.empty()) return GST_FLOW_OK;
  const bool done = report(base, [&] {
    GError* problem = nullptr;
    SightFrame* frame = sight_buffer_edit_frame(buffer, &problem);
    if (frame == nullptr) throw take_error(problem);
    attach(frame, result);
    update_mirrors(buffer);
  });
  return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

GstStructure* stats_of(const TrackingCounts& counts) {
  return gst_structure_new("sighttrack", "frames", G_TYPE_UINT64, guint64{counts.frames},
                           "objects-tracked", G_TYPE_UINT64, guint64{counts.found},
                           "objects-predicted", G_TYPE_UINT64, guint64{counts.predicted}, "streams",
                           G_TYPE_UINT64, guint64{counts.streams}, "tracks", G_TYPE_UINT64,
                           guint64{counts.tracks}, nullptr);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightTrack& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  TrackerOptions& tracker = self.options.tracker;
  switch (id) {
    case kPropStageId:
      self.options.stage_id = g_value_get_uint(value);
      break;
    case kPropAlgorithm:
      tracker.algorithm = static_cast<TrackAlgorithm>(g_value_get_enum(value));
      break;
    case kPropHighConfidence:
      tracker.high_confidence = g_value_get_float(value);
      break;
    case kPropLowConfidence:
      tracker.low_confidence = g_value_get_float(value);
      break;
    case kPropBirthConfidence:
      tracker.birth_confidence = g_value_get_float(value);
      break;
    case kPropMinOverlap:
      tracker.min_overlap = g_value_get_float(value);
      break;
    case kPropMinOverlapLow:
      tracker.min_overlap_low = g_value_get_float(value);
      break;
    case kPropMinHits:
      tracker.min_hits = static_cast<int>(g_value_get_uint(value));
      break;
    case kPropMaxLost:
      tracker.max_lost = g_value_get_uint(value) / 1000.0;
      break;
    case kPropCoast:
      tracker.max_coast = g_value_get_uint(value) / 1000.0;
      break;
    case kPropMixClasses:
      tracker.mix_classes = g_value_get_boolean(value);
      break;
    case kPropFollowCamera:
      tracker.follow_camera = g_value_get_boolean(value);
      break;
    case kPropUseEmbeddings: {
      const char* name = g_value_get_string(value);
      self.options.embedding_tensor = name != nullptr ? name : "";
      break;
    }
    case kPropMaxEmbeddingDistance:
      tracker.max_embedding_distance = g_value_get_float(value);
      break;
    case kPropMaxLostEmbedding:
      tracker.max_lost_embedding = g_value_get_uint(value) / 1000.0;
      break;
    case kPropUseLandmarks:
      tracker.use_landmarks = g_value_get_boolean(value);
      break;
    case kPropMaxTracks:
      tracker.max_tracks = static_cast<int>(g_value_get_uint(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightTrack& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  const TrackerOptions& tracker = self.options.tracker;
  switch (id) {
    case kPropStageId:
      g_value_set_uint(value, self.options.stage_id);
      break;
    case kPropAlgorithm:
      g_value_set_enum(value, static_cast<gint>(tracker.algorithm));
      break;
    case kPropHighConfidence:
      g_value_set_float(value, tracker.high_confidence);
      break;
    case kPropLowConfidence:
      g_value_set_float(value, tracker.low_confidence);
      break;
    case kPropBirthConfidence:
      g_value_set_float(value, tracker.birth_confidence);
      break;
    case kPropMinOverlap:
      g_value_set_float(value, tracker.min_overlap);
      break;
    case kPropMinOverlapLow:
      g_value_set_float(value, tracker.min_overlap_low);
      break;
    case kPropMinHits:
      g_value_set_uint(value, static_cast<guint>(tracker.min_hits));
      break;
    case kPropMaxLost:
      g_value_set_uint(value, to_ms(tracker.max_lost));
      break;
    case kPropCoast:
      g_value_set_uint(value, to_ms(tracker.max_coast));
      break;
    case kPropMixClasses:
      g_value_set_boolean(value, tracker.mix_classes);
      break;
    case kPropFollowCamera:
      g_value_set_boolean(value, tracker.follow_camera);
      break;
    case kPropUseEmbeddings:
      g_value_set_string(value, self.options.embedding_tensor.empty()
                                    ? nullptr
                                    : self.options.embedding_tensor.c_str());
      break;
    case kPropMaxEmbeddingDistance:
      g_value_set_float(value, tracker.max_embedding_distance);
      break;
    case kPropMaxLostEmbedding:
      g_value_set_uint(value, to_ms(tracker.max_lost_embedding));
      break;
    case kPropUseLandmarks:
      g_value_set_boolean(value, tracker.use_landmarks);
      break;
    case kPropMaxTracks:
      g_value_set_uint(value, static_cast<guint>(tracker.max_tracks));
      break;
    case kPropStats:
      g_value_take_boxed(value, stats_of(self.counts));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_TRACK(object)->self;
  G_OBJECT_CLASS(gst_sight_track_parent_class)->finalize(object);
}

constexpr auto kReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

void install_association(GObjectClass* klass, const TrackerOptions& defaults) {
  const auto part = [&](Property id, const char* name, const char* nick, const char* blurb,
                        float value) {
    g_object_class_install_property(klass, id,
                                    g_param_spec_float(name, nick, blurb, 0, 1, value, kReady));
  };
  g_object_class_install_property(
      klass, kPropAlgorithm,
      g_param_spec_enum("algorithm", "Algorithm",
                        "iou: a track goes on with the box that overlaps its last one most. sort: "
                        "with the likeliest by a Kalman filter of its motion. bytetrack: as sort, "
                        "then tracks that found none may take a box that the detector is unsure of",
                        gst_sight_track_algorithm_get_type(), static_cast<gint>(defaults.algorithm),
                        kReady));
  part(kPropHighConfidence, "high-confidence", "High confidence",
       "Objects from this confidence on join any track", defaults.high_confidence);
  part(kPropLowConfidence, "low-confidence", "Low confidence",
       "bytetrack: objects from this confidence on, but below high-confidence, join tracks that "
       "found no other in this frame. The detector's own threshold has to be as low for this to "
       "matter",
       defaults.low_confidence);
  part(kPropBirthConfidence, "birth-confidence", "Birth confidence",
       "Objects from this confidence on that join no track begin one", defaults.birth_confidence);
  part(kPropMinOverlap, "min-overlap", "Min overlap",
       "Intersection over union that an object has to have at least with where a track is expected",
       defaults.min_overlap);
  part(kPropMinOverlapLow, "min-overlap-low", "Min overlap, low",
       "The same for objects below high-confidence", defaults.min_overlap_low);
  g_object_class_install_property(
      klass, kPropMixClasses,
      g_param_spec_boolean("mix-classes", "Mix classes",
                           "Let a track go on with an object of another class (of the same stage)",
                           defaults.mix_classes, kReady));
  g_object_class_install_property(
      klass, kPropFollowCamera,
      g_param_spec_boolean("follow-camera", "Follow camera",
                           "Take what four tracks or more have in common for the motion of the "
                           "camera. Not for algorithm=iou",
                           defaults.follow_camera, kReady));
  g_object_class_install_property(
      klass, kPropUseLandmarks,
      g_param_spec_boolean("use-landmarks", "Use landmarks",
                           "Compare landmarks as well as boxes, where objects have them",
                           defaults.use_landmarks, kReady));
}

void install_embeddings(GObjectClass* klass, const TrackerOptions& defaults) {
  g_object_class_install_property(
      klass, kPropUseEmbeddings,
      g_param_spec_string("use-embeddings", "Use embeddings",
                          "Name of the objects' tensor that holds an embedding (float32, up to "
                          "8192 numbers), made by a stage before this one: then looks count beside "
                          "place, and a lost track is found again elsewhere by them. Empty: looks "
                          "do not count",
                          nullptr, kReady));
  g_object_class_install_property(
      klass, kPropMaxEmbeddingDistance,
      g_param_spec_float("max-embedding-distance", "Max embedding distance",
                         "Cosine distance (1 - similarity) to the average of the track below which "
                         "looks speak for a track, and above which against it. Depends on the "
                         "model. 0: looks do not count",
                         0, 2, defaults.max_embedding_distance, kReady));
  g_object_class_install_property(
      klass, kPropMaxLostEmbedding,
      g_param_spec_uint("max-lost-embedding", "Max lost, embedding",
                        "Milliseconds for which a lost track can be found again by its looks", 0,
                        kMostMilliseconds, to_ms(defaults.max_lost_embedding), kReady));
}

void install_properties(GObjectClass* klass) {
  const TrackerOptions defaults = default_options().tracker;
  g_object_class_install_property(
      klass, kPropStageId,
      g_param_spec_uint("stage-id", "Stage id",
                        "unique-id of the sightinfer whose objects are tracked. 0: all objects "
                        "that are not part of another one, each stage's for themselves",
                        0, G_MAXUINT, 0, kReady));
  install_association(klass, defaults);
  g_object_class_install_property(
      klass, kPropMinHits,
      g_param_spec_uint("min-hits", "Min hits",
                        "Frames in a row in which a track has to be seen to be confirmed; until "
                        "then it is tentative, and gone at the first frame without it",
                        1, 1000, static_cast<guint>(defaults.min_hits), kReady));
  g_object_class_install_property(
      klass, kPropMaxLost,
      g_param_spec_uint("max-lost", "Max lost",
                        "Milliseconds after which a confirmed track that is not seen is forgotten. "
                        "Twice the time between frames counts if that is more",
                        0, kMostMilliseconds, to_ms(defaults.max_lost), kReady));
  g_object_class_install_property(
      klass, kPropCoast,
      g_param_spec_uint("coast", "Coast",
                        "Milliseconds for which a confirmed track that the detector does not find "
                        "is shown all the same, as an object marked as predicted: bridges what "
                        "detectors miss. 0: not at all",
                        0, kMostMilliseconds, to_ms(defaults.max_coast), kReady));
  install_embeddings(klass, defaults);
  g_object_class_install_property(
      klass, kPropMaxTracks,
      g_param_spec_uint("max-tracks", "Max tracks",
                        "Tracks at a time, a stream and stage. Of more objects the most confident "
                        "are tracked; the longest lost track gives way to a new one",
                        1, 10000, static_cast<guint>(defaults.max_tracks), kReady));
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed("stats", "Statistics",
                         "frames, objects-tracked and objects-predicted (added) since the start; "
                         "streams and tracks that are known now",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

}  // namespace
}  // namespace sightline

static void gst_sight_track_init(GstSightTrack* element) {
  element->self = new sightline::SightTrack();
  // Pixels pass through; submit_input_buffer() makes the metadata writable where it will change.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(element), TRUE);
}

static void gst_sight_track_class_init(GstSightTrackClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_sight_track_debug, "sighttrack", 0, "Sightline: tracking");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sightline::set_property;
  object_class->get_property = sightline::get_property;
  object_class->finalize = sightline::finalize;
  sightline::install_properties(object_class);
  gst_type_mark_as_plugin_api(gst_sight_track_algorithm_get_type(),
                              static_cast<GstPluginAPIFlags>(0));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline tracker", "Filter/Analyzer/Video",
      "Gives each object a track number, which it keeps over time, and user data "
      "\"sightline-track\" (state, age, hits, predicted, velocity-x, velocity-y). On frames that "
      "the detecting sightinfer skipped, adds an object for each confirmed track where it is "
      "expected, marked as predicted. Streams that share it, as behind a funnel, are kept apart. "
      "Objects that a sighttrack before this one has tracked are left alone. Looks at no pixels; "
      "any memory passes",
      "The Sightline authors");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = sightline::start;
  base_class->stop = sightline::stop;
  base_class->set_caps = sightline::set_caps;
  base_class->sink_event = sightline::sink_event;
  base_class->submit_input_buffer = sightline::submit_input_buffer;
  base_class->transform_ip = sightline::transform_ip;
}
