// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsightanalytics.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sightline/frame.h>

#include "analytics/analyzer.h"
#include "core/config_file.h"
#include "core/error.h"
#include "elements/analytics_event.h"
#include "elements/analytics_shapes.h"
#include "elements/element_error.h"
#include "meta/error.h"
#include "stage/analytics.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_analytics_debug);
#define GST_CAT_DEFAULT gst_sight_analytics_debug

namespace sightline {
namespace {

enum Property { kPropConfigFile = 1, kPropDraw, kPropPostMessages };

constexpr std::chrono::nanoseconds kAssumedFrameDuration =
    std::chrono::nanoseconds(1'000'000'000) / 30;

}  // namespace

struct SightAnalytics {
  std::mutex mutex;  // guards the properties, and what follows them
  std::string config_file;
  bool draw = true;
  bool post_messages = true;
  bool started = false;
  std::optional<Rules> next_rules;  // that hold from the next frame on

  // Of the streaming thread, from start() to stop().
  std::unique_ptr<Analyzer> analyzer;
  std::string stream;                                      // from STREAM_START
  Size size;                                               // from the caps; 0 × 0 if not of video
  std::optional<std::chrono::nanoseconds> frame_duration;  // likewise
  bool warned_of_time = false;
};

}  // namespace sightline

struct _GstSightAnalytics {
  GstBaseTransform parent;
  sightline::SightAnalytics* self;
};

G_DEFINE_TYPE(GstSightAnalytics, gst_sight_analytics, GST_TYPE_BASE_TRANSFORM)

namespace sightline {
namespace {

SightAnalytics& self_of(gpointer element) { return *GST_SIGHT_ANALYTICS(element)->self; }

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

Rules read_rules(const std::string& config_file) {
  if (config_file.empty())
    throw Error(ErrorCode::kConfig,
                "the property config-file is not set. Set it to a file that says what to count, "
                "such as config-file=examples/analytics/analytics.ini");
  return Rules::read(ConfigFile::read(config_file));
}

gboolean start(GstBaseTransform* base) {
  SightAnalytics& self = self_of(base);
  self.stream.clear();
  self.size = {};
  self.frame_duration.reset();
  self.warned_of_time = false;
  return report(base, [&] {
    const std::lock_guard lock(self.mutex);
    self.analyzer = std::make_unique<Analyzer>(read_rules(self.config_file));
    self.next_rules.reset();
    self.started = true;
  });
}

gboolean stop(GstBaseTransform* base) {
  SightAnalytics& self = self_of(base);
  self.analyzer.reset();
  const std::lock_guard lock(self.mutex);
  self.started = false;
  return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* /*out*/) {
  SightAnalytics& self = self_of(base);
  const GstStructure* video = gst_caps_get_structure(in, 0);
  self.size = {};
  if (!gst_structure_get_int(video, "width", &self.size.width) ||
      !gst_structure_get_int(video, "height", &self.size.height))
    self.size = {};
  gint frames = 0, seconds = 0;
  self.frame_duration.reset();
  if (gst_structure_get_fraction(video, "framerate", &frames, &seconds) && frames > 0)
    self.frame_duration = std::chrono::nanoseconds(std::chrono::seconds(seconds)) / frames;
  return TRUE;
}

// None if the frame has no time stamp, or one outside its segment.
GstClockTime running_time_of(GstBaseTransform* base, GstBuffer* buffer) {
  if (base->segment.format != GST_FORMAT_TIME) return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
}

std::optional<std::chrono::nanoseconds> to_nanoseconds(GstClockTime time) {
  if (time > static_cast<GstClockTime>(std::chrono::nanoseconds::max().count())) return {};
  return std::chrono::nanoseconds(static_cast<std::int64_t>(time));
}

std::chrono::nanoseconds frame_duration_of(GstElement* element, GstClockTime time) {
  SightAnalytics& self = self_of(element);
  if (!self.frame_duration && !GST_CLOCK_TIME_IS_VALID(time) && !self.warned_of_time) {
    self.warned_of_time = true;
    post_warning(element,
                 "the frames have neither time stamps nor a frame rate in their caps. Times are "
                 "counted as if there were 30 frames a second; put the caps filter "
                 "video/x-raw,framerate=25/1, for example, before sightanalytics");
  }
  return self.frame_duration.value_or(kAssumedFrameDuration);
}

Size size_of(const SightAnalytics& self, const SightFrame* frame) {
  const Size size{static_cast<int>(sight_frame_get_width(frame)),
                  static_cast<int>(sight_frame_get_height(frame))};
  const Size result = size.width > 0 && size.height > 0 ? size : self.size;
  if (result.width > 0 && result.height > 0) return result;
  throw Error(ErrorCode::kInput,
              "a frame's size is not known: the caps have no width and height, and no element "
              "before sightanalytics has said it (sight_frame_set_size)");
}

// Makes sure that the frame says its size, stream and number, as the first element of ours does.
void complete(SightFrame* frame, Size size, const std::string& stream, const Findings& findings) {
  sight_frame_set_size(frame, static_cast<guint>(size.width), static_cast<guint>(size.height),
                       nullptr);
  if (sight_frame_get_stream(frame) == nullptr)
    sight_frame_set_stream(frame, stream.c_str(), findings.number, nullptr);
}

SightFrame* edit_frame(GstBuffer* buffer) {
  GError* error = nullptr;
  SightFrame* frame = sight_buffer_edit_frame(buffer, &error);
  if (frame == nullptr) throw take_error(error);
  return frame;
}

void post_events(GstElement* element, const StreamRules& rules, const Findings& findings,
                 const SightFrame* frame, GstClockTime time) {
  for (const SceneEvent& event : findings.events)
    gst_element_post_message(
        element,
        gst_message_new_element(GST_OBJECT(element), to_structure(event, rules, frame, time)));
}

struct Switches {
  bool draw;
  bool post_messages;
};

Switches switches_of(SightAnalytics& self) {
  const std::lock_guard lock(self.mutex);
  return {self.draw, self.post_messages};
}

void take_up_new_rules(SightAnalytics& self) {
  std::optional<Rules> rules;
  {
    const std::lock_guard lock(self.mutex);
    rules.swap(self.next_rules);
  }
  if (rules) self.analyzer->replace(std::move(*rules));
}

void analyze(GstBaseTransform* base, GstBuffer* buffer) {
  GstElement* element = GST_ELEMENT(base);
  SightAnalytics& self = self_of(base);
  take_up_new_rules(self);
  const GstClockTime time = running_time_of(base, buffer);
  SightFrame* frame = edit_frame(buffer);
  const Size size = size_of(self, frame);
  const char* named = sight_frame_get_stream(frame);
  const std::string stream = named != nullptr ? named : self.stream;
  Scene& scene = self.analyzer->scene_of(stream, to_nanoseconds(time));
  const std::vector<Sighting> objects = sightings_of(frame);
  const Findings findings = scene.observe(
      {.frame = size,
       .time = to_nanoseconds(time),
       .number = named != nullptr ? std::optional(sight_frame_get_number(frame)) : std::nullopt,
       .frame_duration = frame_duration_of(element, time),
       .objects = objects});
  complete(frame, size, stream, findings);
  attach(frame, scene.rules(), findings);
  const Switches switches = switches_of(self);
  if (switches.draw) add_shapes(frame, size, scene.rules(), findings);
  if (switches.post_messages) post_events(element, scene.rules(), findings, frame, time);
}

// The metadata of each frame changes; the pixels are shared.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean is_discont, GstBuffer* input) {
  return GST_BASE_TRANSFORM_CLASS(gst_sight_analytics_parent_class)
      ->submit_input_buffer(base, is_discont, gst_buffer_make_writable(input));
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  return report(base, [&] { analyze(base, buffer); }) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    const gchar* id = nullptr;
    gst_event_parse_stream_start(event, &id);
    self_of(base).stream = id;
  }
  return GST_BASE_TRANSFORM_CLASS(gst_sight_analytics_parent_class)->sink_event(base, event);
}

// Reads the file at once where frames may be coming already, so that one that is wrong changes
// nothing.
void set_config_file(GstElement* element, const std::string& path) {
  SightAnalytics& self = self_of(element);
  std::unique_lock lock(self.mutex);
  if (!self.started) {
    self.config_file = path;
    return;
  }
  lock.unlock();
  std::string problem;
  try {
    Rules rules = read_rules(path);
    lock.lock();
    self.config_file = path;
    self.next_rules = std::move(rules);
    return;
  } catch (const std::exception& error) {
    problem = error.what();
  }
  lock.lock();
  const std::string kept = self.config_file;
  lock.unlock();
  post_warning(element, problem + ". What " + kept + " said before goes on to hold.");
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightAnalytics& self = self_of(object);
  if (id == kPropConfigFile) {
    const char* path = g_value_get_string(value);
    set_config_file(GST_ELEMENT(object), path != nullptr ? path : "");
    return;
  }
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropDraw:
      self.draw = g_value_get_boolean(value);
      break;
    case kPropPostMessages:
      self.post_messages = g_value_get_boolean(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightAnalytics& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropConfigFile:
      g_value_set_string(value, self.config_file.empty() ? nullptr : self.config_file.c_str());
      break;
    case kPropDraw:
      g_value_set_boolean(value, self.draw);
      break;
    case kPropPostMessages:
      g_value_set_boolean(value, self.post_messages);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_ANALYTICS(object)->self;
  G_OBJECT_CLASS(gst_sight_analytics_parent_class)->finalize(object);
}

void install_properties(GObjectClass* klass) {
  constexpr auto kReadWrite = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  constexpr auto kAnyTime = static_cast<GParamFlags>(kReadWrite | GST_PARAM_MUTABLE_PLAYING);
  g_object_class_install_property(
      klass, kPropConfigFile,
      g_param_spec_string("config-file", "Config file",
                          "What to count: an INI file with lines, zones and directions, for all "
                          "streams or for one, as docs/analytics.md describes it. The keys are "
                          "those of DeepStream's nvdsanalytics. Needed. A key that is unknown or "
                          "wrong is an error that names file and line. Set again while frames "
                          "come, to the same path or another, it holds from the next frame on, "
                          "and lines and zones keep their counts by name; if it is wrong, a "
                          "warning says why and what was read before goes on to hold",
                          nullptr, kAnyTime));
  g_object_class_install_property(
      klass, kPropDraw,
      g_param_spec_boolean("draw", "Draw",
                           "Have sightoverlay draw the lines with their counts and an arrow that "
                           "points inwards, the zones with the number of objects in them, red "
                           "while overcrowded, and an arrow for each direction (user data "
                           "\"overlay\" of the frame)",
                           TRUE, kAnyTime));
  g_object_class_install_property(
      klass, kPropPostMessages,
      g_param_spec_boolean("post-messages", "Post messages",
                           "Post an element message named \"sightanalytics\" for each event: "
                           "event=crossed (line, direction=in or out, track), entered (zone, "
                           "track), left (zone, track, dwell in seconds, lost), overcrowded (zone, "
                           "count), overcrowded-end (zone, count, duration in seconds); each with "
                           "stream, frame and running-time",
                           TRUE, kAnyTime));
}

}  // namespace
}  // namespace sightline

static void gst_sight_analytics_init(GstSightAnalytics* element) {
  element->self = new sightline::SightAnalytics();
  // Pixels pass through; submit_input_buffer() makes the metadata writable.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(element), TRUE);
}

static void gst_sight_analytics_class_init(GstSightAnalyticsClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_sight_analytics_debug, "sightanalytics", 0,
                          "Sightline: lines, zones and directions");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sightline::set_property;
  object_class->get_property = sightline::get_property;
  object_class->finalize = sightline::finalize;
  sightline::install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline analytics", "Filter/Analyzer/Video",
      "Says what tracked objects do: lines crossed each way, zones entered and left with dwell "
      "times and overcrowding, direction of motion. Counts ride on each frame and object (user "
      "data \"sightline-analytics\") and are written by sightjson; events are posted on the bus. "
      "Looks at no pixels; any memory passes",
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
