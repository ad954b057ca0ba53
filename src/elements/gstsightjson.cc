// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsightjson.h"

#include <exception>
#include <mutex>
#include <optional>
#include <string>

#include <sightline/frame.h>

#include <gst/video/video.h>

#include "core/error.h"
#include "elements/element_error.h"
#include "elements/gst_ptr.h"
#include "elements/late_result_event.h"
#include "elements/line_file.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_json_debug);
#define GST_CAT_DEFAULT gst_sight_json_debug

namespace sightline {
namespace {

constexpr const char* kMessageName = "sightjson";

enum Property { kPropLocation = 1, kPropAppend, kPropSkipEmpty, kPropPostMessages };

}  // namespace

struct SightJson {
  // Properties that change in READY only.
  std::string location;
  bool append = false;
  bool skip_empty = false;
  bool post_messages = false;
  std::mutex mutex;  // guards the properties

  // Of the streaming thread.
  LineFile file;
  std::string stream;       // from STREAM_START
  guint64 next_number = 0;  // of a frame that nobody has numbered
  guint width = 0;          // from the caps; 0 if they are not of video
  guint height = 0;
};

}  // namespace sightline

struct _GstSightJson {
  GstBaseTransform parent;
  sightline::SightJson* self;
};

G_DEFINE_TYPE(GstSightJson, gst_sight_json, GST_TYPE_BASE_TRANSFORM)

namespace sightline {
namespace {

SightJson& self_of(gpointer element) { return *GST_SIGHT_JSON(element)->self; }

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

gboolean start(GstBaseTransform* base) {
  SightJson& self = self_of(base);
  self.stream.clear();
  self.next_number = 0;
  self.width = self.height = 0;
  return report(base, [&] {
    if (!self.location.empty())
      self.file.open(self.location,
                     self.append ? LineFile::Mode::kAppend : LineFile::Mode::kTruncate);
    else if (!self.post_messages)
      throw Error(ErrorCode::kConfig,
                  "neither location nor post-messages is set, so the lines would go nowhere. Set "
                  "location=events.jsonl, location=- or post-messages=true");
  });
}

gboolean stop(GstBaseTransform* base) {
  return report(base, [&] { self_of(base).file.close(); });
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* /*out*/) {
  SightJson& self = self_of(base);
  gint width = 0, height = 0;
  const GstStructure* video = gst_caps_get_structure(in, 0);
  if (!gst_structure_get_int(video, "width", &width) || width < 0) width = 0;
  if (!gst_structure_get_int(video, "height", &height) || height < 0) height = 0;
  self.width = static_cast<guint>(width);
  self.height = static_cast<guint>(height);
  return TRUE;
}

// Fills in what no element before us has said.
void complete(const SightJson& self, SightFrame* frame) {
  if (sight_frame_get_width(frame) == 0 || sight_frame_get_height(frame) == 0)
    sight_frame_set_size(frame, self.width, self.height, nullptr);
  if (sight_frame_get_stream(frame) == nullptr)
    sight_frame_set_stream(frame, self.stream.c_str(), self.next_number, nullptr);
}

bool is_complete(const SightFrame* frame) {
  return frame != nullptr && sight_frame_get_width(frame) != 0 &&
         sight_frame_get_height(frame) != 0 && sight_frame_get_stream(frame) != nullptr;
}

std::string to_line(SightJson& self, GstBuffer* buffer) {
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  GstPtr<GstBuffer> completed;
  if (!is_complete(frame)) {
    // A copy of the metadata: the buffer itself passes unchanged.
    completed.reset(gst_buffer_copy(buffer));
    SightFrame* own = sight_buffer_edit_frame(completed.get(), nullptr);
    if (own == nullptr) throw Error(ErrorCode::kFailed, "no memory for a frame's metadata");
    complete(self, own);
    frame = own;
  }
  self.next_number = sight_frame_get_number(frame) + 1;
  gchar* line = sight_frame_to_json(frame, GST_BUFFER_PTS(buffer));
  std::string result(line);
  g_free(line);
  return result;
}

void publish(GstElement* element, const std::string& line) {
  SightJson& self = self_of(element);
  if (!self.location.empty()) {
    // After EOS and a seek the file goes on where it ended.
    if (!self.file.is_open()) self.file.open(self.location, LineFile::Mode::kAppend);
    self.file.write(line);
  }
  if (self.post_messages)
    gst_element_post_message(
        element, gst_message_new_element(GST_OBJECT(element),
                                         gst_structure_new(kMessageName, "line", G_TYPE_STRING,
                                                           line.c_str(), nullptr)));
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  SightJson& self = self_of(base);
  const bool done = report(base, [&] {
    const SightFrame* frame = sight_buffer_get_frame(buffer);
    const bool empty = frame == nullptr || sight_frame_get_n_objects(frame) == 0;
    const std::string line = to_line(self, buffer);
    if (!empty || !self.skip_empty) publish(GST_ELEMENT(base), line);
  });
  return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  SightJson& self = self_of(base);
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    const gchar* id = nullptr;
    gst_event_parse_stream_start(event, &id);
    if (self.stream != id) self.next_number = 0;
    self.stream = id;
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    report(base, [&] { self.file.close(); });
  } else if (const auto line = sightline::late_result_line(event)) {
    report(base, [&] { publish(GST_ELEMENT(base), *line); });
  }
  return GST_BASE_TRANSFORM_CLASS(gst_sight_json_parent_class)->sink_event(base, event);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightJson& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropLocation: {
      const char* location = g_value_get_string(value);
      self.location = location != nullptr ? location : "";
      break;
    }
    case kPropAppend:
      self.append = g_value_get_boolean(value);
      break;
    case kPropSkipEmpty:
      self.skip_empty = g_value_get_boolean(value);
      break;
    case kPropPostMessages:
      self.post_messages = g_value_get_boolean(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightJson& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropLocation:
      g_value_set_string(value, self.location.empty() ? nullptr : self.location.c_str());
      break;
    case kPropAppend:
      g_value_set_boolean(value, self.append);
      break;
    case kPropSkipEmpty:
      g_value_set_boolean(value, self.skip_empty);
      break;
    case kPropPostMessages:
      g_value_set_boolean(value, self.post_messages);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_JSON(object)->self;
  G_OBJECT_CLASS(gst_sight_json_parent_class)->finalize(object);
}

void install_properties(GObjectClass* klass) {
  constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      klass, kPropLocation,
      g_param_spec_string("location", "Location",
                          "File that the lines go to; \"-\" is the standard output (then run "
                          "gst-launch-1.0 with -q). Each line is written out at once; the file is "
                          "closed at EOS. A file that cannot be opened, or a full disk, is an "
                          "error, and the lines before it stay whole",
                          nullptr, kFlags));
  g_object_class_install_property(
      klass, kPropAppend,
      g_param_spec_boolean("append", "Append",
                           "Keep what the file holds and add to it; if false it is emptied first",
                           FALSE, kFlags));
  g_object_class_install_property(
      klass, kPropSkipEmpty,
      g_param_spec_boolean("skip-empty", "Skip empty",
                           "Write no line for a frame that has no objects", FALSE, kFlags));
  g_object_class_install_property(
      klass, kPropPostMessages,
      g_param_spec_boolean("post-messages", "Post messages",
                           "Post each line on the bus too, as an element message named "
                           "\"sightjson\" with the string field \"line\"",
                           FALSE, kFlags));
}

}  // namespace
}  // namespace sightline

static void gst_sight_json_init(GstSightJson* element) {
  element->self = new sightline::SightJson();
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(element), TRUE);
}

static void gst_sight_json_class_init(GstSightJsonClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_sight_json_debug, "sightjson", 0, "Sightline: events as JSON");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sightline::set_property;
  object_class->get_property = sightline::get_property;
  object_class->finalize = sightline::finalize;
  sightline::install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline JSON writer", "Filter/Analyzer/Video",
      "Writes what each frame carries as one line of JSON: stream, frame, pts in nanoseconds, "
      "width, height and the objects with box in pixels, label, landmarks, track and identity. "
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
  base_class->transform_ip = sightline::transform_ip;
}
