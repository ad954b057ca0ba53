// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsightjson.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sightline/frame.h>

#include <gst/video/video.h>

#include "core/error.h"
#include "elements/element_error.h"
#include "elements/gst_ptr.h"
#include "elements/http_transport.h"
#include "elements/late_result_event.h"
#include "elements/line_file.h"
#include "elements/line_sender.h"
#include "elements/on_error.h"
#include "elements/seldom.h"
#include "elements/socket_transport.h"
#include "meta/json.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_json_debug);
#define GST_CAT_DEFAULT gst_sight_json_debug

namespace sightline {
namespace {

constexpr const char* kMessageName = "sightjson";

constexpr guint kMostMilliseconds = 3'600'000;

enum Property {
  kPropLocation = 1,
  kPropAppend,
  kPropSkipEmpty,
  kPropPostMessages,
  kPropFormat,
  kPropTensors,
  kPropOnError,
  kPropSocket,
  kPropUrl,
  kPropExtraHeaders,
  kPropCaFile,
  kPropTimeout,
  kPropQueueSize,
  kPropOverflow,
  kPropBatchSize,
  kPropFlushTimeout,
  kPropStats,
};

enum class Format { kSightline, kGvametaconvert };

GType format_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(Format::kSightline), "docs/events.md describes it", "sightline"},
        {static_cast<int>(Format::kGvametaconvert), "As DL Streamer's gvametaconvert writes it",
         "gvametaconvert"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightJsonFormat", values);
  }();
  return type;
}

GType tensors_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(TensorsAs::kNothing), "Left out", "none"},
        {static_cast<int>(TensorsAs::kBase64), "Their bytes as base64", "base64"},
        {static_cast<int>(TensorsAs::kArray), "Lists of numbers", "array"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightJsonTensors", values);
  }();
  return type;
}

GType overflow_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(Overflow::kDropOldest), "The oldest line goes", "drop-oldest"},
        {static_cast<int>(Overflow::kDropNewest), "The new line goes", "drop-newest"},
        {static_cast<int>(Overflow::kBlock), "The video waits for room", "block"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightJsonOverflow", values);
  }();
  return type;
}

struct FreeStructure {
  void operator()(GstStructure* it) const { gst_structure_free(it); }
};

// What changes in READY only.
struct JsonSettings {
  std::string location;
  bool append = false;
  bool skip_empty = false;
  bool post_messages = false;
  Format format = Format::kSightline;
  TensorsAs tensors = TensorsAs::kNothing;
  GstSightOnError on_error = GST_SIGHT_ON_ERROR_STOP;
  std::string socket;
  HttpOptions http;
  LineSenderOptions queue;
  std::chrono::milliseconds flush_timeout{5000};
};

}  // namespace

struct SightJson {
  std::mutex mutex;  // guards what follows
  JsonSettings settings;
  std::unique_ptr<GstStructure, FreeStructure> extra_headers;
  std::shared_ptr<LineSender> sender;  // while started, if there is somebody to send to
  LineCounts sent;                     // by the last one, after stop()
  guint64 lines = 0, written = 0, not_written = 0;

  // Of the streaming thread.
  LineFile file;
  Seldom file_warnings;
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

// --- where the lines go

void check(const JsonSettings& settings) {
  if (settings.location.empty() && !settings.post_messages && settings.socket.empty() &&
      settings.http.url.empty())
    throw Error(ErrorCode::kConfig,
                "none of location, socket, url and post-messages is set, so the lines would go "
                "nowhere. Set location=events.jsonl, location=-, socket=/run/events.socket, "
                "url=http://example.org/events or post-messages=true");
  if (!settings.socket.empty() && !settings.http.url.empty())
    throw Error(ErrorCode::kConfig,
                "socket and url are both set. Take a second sightjson for one of them");
  if (settings.format == Format::kGvametaconvert && settings.tensors == TensorsAs::kBase64)
    throw Error(ErrorCode::kConfig,
                "tensors=base64 is nothing that format=gvametaconvert knows. Set tensors=array, or "
                "format=sightline");
}

// One "Name: value" a field.
std::vector<std::string> headers_from(const GstStructure* fields) {
  std::vector<std::string> headers;
  for (gint i = 0; fields != nullptr && i < gst_structure_n_fields(fields); ++i) {
    const gchar* name = gst_structure_nth_field_name(fields, static_cast<guint>(i));
    const gchar* text = gst_structure_get_string(fields, name);
    if (text == nullptr)
      throw Error(ErrorCode::kConfig, std::string("extra-headers: \"") + name +
                                          "\" is not a string. Write it as " + name +
                                          "=(string)\"…\"");
    headers.push_back(std::string(name) + ": " + text);
  }
  return headers;
}

std::unique_ptr<LineTransport> make_transport(const JsonSettings& settings,
                                              const GstStructure* extra_headers) {
  if (!settings.socket.empty()) return std::make_unique<SocketTransport>(settings.socket);
  HttpOptions http = settings.http;
  http.headers = headers_from(extra_headers);
  http.several = settings.queue.most_at_once > 1;
  return std::make_unique<HttpTransport>(http);
}

// The sender's thread ends in stop(), before the element does.
std::shared_ptr<LineSender> make_sender(GstElement* element, const JsonSettings& settings,
                                        const GstStructure* extra_headers) {
  if (settings.socket.empty() && settings.http.url.empty()) return nullptr;
  return std::make_shared<LineSender>(
      make_transport(settings, extra_headers), settings.queue,
      [element](const std::string& complaint) { post_warning(element, complaint); });
}

std::shared_ptr<LineSender> sender_of(SightJson& self) {
  const std::lock_guard lock(self.mutex);
  return self.sender;
}

void set_sender(SightJson& self, std::shared_ptr<LineSender> sender) {
  const std::lock_guard lock(self.mutex);
  self.sender = std::move(sender);
}

gboolean start(GstBaseTransform* base) {
  SightJson& self = self_of(base);
  self.stream.clear();
  self.next_number = 0;
  self.width = self.height = 0;
  return report_errors(GST_ELEMENT(base), [&] {
    const JsonSettings& settings = self.settings;
    check(settings);
    {
      const std::lock_guard lock(self.mutex);
      self.lines = self.written = self.not_written = 0;
      self.sent = {};
    }
    auto sender = make_sender(GST_ELEMENT(base), settings, self.extra_headers.get());
    if (!settings.location.empty())
      self.file.open(settings.location,
                     settings.append ? LineFile::Mode::kAppend : LineFile::Mode::kTruncate);
    set_sender(self, std::move(sender));
  });
}

gboolean stop(GstBaseTransform* base) {
  SightJson& self = self_of(base);
  if (const auto sender = sender_of(self)) {
    sender->end();
    const std::lock_guard lock(self.mutex);
    self.sent = sender->counts();
    self.sender.reset();
  }
  return report_errors(GST_ELEMENT(base), [&] { self.file.close(); });
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
  const JsonSettings& settings = self.settings;
  return settings.format == Format::kSightline
             ? event_line(*frame, GST_BUFFER_PTS(buffer), settings.tensors)
             : gvametaconvert_line(*frame, GST_BUFFER_PTS(buffer),
                                   settings.tensors != TensorsAs::kNothing);
}

// Throws Error(kFailed), unless it is only to be said.
void write_to_file(GstElement* element, const std::string& line) {
  SightJson& self = self_of(element);
  bool written = true;
  try {
    // After EOS and a seek the file goes on where it ended.
    if (!self.file.is_open()) self.file.open(self.settings.location, LineFile::Mode::kAppend);
    self.file.write(line);
  } catch (const Error& error) {
    if (self.settings.on_error == GST_SIGHT_ON_ERROR_STOP) throw;
    written = false;
    if (self.file_warnings.due())
      post_warning(element, std::string(error.what()) + ". The line is lost");
  }
  const std::lock_guard lock(self.mutex);
  ++(written ? self.written : self.not_written);
}

void post_line(GstElement* element, const std::string& line) {
  gst_element_post_message(
      element, gst_message_new_element(
                   GST_OBJECT(element),
                   gst_structure_new(kMessageName, "line", G_TYPE_STRING, line.c_str(), nullptr)));
}

void publish(GstElement* element, const std::string& line) {
  SightJson& self = self_of(element);
  {
    const std::lock_guard lock(self.mutex);
    ++self.lines;
  }
  if (!self.settings.location.empty()) write_to_file(element, line);
  if (self.settings.post_messages) post_line(element, line);
  if (const auto sender = sender_of(self)) sender->push(line);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  SightJson& self = self_of(base);
  const bool done = report_errors(GST_ELEMENT(base), [&] {
    const SightFrame* frame = sight_buffer_get_frame(buffer);
    const bool empty = sight_frame_get_n_objects(frame) == 0;
    const std::string line = to_line(self, buffer);
    if (!empty || !self.settings.skip_empty) publish(GST_ELEMENT(base), line);
  });
  return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

// At EOS the lines go out first, as far as they do so soon.
void finish(GstElement* element) {
  SightJson& self = self_of(element);
  report_errors(element, [&] { self.file.close(); });
  const auto sender = sender_of(self);
  if (sender == nullptr) return;
  if (const std::uint64_t left = sender->flush(self.settings.flush_timeout); left > 0)
    post_warning(element, std::to_string(left) +
                              " lines are not delivered yet at the end of the stream, and are lost "
                              "when the element stops. A longer flush-timeout may save them");
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  SightJson& self = self_of(base);
  const GstEventType type = GST_EVENT_TYPE(event);
  if (type == GST_EVENT_STREAM_START) {
    const gchar* id = nullptr;
    gst_event_parse_stream_start(event, &id);
    if (self.stream != id) self.next_number = 0;
    self.stream = id;
  } else if (type == GST_EVENT_FLUSH_START || type == GST_EVENT_FLUSH_STOP) {
    if (const auto sender = sender_of(self)) sender->set_flushing(type == GST_EVENT_FLUSH_START);
  } else if (type == GST_EVENT_EOS) {
    finish(GST_ELEMENT(base));
  } else if (const auto line = sightline::late_result_line(event);
             line && self.settings.format == Format::kSightline) {
    report_errors(GST_ELEMENT(base), [&] { publish(GST_ELEMENT(base), *line); });
  }
  return GST_BASE_TRANSFORM_CLASS(gst_sight_json_parent_class)->sink_event(base, event);
}

// Nobody waits for the receiver when the streaming thread is to end.
GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    if (const auto sender = sender_of(self_of(element))) sender->interrupt();
  return GST_ELEMENT_CLASS(gst_sight_json_parent_class)->change_state(element, transition);
}

GstStructure* stats_of(const SightJson& self) {
  const LineCounts sent = self.sender != nullptr ? self.sender->counts() : self.sent;
  return gst_structure_new("sightjson-stats", "lines", G_TYPE_UINT64, self.lines, "written",
                           G_TYPE_UINT64, self.written, "not-written", G_TYPE_UINT64,
                           self.not_written, "delivered", G_TYPE_UINT64, guint64{sent.delivered},
                           "dropped", G_TYPE_UINT64, guint64{sent.dropped}, "failed", G_TYPE_UINT64,
                           guint64{sent.failed}, "waiting", G_TYPE_UINT64, guint64{sent.waiting},
                           "failures", G_TYPE_UINT64, guint64{sent.failures}, nullptr);
}

// --- properties

void set_text(std::string& text, const GValue* value) {
  const char* given = g_value_get_string(value);
  text = given != nullptr ? given : "";
}

void get_text(GValue* value, const std::string& text) {
  g_value_set_string(value, text.empty() ? nullptr : text.c_str());
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightJson& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  JsonSettings& settings = self.settings;
  switch (id) {
    case kPropLocation:
      set_text(settings.location, value);
      break;
    case kPropAppend:
      settings.append = g_value_get_boolean(value);
      break;
    case kPropSkipEmpty:
      settings.skip_empty = g_value_get_boolean(value);
      break;
    case kPropPostMessages:
      settings.post_messages = g_value_get_boolean(value);
      break;
    case kPropFormat:
      settings.format = static_cast<Format>(g_value_get_enum(value));
      break;
    case kPropTensors:
      settings.tensors = static_cast<TensorsAs>(g_value_get_enum(value));
      break;
    case kPropOnError:
      settings.on_error = static_cast<GstSightOnError>(g_value_get_enum(value));
      break;
    case kPropSocket:
      set_text(settings.socket, value);
      break;
    case kPropUrl:
      set_text(settings.http.url, value);
      break;
    case kPropExtraHeaders:
      self.extra_headers.reset(static_cast<GstStructure*>(g_value_dup_boxed(value)));
      break;
    case kPropCaFile:
      set_text(settings.http.ca_file, value);
      break;
    case kPropTimeout:
      settings.http.timeout = std::chrono::milliseconds(g_value_get_uint(value));
      break;
    case kPropQueueSize:
      settings.queue.most_lines = g_value_get_uint(value);
      break;
    case kPropOverflow:
      settings.queue.overflow = static_cast<Overflow>(g_value_get_enum(value));
      break;
    case kPropBatchSize:
      settings.queue.most_at_once = g_value_get_uint(value);
      break;
    case kPropFlushTimeout:
      settings.flush_timeout = std::chrono::milliseconds(g_value_get_uint(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightJson& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  const JsonSettings& settings = self.settings;
  switch (id) {
    case kPropLocation:
      get_text(value, settings.location);
      break;
    case kPropAppend:
      g_value_set_boolean(value, settings.append);
      break;
    case kPropSkipEmpty:
      g_value_set_boolean(value, settings.skip_empty);
      break;
    case kPropPostMessages:
      g_value_set_boolean(value, settings.post_messages);
      break;
    case kPropFormat:
      g_value_set_enum(value, static_cast<int>(settings.format));
      break;
    case kPropTensors:
      g_value_set_enum(value, static_cast<int>(settings.tensors));
      break;
    case kPropOnError:
      g_value_set_enum(value, settings.on_error);
      break;
    case kPropSocket:
      get_text(value, settings.socket);
      break;
    case kPropUrl:
      get_text(value, settings.http.url);
      break;
    case kPropExtraHeaders:
      g_value_set_boxed(value, self.extra_headers.get());
      break;
    case kPropCaFile:
      get_text(value, settings.http.ca_file);
      break;
    case kPropTimeout:
      g_value_set_uint(value, static_cast<guint>(settings.http.timeout.count()));
      break;
    case kPropQueueSize:
      g_value_set_uint(value, static_cast<guint>(settings.queue.most_lines));
      break;
    case kPropOverflow:
      g_value_set_enum(value, static_cast<int>(settings.queue.overflow));
      break;
    case kPropBatchSize:
      g_value_set_uint(value, static_cast<guint>(settings.queue.most_at_once));
      break;
    case kPropFlushTimeout:
      g_value_set_uint(value, static_cast<guint>(settings.flush_timeout.count()));
      break;
    case kPropStats:
      g_value_take_boxed(value, stats_of(self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_JSON(object)->self;
  G_OBJECT_CLASS(gst_sight_json_parent_class)->finalize(object);
}

constexpr auto kFlags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

void install_content(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropFormat,
      g_param_spec_enum(
          "format", "Format",
          "sightline: what docs/events.md describes. gvametaconvert: as DL Streamer's "
          "element of that name writes it, for what reads that; results that came "
          "late are left out, and skip-empty=true leaves out what it leaves out",
          format_type(), static_cast<int>(Format::kSightline), kFlags));
  g_object_class_install_property(
      klass, kPropTensors,
      g_param_spec_enum("tensors", "Tensors",
                        "How the tensors of frames and objects are written. base64: their bytes, "
                        "little endian. array: lists of numbers in row-major order, but float64 as "
                        "base64. Those on a GPU are copied to the host for it",
                        tensors_type(), static_cast<int>(TensorsAs::kNothing), kFlags));
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

void install_file(GObjectClass* klass) {
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
      klass, kPropOnError,
      g_param_spec_enum("on-error", "On error",
                        "What a line that cannot be written to location does. stop: an error ends "
                        "the stream. continue: the line is lost, a warning is posted at most once "
                        "in 10 seconds, and the next line is tried",
                        GST_TYPE_SIGHT_ON_ERROR, GST_SIGHT_ON_ERROR_STOP, kFlags));
}

void install_receiver(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropSocket,
      g_param_spec_string(
          "socket", "Socket",
          "Path of a unix stream socket whose listener gets the lines, each ended "
          "by a line feed. While nobody listens the lines wait in the queue and "
          "connecting is tried again, after half a second up to 10; a line that was "
          "cut by the end of a connection is sent anew in the next",
          nullptr, kFlags));
  g_object_class_install_property(
      klass, kPropUrl,
      g_param_spec_string("url", "URL",
                          "Address, http:// or https://, that each line is POSTed to as "
                          "application/json. Success is an answer of 200 to 299. No answer, 408, "
                          "429 and 500 to 599 are tried again, after half a second up to 10 (a "
                          "line may arrive twice then); another answer loses the line",
                          nullptr, kFlags));
  g_object_class_install_property(
      klass, kPropExtraHeaders,
      g_param_spec_boxed("extra-headers", "Extra headers",
                         "Headers of each request to url: a structure with a string a header, such "
                         "as headers,Authorization=(string)\"Bearer …\"",
                         GST_TYPE_STRUCTURE, kFlags));
  g_object_class_install_property(
      klass, kPropCaFile,
      g_param_spec_string("ca-file", "CA file",
                          "Certificates (PEM) that an https server's may be signed with. Default: "
                          "those that the system trusts",
                          nullptr, kFlags));
  g_object_class_install_property(
      klass, kPropTimeout,
      g_param_spec_uint("timeout", "Timeout",
                        "Milliseconds for a request to url, from connecting to the whole answer", 1,
                        kMostMilliseconds, 5000, kFlags));
  g_object_class_install_property(
      klass, kPropBatchSize,
      g_param_spec_uint("batch-size", "Batch size",
                        "The most lines a request to url. More than 1: what waits goes together, "
                        "as application/x-ndjson, each line ended by a line feed",
                        1, 10000, 1, kFlags));
}

void install_queue(GObjectClass* klass) {
  const LineSenderOptions defaults;
  g_object_class_install_property(
      klass, kPropQueueSize,
      g_param_spec_uint("queue-size", "Queue size",
                        "The most lines that wait for the receiver behind socket or url (and at "
                        "most 64 MiB of them). Video does not wait for it",
                        1, 1'000'000, static_cast<guint>(defaults.most_lines), kFlags));
  g_object_class_install_property(
      klass, kPropOverflow,
      g_param_spec_enum(
          "overflow", "Overflow",
          "What gives way when the queue is full. block: nothing, and the video waits "
          "for the receiver, for ever if need be",
          overflow_type(), static_cast<int>(defaults.overflow), kFlags));
  g_object_class_install_property(
      klass, kPropFlushTimeout,
      g_param_spec_uint("flush-timeout", "Flush timeout",
                        "Milliseconds for which EOS waits until the receiver has what is in the "
                        "queue. Without EOS it is lost",
                        0, kMostMilliseconds, 5000, kFlags));
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Since the start: lines made; written and not-written to location; for "
          "socket or url, lines delivered, dropped for lack of room, failed (refused, "
          "or left at the end) and waiting, and failures to deliver, which may have "
          "worked later",
          GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

void install_properties(GObjectClass* klass) {
  install_content(klass);
  install_file(klass);
  install_receiver(klass);
  install_queue(klass);
  for (const GType type : {format_type(), tensors_type(), overflow_type()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
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
      "width, height and the objects with box in pixels, label, landmarks, track and identity, to "
      "a file, the bus, a socket or a server. Looks at no pixels; any memory passes",
      "The Sightline authors");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));

  element_class->change_state = sightline::change_state;

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = sightline::start;
  base_class->stop = sightline::stop;
  base_class->set_caps = sightline::set_caps;
  base_class->sink_event = sightline::sink_event;
  base_class->transform_ip = sightline::transform_ip;
}
