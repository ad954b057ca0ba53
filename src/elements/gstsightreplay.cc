// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsightreplay.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <sightline/frame.h>

#include <gst/video/video.h>

#include "elements/element_error.h"
#include "meta/frame.h"
#include "meta/frame_meta.h"
#include "meta/mirrors.h"
#include "stage/event_file.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_replay_debug);
#define GST_CAT_DEFAULT gst_sight_replay_debug

namespace sightline {
namespace {

constexpr GstClockTime kDefaultTolerance = 2 * GST_MSECOND;

enum Property {
  kPropLocation = 1,
  kPropStream,
  kPropMatch,
  kPropTolerance,
  kPropUniqueId,
  kPropStats
};

GType match_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(EventMatch::kAuto), "By pts if each line has its own, else by number",
         "auto"},
        {static_cast<int>(EventMatch::kPts), "By the pts of line and buffer", "pts"},
        {static_cast<int>(EventMatch::kFrame), "By the number of the frame in its stream", "frame"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightReplayMatch", values);
  }();
  return type;
}

// What changes in READY only.
struct ReplaySettings {
  std::string location;
  std::string stream;
  EventMatch match = EventMatch::kAuto;
  GstClockTime tolerance = kDefaultTolerance;
  guint unique_id = 0;
};

struct ReplayCounts {
  guint64 frames = 0, matched = 0, objects = 0;
};

}  // namespace

struct SightReplay {
  std::mutex mutex;  // guards settings and counts
  ReplaySettings settings;
  ReplayCounts counts;

  // Of the streaming thread, from start() to stop().
  std::unique_ptr<EventFile> file;
  std::map<std::string, EventStream> streams;   // by the frames' own
  std::map<std::string, guint64> next_numbers;  // of frames that nobody has numbered
  std::string stream;                           // from STREAM_START
  PictureSize size{};                           // from the caps; 0 × 0 if not of video
  GstClockTime first = GST_CLOCK_TIME_NONE, last = GST_CLOCK_TIME_NONE;  // pts that came
  bool jumped = false;  // somebody seeked, so that not all between the two came
};

}  // namespace sightline

struct _GstSightReplay {
  GstBaseTransform parent;
  sightline::SightReplay* self;
};

G_DEFINE_TYPE(GstSightReplay, gst_sight_replay, GST_TYPE_BASE_TRANSFORM)

namespace sightline {
namespace {

SightReplay& self_of(gpointer element) { return *GST_SIGHT_REPLAY(element)->self; }

gboolean start(GstBaseTransform* base) {
  SightReplay& self = self_of(base);
  self.streams.clear();
  self.next_numbers.clear();
  self.stream.clear();
  self.size = {};
  self.first = self.last = GST_CLOCK_TIME_NONE;
  self.jumped = false;
  {
    const std::lock_guard lock(self.mutex);
    self.counts = {};
  }
  return report_errors(GST_ELEMENT(base), [&] {
    if (self.settings.location.empty())
      throw Error(ErrorCode::kConfig,
                  "the property location is not set. Set it to a file that sightjson or `sightline "
                  "run --json` has written: location=events.jsonl");
    self.file = std::make_unique<EventFile>(self.settings.location);
  });
}

gboolean stop(GstBaseTransform* base) {
  self_of(base).file.reset();
  return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* /*out*/) {
  gint width = 0, height = 0;
  const GstStructure* video = gst_caps_get_structure(in, 0);
  const bool known = gst_structure_get_int(video, "width", &width) && width > 0 &&
                     gst_structure_get_int(video, "height", &height) && height > 0;
  self_of(base).size =
      known ? PictureSize{static_cast<guint>(width), static_cast<guint>(height)} : PictureSize{};
  return TRUE;
}

// --- a frame

// Where its line is, if it has one.
const EventPlace* find_place(SightReplay& self, GstBuffer* buffer) {
  const SightFrame* frame = peek_frame(buffer);
  const bool named = sight_frame_get_stream(frame) != nullptr;
  const std::string own = named ? sight_frame_get_stream(frame) : self.stream;
  guint64& next = self.next_numbers[own];
  const guint64 number = named ? sight_frame_get_number(frame) : next;
  next = number + 1;
  auto found = self.streams.find(own);
  if (found == self.streams.end())
    found =
        self.streams.emplace(own, self.file->stream(self.settings.stream, own, self.settings.match))
            .first;
  return found->second.find(GST_BUFFER_PTS(buffer), number, self.settings.tolerance);
}

// The line's results, for a picture of this element's size.
FrameHandle read_frame(SightReplay& self, const EventPlace& place) {
  FrameHandle frame = self.file->read(place);
  for (const ObjectHandle& object : frame->objects)
    sight_object_set_stage_id(object.get(), self.settings.unique_id, nullptr);
  const PictureSize from{frame->width, frame->height}, to = self.size;
  const bool known = from.width > 0 && from.height > 0 && to.width > 0;
  if (!known || (from.width == to.width && from.height == to.height)) return frame;
  return scale_frame(*frame, from, to);
}

void count(SightReplay& self, const GstBuffer* buffer, const SightFrame* replayed) {
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    if (!GST_CLOCK_TIME_IS_VALID(self.first)) self.first = GST_BUFFER_PTS(buffer);
    self.last = GST_BUFFER_PTS(buffer);
  }
  const std::lock_guard lock(self.mutex);
  ++self.counts.frames;
  if (replayed == nullptr) return;
  ++self.counts.matched;
  self.counts.objects += sight_frame_get_n_objects(replayed);
}

// So that metadata can be added; the pixels are not copied.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean is_discont, GstBuffer* input) {
  return GST_BASE_TRANSFORM_CLASS(gst_sight_replay_parent_class)
      ->submit_input_buffer(base, is_discont, gst_buffer_make_writable(input));
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  SightReplay& self = self_of(base);
  const bool done = report_errors(GST_ELEMENT(base), [&] {
    const EventPlace* place = find_place(self, buffer);
    FrameHandle replayed;
    if (place != nullptr) {
      replayed = read_frame(self, *place);
      SightFrame& frame = edit_frame(buffer);
      if (self.size.width > 0) frame.width = self.size.width, frame.height = self.size.height;
      add_frame(frame, *replayed);
      update_mirrors(buffer);
    }
    count(self, buffer, replayed.get());
  });
  return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

// --- at the end

std::string seconds(GstClockTime time) {
  char text[64];
  std::snprintf(text, sizeof text, "%" GST_TIME_FORMAT, GST_TIME_ARGS(time));
  return text;
}

// When nothing matched, what did not match.
std::string complaint(const SightReplay& self) {
  const std::string begin = "no frame has a line in " + self.settings.location + ": ";
  if (self.streams.empty() || self.streams.begin()->second.places().empty())
    return begin + "it is empty";
  const EventStream& stream = self.streams.begin()->second;
  const EventPlace& first = stream.places().front();
  const EventPlace& last = stream.places().back();
  if (!stream.by_pts())
    return begin + "its lines are of frames " + std::to_string(first.number) + " to " +
           std::to_string(last.number) + ", and " + std::to_string(self.counts.frames) +
           " frames came";
  return begin + "its lines are of " + seconds(*first.pts) + " to " + seconds(*last.pts) +
         ", the frames of " + seconds(self.first) + " to " + seconds(self.last) +
         ". Is it of another clip? match=frame counts frames instead, and tolerance says how far "
         "away a line may be";
}

// Of the lines of the time that was played, how many no frame has taken, and of how many.
std::pair<guint64, guint64> lost_lines(const SightReplay& self) {
  guint64 lines = 0;
  for (const auto& [name, stream] : self.streams)
    if (stream.by_pts())
      lines +=
          static_cast<guint64>(std::ranges::count_if(stream.places(), [&](const EventPlace& p) {
            return *p.pts >= self.first && *p.pts <= self.last;
          }));
  return {lines - std::min(lines, self.counts.matched), lines};
}

// Whatever at the end shows that lines and frames do not belong together.
void warn(GstBaseTransform* base, const SightReplay& self) {
  if (self.counts.frames == 0) return;
  if (self.counts.matched == 0) return post_warning(GST_ELEMENT(base), complaint(self));
  const auto [lost, lines] = lost_lines(self);
  if (lost > 0 && !self.jumped)
    post_warning(GST_ELEMENT(base),
                 std::to_string(lost) + " of the " + std::to_string(lines) + " lines in " +
                     self.settings.location +
                     " for the time that was played are of no frame that came. Is it of another "
                     "clip, or of another frame rate? match=frame counts frames instead");
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  SightReplay& self = self_of(base);
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    const gchar* id = nullptr;
    gst_event_parse_stream_start(event, &id);
    if (self.stream != id) self.next_numbers.erase(id);
    self.stream = id;
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) {
    self.jumped = true;
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    warn(base, self);
  }
  return GST_BASE_TRANSFORM_CLASS(gst_sight_replay_parent_class)->sink_event(base, event);
}

// --- properties

GstStructure* stats_of(const ReplayCounts& counts) {
  return gst_structure_new("sightreplay-stats", "frames", G_TYPE_UINT64, counts.frames, "matched",
                           G_TYPE_UINT64, counts.matched, "objects", G_TYPE_UINT64, counts.objects,
                           nullptr);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightReplay& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  ReplaySettings& settings = self.settings;
  const auto text = [value] {
    const char* given = g_value_get_string(value);
    return std::string(given != nullptr ? given : "");
  };
  switch (id) {
    case kPropLocation:
      settings.location = text();
      break;
    case kPropStream:
      settings.stream = text();
      break;
    case kPropMatch:
      settings.match = static_cast<EventMatch>(g_value_get_enum(value));
      break;
    case kPropTolerance:
      settings.tolerance = g_value_get_uint64(value);
      break;
    case kPropUniqueId:
      settings.unique_id = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightReplay& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  const ReplaySettings& settings = self.settings;
  const auto set_text = [value](const std::string& text) {
    g_value_set_string(value, text.empty() ? nullptr : text.c_str());
  };
  switch (id) {
    case kPropLocation:
      set_text(settings.location);
      break;
    case kPropStream:
      set_text(settings.stream);
      break;
    case kPropMatch:
      g_value_set_enum(value, static_cast<int>(settings.match));
      break;
    case kPropTolerance:
      g_value_set_uint64(value, settings.tolerance);
      break;
    case kPropUniqueId:
      g_value_set_uint(value, settings.unique_id);
      break;
    case kPropStats:
      g_value_take_boxed(value, stats_of(self.counts));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_REPLAY(object)->self;
  G_OBJECT_CLASS(gst_sight_replay_parent_class)->finalize(object);
}

void install_properties(GObjectClass* klass) {
  constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      klass, kPropLocation,
      g_param_spec_string("location", "Location",
                          "File of events, as sightjson and `sightline run --json` write them "
                          "(docs/events.md). It is read and checked at the start; a line that is "
                          "wrong is an error that names it. Needed",
                          nullptr, kFlags));
  g_object_class_install_property(
      klass, kPropStream,
      g_param_spec_string("stream", "Stream",
                          "Whose lines are taken. Default: those of the frame's own stream; of a "
                          "file with one stream, that one's",
                          nullptr, kFlags));
  g_object_class_install_property(
      klass, kPropMatch,
      g_param_spec_enum("match", "Match",
                        "How a frame finds its line. auto: by pts if each line of the stream has "
                        "one of its own, else by number. frame: frames are counted from the start, "
                        "unless an element before this one has numbered them; no seeking then",
                        match_type(), static_cast<int>(EventMatch::kAuto), kFlags));
  g_object_class_install_property(
      klass, kPropTolerance,
      g_param_spec_uint64("tolerance", "Tolerance",
                          "Nanoseconds that the pts of a frame and of its line may differ by: "
                          "containers round them. The nearest line is taken",
                          0, GST_SECOND * 3600, kDefaultTolerance, kFlags));
  g_object_class_install_property(
      klass, kPropUniqueId,
      g_param_spec_uint("unique-id", "Unique id",
                        "The stage that the objects are said to have been found by, for sightinfer "
                        "behind this (operate-on-gie-id)",
                        0, G_MAXUINT, 0, kFlags));
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed("stats", "Statistics",
                         "frames since the start, how many of them matched a line, and the objects "
                         "that were put onto them",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  gst_type_mark_as_plugin_api(match_type(), static_cast<GstPluginAPIFlags>(0));
}

}  // namespace
}  // namespace sightline

static void gst_sight_replay_init(GstSightReplay* element) {
  element->self = new sightline::SightReplay();
  // Pixels pass through; submit_input_buffer() makes the metadata writable.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(element), TRUE);
}

static void gst_sight_replay_class_init(GstSightReplayClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_sight_replay_debug, "sightreplay", 0, "Sightline: replayed results");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sightline::set_property;
  object_class->get_property = sightline::get_property;
  object_class->finalize = sightline::finalize;
  sightline::install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline replay", "Filter/Analyzer/Video",
      "Puts the results in a file of events back onto the frames that they are of: objects with "
      "their ids, tracks, identities, landmarks, masks, classifications and tensors. Coordinates "
      "are scaled if the frames have another size now. Looks at no pixels; any memory passes",
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
