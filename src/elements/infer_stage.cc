// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/infer_stage.h"

#include <algorithm>
#include <functional>

#include "elements/element_error.h"
#include "meta/error.h"
#include "meta/relation_import.h"
#include "meta/relation_mirror.h"
#include "meta/roi_mirror.h"
#include "meta/tensor_meta.h"
#include "stage/attach.h"
#include "stage/mapped_frame.h"

namespace sightline {

namespace {

// Ids of stages that were given none: unique in the process, out of the way of ids that people
// choose.
guint next_unique_id() {
  static std::atomic<guint> next{1000};
  return next++;
}

constexpr GstClockTime kLiveBatchWait = 5 * GST_MSECOND;

// Who a request is for: a stage together with a stream, since streams may share a stage.
std::uint64_t source_id(std::uint64_t stage, const std::string& stream) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;  // spreads neighbouring numbers
  return std::hash<std::string>()(stream) ^ stage * kGolden;
}

StageFigures::Fate fate(const FrameWork& work, const std::string& problem) {
  if (!problem.empty()) return StageFigures::Fate::kFailed;
  if (work.skipped == nullptr) return StageFigures::Fate::kLookedAt;
  return work.skipped == kSkippedLate ? StageFigures::Fate::kLate : StageFigures::Fate::kSkipped;
}

bool has_results_of_others(GstBuffer* buffer) {
  gpointer state = nullptr;
  return gst_buffer_get_meta(buffer, sight_frame_meta_api_get_type()) == nullptr &&
         (has_detections(buffer) || has_foreign_tensors(buffer) ||
          gst_buffer_iterate_meta_filtered(buffer, &state,
                                           GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) != nullptr);
}

}  // namespace

std::uint64_t InferStage::next_number() {
  static std::atomic<std::uint64_t> next{1};
  return next++;
}

InferStage::InferStage(GstElement* element, GstPad* sink, GstPad* source)
    : element_(element),
      sink_(sink),
      source_(source),
      loader_([this](const ModelWish& wish, std::shared_ptr<const Model> model,
                     const std::string& problem) { take_model(wish, std::move(model), problem); }) {
}

std::shared_ptr<const Model> InferStage::model() const {
  const std::lock_guard lock(mutex_);
  return model_;
}

std::shared_ptr<const GpuContext> InferStage::gpu_context() const {
  const std::lock_guard lock(mutex_);
  return gpu_context_;
}

void InferStage::announce_gpu() {
  if (settings_.wish.config_file.empty() || cuda_formats().empty()) return;
  const std::optional<int> gpu = Model::gpu(settings_.wish.config_file, settings_.wish.overrides);
  if (!gpu) return;
  const auto context = GpuContext::open(*gpu);
  {
    const std::lock_guard lock(mutex_);
    gpu_context_ = context;
  }
  context->announce(element_);
}

void InferStage::open() {
  if (settings_.wish.config_file.empty())
    throw Error(ErrorCode::kConfig,
                "no config-file is set: config-file=models/face-detect.ini, for example");
  if (wants_relations(settings_.mirror) && !has_relations())
    throw Error(ErrorCode::kConfig,
                "mirror: this build has no GstAnalyticsRelationMeta, for which GStreamer 1.24 or "
                "newer is needed (gstreamer-analytics-1.0, of its plugins-bad). Use mirror=roi");
  const std::shared_ptr<const Model> model =
      Model::load(settings_.wish.config_file, settings_.wish.overrides);
  tell(*model);
  unique_id_ = model->unique_id() > 0 ? static_cast<guint>(model->unique_id()) : next_unique_id();
  window_size_ = window_size(*model);
  has_task_ = window_size_ > 1;
  window_.set_limit(window_size_);
  frame_number_ = 0;
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  interval_.restart();
  settling_.restart();
  tracks_.clear();
  late_.clear();
  qos_.restart();
  announced_latency_ = GST_CLOCK_TIME_NONE;
  is_live_ = false;
  const std::lock_guard lock(mutex_);
  model_ = model;
}

void InferStage::close() {
  loader_.stop();
  give_out(late_.finish(), "stream-ended");
  late_.clear();
  abandon();
  window_.wait_for_callbacks();
  late_.join();
}

void InferStage::tell(const Model& model) {
  for (const std::string& note : model.notes()) post_info(element_, note);
  for (const std::string& warning : model.warnings()) post_warning(element_, warning);
}

void InferStage::change_model(ModelWish wish) { loader_.ask(std::move(wish)); }

// On the loader's thread. The next frame that enters takes it; those inside keep theirs.
void InferStage::take_model(const ModelWish& wish, std::shared_ptr<const Model> model,
                            const std::string& problem) {
  const bool changed = model != nullptr;
  if (changed) {
    tell(*model);
    GST_OBJECT_LOCK(element_);
    settings_.wish = wish;
    GST_OBJECT_UNLOCK(element_);
    tracks_.clear();
    const std::lock_guard lock(mutex_);
    model_ = std::move(model);
  } else {
    post_warning(element_, problem + " The model that was there before goes on working.");
  }
  gst_element_post_message(
      element_, gst_message_new_element(
                    GST_OBJECT(element_),
                    gst_structure_new("sightinfer-model-updated", "config-file", G_TYPE_STRING,
                                      wish.config_file.c_str(), "changed", G_TYPE_BOOLEAN, changed,
                                      "problem", G_TYPE_STRING, problem.c_str(), nullptr)));
  g_signal_emit_by_name(element_, "model-updated", changed ? 0 : 1, wish.config_file.c_str());
}

void InferStage::release_model() {
  tracks_.clear();
  const std::lock_guard lock(mutex_);
  model_.reset();
  gpu_context_.reset();
}

// One stream alone keeps all workers busy with a frame for each and one that is being prepared. Of
// several each needs the fewer, and every frame is memory: never less than two, so that there is
// always one to take when a run ends.
int InferStage::window_size(const Model& model) const {
  if (settings_.max_in_flight > 0) return settings_.max_in_flight;
  if (!model.has_network()) return 1;
  const int workers = model.engine().concurrency(), streams = std::max(model.sharers(), 1);
  return 1 + std::max((workers + streams - 1) / streams, 1);
}

bool InferStage::activate(bool active) {
  {
    const std::lock_guard lock(activation_mutex_);
    active_ = active;
    if (active) start_flow();
  }
  if (active) return true;
  window_.set_flushing(true);
  abandon();
  return gst_pad_stop_task(source_);
}

// Under activation_mutex_, so that no flush that ends late starts the task of a pad that is closed.
void InferStage::start_flow() {
  end_of_stream_queued_ = false;
  window_.set_flushing(false);
  if (has_task_) gst_pad_start_task(source_, &InferStage::loop, this, nullptr);
}

// What is queued of frames that the window dropped lets go of them.
void InferStage::abandon() {
  const auto model = this->model();
  if (model != nullptr && model->has_network()) model->engine().drop_abandoned();
}

// --- the streaming thread
// -------------------------------------------------------------------------------------------

GstFlowReturn InferStage::chain(GstBuffer* buffer) {
  auto work = std::make_shared<FrameWork>(buffer, info_);
  work->model = model();
  if (const int size = window_size(*work->model); has_task_ && size != window_size_) {
    window_size_ = size;  // streams came or went
    window_.set_limit(size);
  }
  for (;;) {
    InferWindow::Admission admission = window_.admit();
    if (admission.admitted) break;
    if (!admission.to_push) return window_.flow();
    push(std::move(*admission.to_push));
  }
  work->entered = Clock::now();
  prepare(*work);
  run_networks(work);
  work.reset();
  if (!has_task_) pump();
  return window_.flow();
}

// Everything that the metadata needs before the first network sees the frame.
void InferStage::prepare(FrameWork& work) {
  const bool import = has_results_of_others(work.buffer());
  SightFrame* known = import ? nullptr : sight_buffer_get_frame(work.buffer());
  const char* known_stream = known == nullptr ? nullptr : sight_frame_get_stream(known);
  if (known_stream != nullptr) {
    work.stream = known_stream;
    return;
  }

  work.stream = settings_.stream.empty() ? stream_id_ : settings_.stream;
  const std::uint64_t number = frame_number_++;
  if (known == nullptr && !import && !gst_buffer_is_writable(work.buffer())) {
    work.unwritten_number = number;
    return;
  }
  work.replace_buffer(gst_buffer_make_writable(work.take_buffer()));
  describe(work, work.buffer(), number);
  if (!import) return;
  import_tensors(work.buffer(), 0);
  import_detections(work.buffer(), 0);
  import_regions(work.buffer(), 0);
}

void InferStage::describe(const FrameWork& work, GstBuffer* buffer, std::uint64_t number) {
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  sight_frame_set_size(frame, static_cast<guint>(work.info.width),
                       static_cast<guint>(work.info.height), nullptr);
  sight_frame_set_stream(frame, work.stream.c_str(), number, nullptr);
}

void InferStage::run_networks(const std::shared_ptr<FrameWork>& work) {
  std::vector<Region> regions;
  work->skipped = reason_to_skip(*work);
  try {
    work->map_for = work->model->input_writer().map_for(in_cuda_memory_);
    if (work->skipped == nullptr) regions = choose_regions(*work);
  } catch (const std::exception& error) {
    work->problem = error.what();
  }
  work->runs.resize(regions.size());
  stand_in_line(*work);
  if (!work->late.empty()) submit_late(*work);
  window_.enqueue(work);

  if (work->model->has_network())
    submit_regions(work, regions);
  else
    make_tensors(work, regions);
}

const char* InferStage::reason_to_skip(const FrameWork& work) {
  if (settling_.is_settling(work.stream, work.model->frames_to_settle())) return kSkippedToSettle;
  const int set = settings_.interval, interval = set >= 0 ? set : work.model->interval();
  if (!interval_.is_turn(work.stream, interval)) return kSkippedByInterval;
  if (settings_.qos) {
    const GstClockTime running_time = gst_segment_to_running_time(
        &segment_, GST_FORMAT_TIME,
        segment_.format == GST_FORMAT_TIME ? GST_BUFFER_PTS(work.buffer()) : GST_CLOCK_TIME_NONE);
    if (const auto lateness = qos_.lateness(running_time)) {
      post_late(work.buffer(), running_time, *lateness);
      return kSkippedLate;
    }
  }
  interval_.looked(work.stream, interval);
  return nullptr;
}

void InferStage::post_late(GstBuffer* buffer, GstClockTime running_time, const Lateness& lateness) {
  const GstClockTime timestamp = GST_BUFFER_PTS(buffer);
  const StageFigures::Counts counts = figures_.counts();
  GstMessage* message =
      gst_message_new_qos(GST_OBJECT(element_), FALSE, running_time,
                          gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, timestamp),
                          timestamp, GST_BUFFER_DURATION(buffer));
  gst_message_set_qos_values(message, lateness.jitter, lateness.proportion, 1000000);
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS,
                            counts.frames - counts.skipped - counts.late, counts.late + 1);
  gst_element_post_message(element_, message);
}

void InferStage::stand_in_line(FrameWork& work) const {
  work.standing.source = source_id(number_, work.stream);
  work.standing.priority = settings_.priority;
  const GstClockTime deadline = settings_.deadline;
  if (deadline > 0) work.standing.deadline = work.entered + std::chrono::nanoseconds(deadline);
  work.standing.may_wait = std::chrono::nanoseconds(batch_wait(*work.model));
}

// Frames of live streams come one by one: on a GPU, runs of one cost the host as much as runs of
// many.
GstClockTime InferStage::batch_wait(const Model& model) const {
  const GstClockTimeDiff set = settings_.batch_wait;
  const GstClockTime deadline = settings_.deadline;
  const GstClockTime wait = set >= 0                          ? static_cast<GstClockTime>(set)
                            : is_live_ && model.runs_on_gpu() ? kLiveBatchWait
                                                              : 0;
  return deadline > 0 ? std::min(wait, deadline) : wait;
}

bool InferStage::set_caps(GstCaps* caps) {
  if (gst_video_info_from_caps(&info_, caps)) {
    in_cuda_memory_ = are_in_cuda_memory(caps);
    frame_duration_ = info_.fps_n > 0
                          ? gst_util_uint64_scale_int(GST_SECOND, info_.fps_d, info_.fps_n)
                          : GST_CLOCK_TIME_NONE;
    return true;
  }
  gchar* text = gst_caps_to_string(caps);
  GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("The caps %s are no raw video.", text), (nullptr));
  g_free(text);
  return false;
}

bool InferStage::sink_event(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START: {
      const bool pushed = gst_pad_push_event(source_, event);
      window_.set_flushing(true);
      late_.clear();
      abandon();
      if (has_task_) gst_pad_pause_task(source_);
      return pushed;
    }
    case GST_EVENT_FLUSH_STOP: {
      const bool pushed = gst_pad_push_event(source_, event);
      gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
      interval_.restart();
      settling_.restart();
      tracks_.clear();
      qos_.restart();
      const std::lock_guard lock(activation_mutex_);
      if (active_) start_flow();
      return pushed;
    }
    case GST_EVENT_STREAM_START: {
      const gchar* id = nullptr;
      gst_event_parse_stream_start(event, &id);
      if (stream_id_ != id) frame_number_ = 0;
      stream_id_ = id;
      take_up_after_end();
      break;
    }
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event, &segment_);
      take_up_after_end();
      break;
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      if (set_caps(caps)) break;
      gst_event_unref(event);
      return false;
    }
    case GST_EVENT_EOS:
      end_of_stream_queued_ = true;
      tracks_.clear();
      break;
    default:
      break;
  }
  if (!has_task_ && GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    give_out(late_.finish(), "stream-ended");
  if (!has_task_ || !GST_EVENT_IS_SERIALIZED(event)) return gst_pad_push_event(source_, event);
  window_.enqueue(event);
  return true;
}

// Who plays one stream after the other sends no flush between them.
void InferStage::take_up_after_end() {
  end_of_stream_queued_ = false;
  window_.resume_after(GST_FLOW_EOS);
}

bool InferStage::source_event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) qos_.note(event);
  // Somebody was linked, perhaps.
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) window_.resume_after(GST_FLOW_NOT_LINKED);
  return gst_pad_event_default(source_, GST_OBJECT(element_), event);
}

// What needs to know nothing of the frames before it.
bool InferStage::answer_at_once(GstPad* pad, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS) return answer_caps(pad, query);
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS && pad == sink_) return answer_accept(query);
  const auto context = gpu_context();
  return (context != nullptr && context->answer(element_, query)) ||
         gst_pad_query_default(pad, GST_OBJECT(element_), query);
}

bool InferStage::wants_system_memory() const {
  const auto model = this->model();
  return model != nullptr && !model->runs_on_gpu();
}

// For a network on the CPU, CUDA memory is left out where there is a choice, so that decoders
// choose system memory. One in a decodebin has chosen before anybody was linked, and asks, with the
// caps that it has fixed, whether it is to choose anew. Who has nothing else is told what to do
// when its frames come.
bool InferStage::answer_caps(GstPad* pad, GstQuery* query) {
  if (!gst_pad_query_default(pad, GST_OBJECT(element_), query)) return false;
  if (!wants_system_memory()) return true;
  GstCaps *found = nullptr, *filter = nullptr;
  gst_query_parse_caps_result(query, &found);
  gst_query_parse_caps(query, &filter);
  if (found == nullptr || gst_caps_is_any(found)) return true;
  GstCaps* rest = gst_caps_new_empty();
  for (guint i = 0; i < gst_caps_get_size(found); ++i)
    if (!gst_caps_features_contains(gst_caps_get_features(found, i), kCudaMemory))
      gst_caps_append(rest, gst_caps_copy_nth(found, i));
  GstVideoInfo info;
  const bool is_fixed = filter != nullptr && gst_caps_is_fixed(filter) &&
                        gst_video_info_from_caps(&info, filter);  // and names a size
  if (is_fixed || !gst_caps_is_empty(rest)) gst_query_set_caps_result(query, rest);
  gst_caps_unref(rest);
  return true;
}

// Caps that answer_caps() leaves out may still come: for the moment, or because there are no
// others.
bool InferStage::answer_accept(GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_accept_caps(query, &caps);
  if (!wants_system_memory() || !are_in_cuda_memory(caps))
    return gst_pad_query_default(sink_, GST_OBJECT(element_), query);
  gst_query_set_accept_caps_result(query, gst_pad_peer_query_accept_caps(source_, caps));
  return true;
}

bool InferStage::sink_query(GstQuery* query) {
  if (!GST_QUERY_IS_SERIALIZED(query)) return answer_at_once(sink_, query);
  if (has_task_) return window_.run_query(query);
  return GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION ? answer_allocation(query)
                                                       : gst_pad_peer_query(source_, query);
}

// --- whoever pushes
// -------------------------------------------------------------------------------------------------

void InferStage::loop(gpointer stage) {
  auto* self = static_cast<InferStage*>(stage);
  if (auto item = self->window_.next())
    self->push(std::move(*item));
  else
    gst_pad_pause_task(self->source_);
}

// With a window of one, the streaming thread waits for the network, twice if it looks again, and
// pushes.
void InferStage::pump() {
  do {
    auto item = window_.next();
    if (!item) return;
    push(std::move(*item));
  } while (window_.frames() > 0);
}

void InferStage::push(QueueItem item) {
  send(std::move(item));
  window_.pushed();
}

void InferStage::send(QueueItem item) {
  if (auto* event = std::get_if<QueuedEvent>(&item)) {
    if (GST_EVENT_TYPE(event->event) == GST_EVENT_EOS) give_out(late_.finish(), "stream-ended");
    gst_pad_push_event(source_, event->event);
    return;
  }
  if (auto* query = std::get_if<QueuedQuery>(&item)) {
    window_.answer(GST_QUERY_TYPE(query->query) == GST_QUERY_ALLOCATION
                       ? answer_allocation(query->query)
                       : gst_pad_peer_query(source_, query->query));
    return;
  }
  if (window_.flow() != GST_FLOW_OK) return;
  const auto& work = std::get<std::shared_ptr<FrameWork>>(item);
  if (look_again(work)) return;
  const GstFlowReturn flow = push_frame(*work);
  if (flow == GST_FLOW_OK) return;
  window_.set_flow(flow);
  abandon();
  // Upstream has nothing left to push, so nobody would see this.
  if (end_of_stream_queued_ && (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS))
    GST_ELEMENT_FLOW_ERROR(element_, flow);
}

// Whether the network is to see the frame once more. Then the frame waits at the front, not here,
// so that a flush need not wait for the network.
bool InferStage::look_again(const std::shared_ptr<FrameWork>& work) {
  const SecondLook second = work->model->second_look();
  const bool once = work->looks.size() == 1 && !work->looks.front().part && work->given.empty();
  if (!second.possible() || !once || work->first_look || !work->problem.empty()) return false;
  try {
    work->first_outputs = outputs_of(*work, 0);
    work->first_look = work->model->postprocessor().decode(work->first_outputs);
  } catch (const std::exception& error) {
    work->problem = error.what();
    return false;
  }
  work->runs.clear();
  if (!second.wanted(work->first_look->detections)) return false;
  work->runs.resize(1);
  work->standing.deadline = Clock::now();  // the frames behind this one wait for it
  work->standing.may_wait = {};
  if (!window_.put_back(work)) {
    work->runs.clear();
    return false;
  }
  submit_regions(work, {second.region(work->looks.front().to_frame)});
  return true;
}

GstFlowReturn InferStage::push_frame(FrameWork& work) {
  GstBuffer* buffer = gst_buffer_make_writable(work.take_buffer());
  if (work.unwritten_number) describe(work, buffer, *work.unwritten_number);
  const std::string problem = attach_results(work, buffer);
  if (work.standing.is_abandoned()) {  // a flush, meanwhile
    gst_buffer_unref(buffer);
    return GST_FLOW_FLUSHING;
  }
  figures_.frame_left(fate(work, problem), work.entered, Clock::now());
  if (!problem.empty()) {
    if (settings_.on_error == GST_SIGHT_ON_ERROR_STOP) {
      gst_buffer_unref(buffer);
      post_error(element_, Error(ErrorCode::kInput, work.model->config_file() + ": " + problem));
      return GST_FLOW_ERROR;
    }
    post_warning(element_, work.model->config_file() + ": " + problem +
                               ". The frame goes on without results of this stage.");
  }
  watch_latency();
  return gst_pad_push(source_, as_downstream_takes_it(buffer, work.info));
}

// A buffer with padded rows is for those who read GstVideoMeta. We told upstream that it may send
// such buffers; where downstream did not say that it reads them, the rows are packed here.
GstBuffer* InferStage::as_downstream_takes_it(GstBuffer* buffer, const GstVideoInfo& info) const {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta == nullptr || downstream_takes_video_meta_ || is_in_cuda_memory(buffer)) return buffer;
  bool packed = gst_buffer_get_size(buffer) == info.size;
  for (guint plane = 0; plane < meta->n_planes; ++plane)
    packed = packed && meta->stride[plane] == info.stride[plane] &&
             meta->offset[plane] == info.offset[plane];
  if (packed) return buffer;

  GstBuffer* copy = gst_buffer_new_allocate(nullptr, info.size, nullptr);
  GstVideoFrame from, to;
  if (copy == nullptr || !gst_video_frame_map(&from, &info, buffer, GST_MAP_READ)) {
    if (copy != nullptr) gst_buffer_unref(copy);
    return buffer;
  }
  if (gst_video_frame_map(&to, &info, copy, GST_MAP_WRITE)) {
    gst_video_frame_copy(&to, &from);
    gst_video_frame_unmap(&to);
  }
  gst_video_frame_unmap(&from);
  gst_buffer_copy_into(
      copy, buffer,
      static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS |
                                      GST_BUFFER_COPY_META),
      0, static_cast<gsize>(-1));
  if (GstVideoMeta* old = gst_buffer_get_video_meta(copy)) gst_buffer_remove_meta(copy, &old->meta);
  gst_buffer_unref(buffer);
  return copy;
}

// --- queries
// --------------------------------------------------------------------------------------------------------

bool InferStage::answer_allocation(GstQuery* query) {
  const bool answered = gst_pad_peer_query(source_, query);
  downstream_takes_video_meta_ =
      answered && gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  if (!downstream_takes_video_meta_)
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);

  // Frames wait in the window, so every pool must hold that many more.
  const auto held = static_cast<guint>(window_size_ + 1);
  const guint pools = gst_query_get_n_allocation_pools(query);
  for (guint i = 0; i < pools; ++i) {
    GstBufferPool* pool = nullptr;
    guint size = 0, minimum = 0, maximum = 0;
    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &minimum, &maximum);
    if (maximum != 0) maximum = std::max(maximum, minimum + held);
    gst_query_set_nth_allocation_pool(query, i, pool, size, minimum + held, maximum);
    if (pool != nullptr) gst_object_unref(pool);
  }
  if (pools == 0) {
    GstCaps* caps = nullptr;
    GstVideoInfo info;
    gst_query_parse_allocation(query, &caps, nullptr);
    if (caps != nullptr && gst_video_info_from_caps(&info, caps))
      gst_query_add_allocation_pool(query, nullptr, static_cast<guint>(info.size), held, 0);
  }
  return true;
}

GstClockTime InferStage::latency() const {
  const auto model = this->model();
  if (model == nullptr || !model->has_network()) return 0;
  const double run = model->engine().statistics().run_seconds_p95;
  return settings_.deadline + batch_wait(*model) + static_cast<GstClockTime>(run * GST_SECOND);
}

// Tells the pipeline when the network turns out to be a fifth slower than announced, at most once a
// second. What was announced before the first run was nothing.
void InferStage::watch_latency() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_announcement_ < std::chrono::seconds(1)) return;
  last_announcement_ = now;
  const GstClockTime announced = announced_latency_, found = latency();
  if (!GST_CLOCK_TIME_IS_VALID(announced) || found <= announced + announced / 5) return;
  gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_)));
}

bool InferStage::source_query(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return answer_at_once(source_, query);
  if (!gst_pad_peer_query(sink_, query)) return false;
  gboolean live = FALSE;
  GstClockTime minimum = 0, maximum = 0;
  gst_query_parse_latency(query, &live, &minimum, &maximum);
  is_live_ = live;
  const GstClockTime own = latency();
  announced_latency_ = own;
  const GstClockTime frame = frame_duration_;
  if (GST_CLOCK_TIME_IS_VALID(maximum))
    maximum = GST_CLOCK_TIME_IS_VALID(frame)
                  ? maximum + static_cast<GstClockTime>(window_size_) * frame
                  : GST_CLOCK_TIME_NONE;
  gst_query_set_latency(query, live, minimum + own, maximum);
  return true;
}

// --- what people ask
// ------------------------------------------------------------------------------------------------

std::string InferStage::engine_description() const {
  const auto model = this->model();
  if (model == nullptr) return {};
  return model->has_network() ? model->engine().describe() : "no network: makes tensors";
}

GstStructure* InferStage::statistics() const {
  const auto model = this->model();
  const bool has_network = model != nullptr && model->has_network();
  const Engine::Statistics engine =
      has_network ? model->engine().statistics() : Engine::Statistics{};
  const StageFigures::Snapshot stage = figures_.snapshot(Clock::now());
  const double full = static_cast<double>(engine.runs) *
                      (has_network ? static_cast<double>(model->engine().max_batch()) : 1);
  const double fill = engine.runs == 0 ? 0 : static_cast<double>(engine.items) / full;
  const std::uint64_t looked_at = objects_looked_at_, taken_over = objects_taken_over_;
  return gst_structure_new("sightinfer-stats",                                                  //
                           "frames", G_TYPE_UINT64, static_cast<guint64>(stage.counts.frames),  //
                           "failures", G_TYPE_UINT64,
                           static_cast<guint64>(stage.counts.failures),                           //
                           "skipped", G_TYPE_UINT64, static_cast<guint64>(stage.counts.skipped),  //
                           "late", G_TYPE_UINT64, static_cast<guint64>(stage.counts.late),        //
                           "fps", G_TYPE_DOUBLE, stage.frames_per_second,                         //
                           "latency-p50", G_TYPE_DOUBLE, stage.latency_seconds_p50,               //
                           "latency-p95", G_TYPE_DOUBLE, stage.latency_seconds_p95,               //
                           "latency-p99", G_TYPE_DOUBLE, stage.latency_seconds_p99,               //
                           "objects", G_TYPE_UINT64, looked_at + taken_over,                      //
                           "objects-looked-at", G_TYPE_UINT64, looked_at,                         //
                           "objects-taken-over", G_TYPE_UINT64, taken_over,                       //
                           "in-flight", G_TYPE_INT, window_.frames(),                             //
                           "runs", G_TYPE_UINT64, static_cast<guint64>(engine.runs),              //
                           "items", G_TYPE_UINT64, static_cast<guint64>(engine.items),            //
                           "batch-fill", G_TYPE_DOUBLE, fill,                                     //
                           "run-p50", G_TYPE_DOUBLE, engine.run_seconds_p50,                      //
                           "run-p95", G_TYPE_DOUBLE, engine.run_seconds_p95,                      //
                           "queue", G_TYPE_UINT64, static_cast<guint64>(engine.queued), nullptr);
}

}  // namespace sightline
