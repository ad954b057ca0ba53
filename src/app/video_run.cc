// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/video_run.h"

#include <gst/app/gstappsink.h>
#include <gst/pbutils/missing-plugins.h>
#include <gst/video/video.h>

#include "app/cut_off.h"
#include "app/face.h"
#include "app/report.h"
#include "gallery/gallery.h"

namespace sightline {

namespace {

constexpr GstClockTime kPoll = 100 * GST_MSECOND;
constexpr std::chrono::seconds kPatienceAtEnd(30);
constexpr std::chrono::milliseconds kPatienceWithFile(30'000);  // until its first frame

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

bool is_from(GstMessage* message, const char* factory) {
  GstObject* source = GST_MESSAGE_SRC(message);
  return GST_IS_ELEMENT(source) && gst_element_get_factory(GST_ELEMENT(source)) != nullptr &&
         g_str_equal(GST_OBJECT_NAME(gst_element_get_factory(GST_ELEMENT(source))), factory);
}

// Something that was to be opened or read, rather than what it holds.
bool is_about_a_resource(GstMessage* message) {
  GError* raw = nullptr;
  gst_message_parse_error(message, &raw, nullptr);
  const ErrorPtr error(raw);
  return error->domain == GST_RESOURCE_ERROR;
}

std::string cut_off_by(const Input& input) {
  const std::uint64_t missing = input.kind == InputKind::kFile ? missing_bytes(input.text) : 0;
  return missing == 0
             ? ""
             : "it is cut off: at least its last " + std::to_string(missing) + " bytes are missing";
}

FaceCounts faces_in(const SightFrame* frame) {
  FaceCounts counts;
  const guint count = frame == nullptr ? 0 : sight_frame_get_n_objects(frame);
  for (guint i = 0; i < count; ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (sight_object_get_stage_id(object) == kDetectStage) ++counts.faces;
    const SightIdentity* identity = sight_object_get_identity(object);
    if (identity == nullptr) continue;
    if (sight_identity_is_known(identity))
      ++counts.named[sight_identity_get_name(identity)];
    else
      ++counts.unknown;
  }
  return counts;
}

GstFlowReturn hand_over(GstAppSink* sink, gpointer request) {
  const SamplePtr sample(gst_app_sink_pull_sample(sink));
  if (sample != nullptr) static_cast<RunRequest*>(request)->on_picture(sample.get());
  return GST_FLOW_OK;
}

}  // namespace

VideoRun::VideoRun(const Input& input, const RunRequest& request)
    : input_(input), request_(request), next_number_(request.first_number) {
  source_ = std::make_unique<VideoSource>(pipeline_, input_, request_.live);
  gst_pad_add_probe(source_->decoded().get(), GST_PAD_PROBE_TYPE_BUFFER, on_decoded, this, nullptr);

  FaceStages stages = request_.stages;
  if (request_.galleries.empty() && !request_.embed) stages.embed = kNone;
  const FaceChain faces = stages.add_to(pipeline_, request_.tracking);
  networks_ = faces.networks;
  pipeline_.link({source_->last(), faces.first});
  const PadPtr before(gst_element_get_static_pad(faces.first, "sink"));
  gst_pad_add_probe(before.get(), GST_PAD_PROBE_TYPE_BUFFER, before_networks, this, nullptr);

  GstElement* last = faces.last;
  if (!request_.galleries.empty()) last = add_match(last);
  if (!request_.analytics.empty()) {
    GstElement* analytics = pipeline_.add("sightanalytics");
    g_object_set(analytics, "config-file", request_.analytics.c_str(), nullptr);
    pipeline_.link({last, analytics});
    last = analytics;
  }
  const PadPtr after(gst_element_get_static_pad(last, "src"));
  gst_pad_add_probe(after.get(), GST_PAD_PROBE_TYPE_BUFFER, after_networks, this, nullptr);
  add_outputs(last);
}

GstElement* VideoRun::add_match(GstElement* last) {
  GstElement* match = pipeline_.add("sightmatch");
  g_object_set(match, "gallery", list_of_locations(request_.galleries).c_str(), nullptr);
  if (request_.threshold) g_object_set(match, "threshold", *request_.threshold, nullptr);
  pipeline_.link({last, match});
  return match;
}

// Before the members that its threads use.
VideoRun::~VideoRun() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

void VideoRun::add_outputs(GstElement* last) {
  const int drawn = !request_.out.empty() + request_.show + (request_.on_picture != nullptr);
  if (drawn == 0) {
    GstElement* sink = pipeline_.add("fakesink");
    g_object_set(sink, "sync", request_.paced, nullptr);
    pipeline_.link({last, sink});
    return;
  }
  GstElement* overlay = pipeline_.add("sightoverlay");
  pipeline_.link({last, overlay});
  last = overlay;
  if (drawn > 1) {
    GstElement* tee = pipeline_.add("tee");
    pipeline_.link({last, tee});
    last = tee;
  }
  if (!request_.out.empty()) {
    recording_ = std::make_unique<Recording>(pipeline_, request_.out);
    pipeline_.link({last, recording_->first()});
  }
  if (request_.show)
    display_ = add_display(pipeline_, last, request_.without_display, request_.on_key);
  if (request_.on_picture) add_picture_sink(last);
}

void VideoRun::add_picture_sink(GstElement* last) {
  GstElement* queue = pipeline_.add("queue");
  GstElement* sink = pipeline_.add("appsink");
  g_object_set(queue, "max-size-buffers", 1, nullptr);
  // Without other features, so that what is drawn is in the pixels.
  const CapsPtr caps(gst_caps_new_empty_simple("video/x-raw"));
  g_object_set(sink, "sync", request_.paced, "max-buffers", 1, "caps", caps.get(), nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = hand_over;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, &request_, nullptr);
  pipeline_.link({last, queue});
  pipeline_.link({pipeline_.download_behind(queue), sink});
}

// --- streaming threads

GstPadProbeReturn VideoRun::on_decoded(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto* run = static_cast<VideoRun*>(self);
  run->decoded_ = true;
  run->request_.figures->enter(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn VideoRun::before_networks(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  static_cast<VideoRun*>(self)->number(info, pad);
  return GST_PAD_PROBE_OK;
}

// The name and the number that sightinfer would give, but numbers go on where the stream's last
// pipeline ended.
void VideoRun::number(GstPadProbeInfo* info, GstPad* pad) {
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  const CapsPtr caps(gst_pad_get_current_caps(pad));
  GstVideoInfo video;
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  if (frame == nullptr || caps == nullptr || !gst_video_info_from_caps(&video, caps.get())) return;
  sight_frame_set_size(frame, static_cast<guint>(GST_VIDEO_INFO_WIDTH(&video)),
                       static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&video)), nullptr);
  sight_frame_set_stream(frame, input_.name.c_str(), next_number_++, nullptr);
}

GstPadProbeReturn VideoRun::after_networks(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  auto* run = static_cast<VideoRun*>(self);
  try {
    run->observe(GST_PAD_PROBE_INFO_BUFFER(info), pad);
  } catch (const std::exception& error) {
    if (!run->ending_.exchange(true))
      GST_ELEMENT_ERROR(run->pipeline_.get(), RESOURCE, WRITE, ("%s", error.what()), (nullptr));
    return GST_PAD_PROBE_DROP;
  }
  return GST_PAD_PROBE_OK;
}

void VideoRun::observe(GstBuffer* buffer, GstPad* pad) {
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  ++frames_;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) position_ = GST_BUFFER_PTS(buffer);
  request_.figures->leave(GST_BUFFER_PTS(buffer), faces_in(frame));
  if (frame != nullptr && request_.events != nullptr)
    request_.events->write(frame, GST_BUFFER_PTS(buffer));
  if (!request_.on_frame) return;
  const CapsPtr caps(gst_pad_get_current_caps(pad));
  request_.on_frame(buffer, caps.get());
}

// --- what others ask

double VideoRun::progress() const {
  const GstClockTime duration = source_->duration();
  return duration == 0 ? -1 : static_cast<double>(position_) / static_cast<double>(duration);
}

std::vector<std::pair<std::string, StructurePtr>> VideoRun::network_statistics() const {
  std::vector<std::pair<std::string, StructurePtr>> list;
  for (GstElement* network : networks_) {
    GstStructure* statistics = nullptr;
    g_object_get(network, "stats", &statistics, nullptr);
    if (statistics != nullptr) list.emplace_back(GST_OBJECT_NAME(network), statistics);
  }
  return list;
}

void VideoRun::set_caption(const std::string& text) {
  if (display_) g_object_set(display_->caption, "text", text.c_str(), nullptr);
}

// --- whoever plays

// What has been decoded so far is still processed, then outputs end as they should.
void VideoRun::end_input() {
  if (!ending_.exchange(true)) source_->end();
}

// The input has failed.
void VideoRun::fail(const std::string& problem) {
  if (frames_ == 0) throw InputError(input_.label() + ": " + problem);
  problem_ = problem;
  end_input();
}

void VideoRun::handle_error(GstMessage* message) {
  if (display_ && is_inside(message, display_->window) && frames_ > 0) {
    window_closed_ = true;
    end_input();
    return;
  }
  const std::string cut = cut_off_by(input_);
  const std::string hint = cut.empty() ? "" : " Probably " + cut + ".";
  if (frames_ == 0 && !missing_decoder_.empty() && !is_about_a_resource(message))
    throw Error(ErrorCode::kInput, input_.label() + ": " + missing_decoder_ + hint);
  const std::string text = describe(message);
  if (is_from(message, "filesink") && recording_ != nullptr)
    throw Error(ErrorCode::kFailed, recording_->target().string() + ": " + text);
  if (!source_->is_subject_of(message)) throw Error(ErrorCode::kFailed, text);
  fail(text + hint);
}

void VideoRun::watch_for_stall() {
  const std::chrono::milliseconds patience =
      request_.live ? request_.stall_timeout : patience_with_file();
  if (patience.count() == 0 || ending_) return;
  if (SteadyClock::now() < request_.figures->last_entered() + patience) return;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g s", std::chrono::duration<double>(patience).count());
  fail("no frame came for " + std::string(seconds) + ".");
}

// 0: without end. GStreamer 1.22's decodebin loses the error of a demuxer that fails at once, every
// now and then, and then nothing comes for ever.
std::chrono::milliseconds VideoRun::patience_with_file() const {
  std::error_code ignored;
  const bool damaged = !decoded_ && input_.kind == InputKind::kFile &&
                       std::filesystem::is_regular_file(input_.text, ignored);
  return damaged ? kPatienceWithFile : std::chrono::milliseconds(0);
}

void VideoRun::handle(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      handle_error(message);
      break;
    case GST_MESSAGE_WARNING:
      report_warning(input_.label() + ": " + describe(message));
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
      break;
    default:
      if (gst_is_missing_plugin_message(message)) missing_decoder_ = describe(message);
  }
}

// Handles messages until the outputs have ended.
void VideoRun::drain(const Interrupts& interrupts) {
  const auto wanted =
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING |
                                  GST_MESSAGE_ELEMENT | GST_MESSAGE_LATENCY);
  std::optional<SteadyClock::time_point> interrupted;
  for (;;) {
    const MessagePtr message(gst_bus_timed_pop_filtered(pipeline_.bus(), kPoll, wanted));
    if (interrupts.count() > 0 && !interrupted) {
      interrupted = SteadyClock::now();
      end_input();
    }
    if (interrupts.count() > 1 ||
        (interrupted && SteadyClock::now() > *interrupted + kPatienceAtEnd))
      throw Error(ErrorCode::kFailed, input_.label() + ": stopped before its output was finished.");
    if (request_.on_tick) request_.on_tick();
    watch_for_stall();
    if (message == nullptr) continue;
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return;
    handle(message.get());
  }
}

GstStateChangeReturn VideoRun::start(GstState state) {
  const GstStateChangeReturn result = gst_element_set_state(pipeline_.get(), state);
  if (result != GST_STATE_CHANGE_FAILURE) return result;
  const MessagePtr message(gst_bus_pop_filtered(pipeline_.bus(), GST_MESSAGE_ERROR));
  if (message != nullptr) handle_error(message.get());
  throw Error(ErrorCode::kFailed, input_.label() + ": the pipeline does not start.");
}

RunEnd VideoRun::play(const Interrupts& interrupts) {
  if (start(GST_STATE_PAUSED) == GST_STATE_CHANGE_NO_PREROLL) source_->let_the_newest_win();
  request_.figures->open();  // the time in which networks are loaded is not the input's
  start(GST_STATE_PLAYING);
  const auto begin = SteadyClock::now();
  drain(interrupts);
  const double seconds = seconds_since(begin);
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (frames_ == 0 && interrupts.count() == 0)
    throw InputError(input_.label() +
                     ": not one frame of it could be decoded. It is damaged, or holds no video.");
  if (problem_.empty()) problem_ = cut_off_by(input_);
  if (recording_ != nullptr && frames_ > 0) recording_->finish();
  return {frames_, seconds, problem_, window_closed_};
}

}  // namespace sightline
