// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/video_run.h"

#include <chrono>
#include <cstdio>

#include <gst/pbutils/missing-plugins.h>
#include <gst/video/video.h>

#include "app/cut_off.h"
#include "app/exit_status.h"
#include "app/face.h"
#include "app/frame_size.h"
#include "app/progress.h"
#include "app/report.h"
#include "core/error.h"

namespace sightline {

namespace {

constexpr GstClockTime kPoll = 100 * GST_MSECOND;
constexpr std::chrono::seconds kPatienceAtEnd(30);
constexpr unsigned kRtspLatency = 200;  // milliseconds of jitter to wait for

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// GStreamer's own default waits two seconds for late packets.
void shorten_latency(GstElement*, GstElement* source, gpointer) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(source), "drop-on-latency") == nullptr)
    return;
  g_object_set(source, "latency", kRtspLatency, "drop-on-latency", TRUE, nullptr);
}

GstPadProbeReturn refuse_size(GstPad*, GstPadProbeInfo* info, gpointer decoder) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  GstCaps* caps = nullptr;
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  gst_event_parse_caps(event, &caps);
  GstVideoInfo video;
  if (!gst_video_info_from_caps(&video, caps)) return GST_PAD_PROBE_OK;
  const std::string objection =
      size_objection(GST_VIDEO_INFO_WIDTH(&video), GST_VIDEO_INFO_HEIGHT(&video));
  if (objection.empty()) return GST_PAD_PROBE_OK;
  GST_ELEMENT_ERROR(decoder, STREAM, WRONG_TYPE, ("%s", objection.c_str()), (nullptr));
  return GST_PAD_PROBE_DROP;
}

bool is_inside(GstMessage* message, GstElement* element) {
  GstObject* source = GST_MESSAGE_SRC(message);
  return element != nullptr && source != nullptr &&
         (source == GST_OBJECT(element) || gst_object_has_as_ancestor(source, GST_OBJECT(element)));
}

bool is_from(GstMessage* message, const char* factory) {
  GstObject* source = GST_MESSAGE_SRC(message);
  return GST_IS_ELEMENT(source) && gst_element_get_factory(GST_ELEMENT(source)) != nullptr &&
         g_str_equal(GST_OBJECT_NAME(gst_element_get_factory(GST_ELEMENT(source))), factory);
}

std::string cut_off_by(const Input& input) {
  const std::uint64_t missing = input.kind == InputKind::kFile ? missing_bytes(input.text) : 0;
  return missing == 0
             ? ""
             : "it is cut off: at least its last " + std::to_string(missing) + " bytes are missing";
}

}  // namespace

VideoRun::VideoRun(const Input& input, const RunRequest& request)
    : input_(input), request_(request) {
  queue_ = pipeline_.add("queue");
  g_object_set(queue_, "max-size-buffers", 4, "max-size-bytes", 0, "max-size-time", guint64{0},
               nullptr);
  decoder_ = add_source();
  link_video_pad(decoder_, queue_);
  const PadPtr pad(gst_element_get_static_pad(queue_, "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, refuse_size, decoder_, nullptr);

  GstElement* converter = pipeline_.add("videoconvert");
  GstElement* upright = pipeline_.add("videoflip");
  gst_util_set_object_arg(G_OBJECT(upright), "video-direction", "auto");
  FaceStages stages = request_.stages;
  if (request_.gallery.empty()) stages.embed = kNone;
  auto [first, last] = stages.add_to(pipeline_);
  g_object_set(first, "stream", input_.name.c_str(), nullptr);
  pipeline_.link({queue_, converter, upright, first});
  if (!request_.gallery.empty()) {
    GstElement* match = pipeline_.add("sightmatch");
    g_object_set(match, "gallery", request_.gallery.c_str(), nullptr);
    pipeline_.link({last, match});
    last = match;
  }
  const PadPtr observed(gst_element_get_static_pad(last, "src"));
  gst_pad_add_probe(observed.get(), GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
  add_outputs(last);
}

// Before the members that its threads use.
VideoRun::~VideoRun() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

// Adds what opens the input and what decodes it, and gives the latter.
GstElement* VideoRun::add_source() {
  if (input_.kind == InputKind::kAddress) {
    source_ = pipeline_.add("uridecodebin");
    g_object_set(source_, "uri", input_.text.c_str(), nullptr);
    g_signal_connect(source_, "source-setup", G_CALLBACK(shorten_latency), nullptr);
    return source_;
  }
  if (input_.kind == InputKind::kFragment) {
    source_ = pipeline_.add_fragment(input_.text);
  } else {
    const bool camera = input_.kind == InputKind::kCamera;
    source_ = pipeline_.add(camera ? "v4l2src" : "filesrc");
    g_object_set(source_, camera ? "device" : "location", input_.text.c_str(), nullptr);
  }
  GstElement* decoder = pipeline_.add("decodebin");
  pipeline_.link({source_, decoder});
  return decoder;
}

void VideoRun::add_outputs(GstElement* last) {
  if (request_.out.empty() && !request_.show) {
    GstElement* sink = pipeline_.add("fakesink");
    g_object_set(sink, "sync", FALSE, nullptr);
    pipeline_.link({last, sink});
    return;
  }
  GstElement* overlay = pipeline_.add("sightoverlay");
  pipeline_.link({last, overlay});
  last = overlay;
  if (!request_.out.empty() && request_.show) {
    GstElement* tee = pipeline_.add("tee");
    pipeline_.link({last, tee});
    last = tee;
  }
  if (!request_.out.empty()) {
    recording_ = std::make_unique<Recording>(pipeline_, request_.out);
    pipeline_.link({last, recording_->first()});
  }
  if (request_.show) {
    GstElement* queue = pipeline_.add("queue");
    pipeline_.link({last, queue});
    add_display(queue);
  }
}

void VideoRun::add_display(GstElement* queue) {
  // Where there is no display, DirectFB's sink does not fail but crash.
  if (const FactoryPtr directfb{gst_element_factory_find("dfbvideosink")})
    gst_plugin_feature_set_rank(GST_PLUGIN_FEATURE(directfb.get()), GST_RANK_NONE);
  GstElement* converter = pipeline_.add("videoconvert");
  display_ = pipeline_.add("autovideosink");
  pipeline_.link({queue, converter, display_});
  // Without a display it takes a sink that shows nothing, which would look like success.
  const bool ready = gst_element_set_state(display_, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  const GstElement* chosen =
      GST_BIN_NUMCHILDREN(display_) > 0 ? GST_ELEMENT(GST_BIN_CHILDREN(display_)->data) : nullptr;
  const std::string kind =
      chosen == nullptr ? ""
                        : GST_OBJECT_NAME(gst_element_get_factory(const_cast<GstElement*>(chosen)));
  if (!ready || kind.empty() || kind == "fakesink" || kind == "fakevideosink")
    throw Error(ErrorCode::kDevice,
                "--show: there is no display to show video on. Run it in a graphical session, or "
                "write a file with --out.");
}

GstPadProbeReturn VideoRun::on_buffer(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto* run = static_cast<VideoRun*>(self);
  try {
    run->observe(GST_PAD_PROBE_INFO_BUFFER(info));
  } catch (const std::exception& error) {
    if (!run->ending_.exchange(true))
      GST_ELEMENT_ERROR(run->pipeline_.get(), RESOURCE, WRITE, ("%s", error.what()), (nullptr));
    return GST_PAD_PROBE_DROP;
  }
  return GST_PAD_PROBE_OK;
}

void VideoRun::observe(GstBuffer* buffer) {
  const std::lock_guard lock(mutex_);
  ++summary_.frames;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) position_ = GST_BUFFER_PTS(buffer);
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  const guint count = frame == nullptr ? 0 : sight_frame_get_n_objects(frame);
  for (guint i = 0; i < count; ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (sight_object_get_stage_id(object) == kDetectStage) ++summary_.faces;
    const SightIdentity* identity = sight_object_get_identity(object);
    if (identity == nullptr) continue;
    if (sight_identity_is_known(identity))
      ++summary_.named[sight_identity_get_name(identity)];
    else
      ++summary_.unknown;
  }
  if (frame != nullptr && request_.events != nullptr)
    request_.events->write(frame, GST_BUFFER_PTS(buffer));
}

long VideoRun::frames() const {
  const std::lock_guard lock(mutex_);
  return summary_.frames;
}

// From 0 to 1; negative where nobody knows how long the input is.
double VideoRun::progress() const {
  const PadPtr pad(gst_element_get_static_pad(queue_, "sink"));
  gint64 duration = 0;
  if (!gst_pad_peer_query_duration(pad.get(), GST_FORMAT_TIME, &duration) || duration <= 0)
    return -1;
  const std::lock_guard lock(mutex_);
  return static_cast<double>(position_) / static_cast<double>(duration);
}

// What has been decoded so far is still processed, then outputs end as they should.
void VideoRun::end_input() {
  if (ending_.exchange(true)) return;
  const PadPtr pad(gst_element_get_static_pad(queue_, "sink"));
  gst_pad_send_event(pad.get(), gst_event_new_eos());
}

void VideoRun::handle_error(GstMessage* message) {
  const std::string text = missing_decoder_.empty() ? describe(message) : missing_decoder_;
  if (is_inside(message, display_) && frames() > 0) {
    end_input();  // somebody closed the window
    return;
  }
  if (is_from(message, "filesink") && recording_ != nullptr)
    throw Error(ErrorCode::kFailed, recording_->target().string() + ": " + text);
  if (!is_inside(message, source_) && !is_inside(message, decoder_))
    throw Error(ErrorCode::kFailed, text);
  const std::string cut = cut_off_by(input_);
  const std::string complete = text + (cut.empty() ? "" : " Probably " + cut + ".");
  if (frames() == 0) throw Error(ErrorCode::kInput, input_.label() + ": " + complete);
  summary_.problem = complete;
  end_input();
}

// Handles messages until the outputs have ended.
void VideoRun::drain(const Interrupts& interrupts) {
  const auto wanted =
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING |
                                  GST_MESSAGE_ELEMENT | GST_MESSAGE_LATENCY);
  ProgressBar bar(input_.label());
  const auto start = SteadyClock::now();
  std::optional<SteadyClock::time_point> interrupted;
  for (;;) {
    const MessagePtr message(gst_bus_timed_pop_filtered(pipeline_.bus(), kPoll, wanted));
    if (interrupts.count() > 0 && !interrupted) {
      interrupted = SteadyClock::now();
      report_note("Ending. Once more to stop at once.");
      end_input();
    }
    if (interrupts.count() > 1 ||
        (interrupted && SteadyClock::now() > *interrupted + kPatienceAtEnd))
      throw Error(ErrorCode::kFailed, input_.label() + ": stopped before its output was finished.");
    if (message == nullptr) {
      bar.update(progress(), counted(frames(), "frame"));
      continue;
    }
    switch (GST_MESSAGE_TYPE(message.get())) {
      case GST_MESSAGE_EOS:
        summary_.seconds = seconds_since(start);
        return;
      case GST_MESSAGE_ERROR:
        handle_error(message.get());
        break;
      case GST_MESSAGE_WARNING:
        report_warning(input_.label() + ": " + describe(message.get()));
        break;
      case GST_MESSAGE_LATENCY:
        gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
        break;
      default:
        if (gst_is_missing_plugin_message(message.get()))
          missing_decoder_ = describe(message.get());
    }
  }
}

RunSummary VideoRun::play(const Interrupts& interrupts) {
  const bool live =
      pipeline_.set_state(GST_STATE_PAUSED, input_.label()) == GST_STATE_CHANGE_NO_PREROLL;
  // The newest frame wins.
  if (live) {
    gst_util_set_object_arg(G_OBJECT(queue_), "leaky", "downstream");
    g_object_set(queue_, "max-size-buffers", 1, nullptr);
  }
  pipeline_.set_state(GST_STATE_PLAYING, input_.label());
  drain(interrupts);
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (summary_.frames == 0 && interrupts.count() == 0)
    throw Error(ErrorCode::kInput, input_.label() +
                                       ": not one frame of it could be decoded. It is "
                                       "damaged, or holds no video.");
  if (summary_.problem.empty()) summary_.problem = cut_off_by(input_);
  if (recording_ != nullptr && summary_.frames > 0) recording_->finish();
  return summary_;
}

}  // namespace sightline
