// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/infer_stage.h"

#include <algorithm>

#include "elements/element_error.h"
#include "meta/error.h"
#include "meta/roi_mirror.h"
#include "stage/attach.h"
#include "stage/mapped_frame.h"
#include "stage/second_look.h"

namespace sightline {

namespace {

// Ids of stages that were given none: unique in the process, out of the way of ids that people
// choose.
guint next_unique_id() {
  static std::atomic<guint> next{1000};
  return next++;
}

bool has_regions_of_others(GstBuffer* buffer) {
  gpointer state = nullptr;
  return gst_buffer_get_meta(buffer, sight_frame_meta_api_get_type()) == nullptr &&
         gst_buffer_iterate_meta_filtered(buffer, &state,
                                          GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) != nullptr;
}

}  // namespace

std::shared_ptr<const Model> InferStage::model() const {
  const std::lock_guard lock(mutex_);
  return model_;
}

void InferStage::open() {
  if (settings_.config_file.empty())
    throw Error(ErrorCode::kConfig,
                "no config-file is set: config-file=models/face-detect.ini, for example");
  const std::shared_ptr<const Model> model =
      Model::load(settings_.config_file, settings_.overrides);
  unique_id_ = model->unique_id() > 0 ? static_cast<guint>(model->unique_id()) : next_unique_id();
  window_size_ =
      settings_.max_in_flight > 0 ? settings_.max_in_flight : model->engine().concurrency() + 1;
  window_.set_limit(window_size_);
  frame_number_ = 0;
  const std::lock_guard lock(mutex_);
  model_ = model;
}

void InferStage::close() { window_.wait_for_callbacks(); }

void InferStage::release_model() {
  const std::lock_guard lock(mutex_);
  model_.reset();
}

bool InferStage::activate(bool active) {
  if (!active) {
    window_.set_flushing(true);
    return gst_pad_stop_task(source_);
  }
  end_of_stream_queued_ = false;
  window_.set_flushing(false);
  return window_size_ == 1 || gst_pad_start_task(source_, &InferStage::loop, this, nullptr);
}

// --- the streaming thread
// -------------------------------------------------------------------------------------------

GstFlowReturn InferStage::chain(GstBuffer* buffer) {
  auto work = std::make_shared<FrameWork>(buffer, info_);
  for (;;) {
    InferWindow::Admission admission = window_.admit();
    if (admission.admitted) break;
    if (!admission.to_push) return window_.flow();
    push(std::move(*admission.to_push));
  }
  prepare(*work);
  run_networks(work);
  work.reset();
  if (window_size_ == 1) pump();
  return window_.flow();
}

// Everything that the metadata needs before the first network sees the frame.
void InferStage::prepare(FrameWork& work) {
  work.model = model();
  const bool import = has_regions_of_others(work.buffer());
  SightFrame* known = import ? nullptr : sight_buffer_get_frame(work.buffer());
  if (known != nullptr && sight_frame_get_stream(known) != nullptr) return;

  work.replace_buffer(gst_buffer_make_writable(work.take_buffer()));
  if (import) import_regions(work.buffer(), 0);
  SightFrame* frame = sight_buffer_edit_frame(work.buffer(), nullptr);
  const std::string& stream = settings_.stream.empty() ? stream_id_ : settings_.stream;
  sight_frame_set_size(frame, static_cast<guint>(work.info.width),
                       static_cast<guint>(work.info.height), nullptr);
  sight_frame_set_stream(frame, stream.c_str(), frame_number_++, nullptr);
}

void InferStage::run_networks(const std::shared_ptr<FrameWork>& work) {
  std::vector<Region> regions;
  try {
    regions = choose_regions(*work);
  } catch (const std::exception& error) {
    work->problem = error.what();
  }
  work->runs.resize(regions.size());
  window_.enqueue(work);

  submit_regions(work, regions);
}

std::vector<Region> InferStage::choose_regions(FrameWork& work) const {
  const Model& model = *work.model;
  std::vector<Region> regions;
  const auto look_at = [&](const SightObject* object) {
    const auto look = model.look({work.info.width, work.info.height}, object);
    if (!look) return;
    regions.insert(regions.end(), look->regions.begin(), look->regions.end());
    work.looks.push_back({object == nullptr ? 0 : sight_object_get_id(object),
                          look->regions.front().to_frame, look->quality});
  };
  if (!model.selection().objects) {
    look_at(nullptr);
    return regions;
  }
  const SightFrame* frame = sight_buffer_get_frame(work.buffer());
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i)
    if (const SightObject* object = sight_frame_get_object(frame, i);
        model.selection().takes(object))
      look_at(object);
  return regions;
}

void InferStage::submit_regions(const std::shared_ptr<FrameWork>& work,
                                const std::vector<Region>& regions) {
  if (regions.empty()) return;
  std::shared_ptr<const MappedFrame> frame;
  std::string problem;
  try {
    frame = std::make_shared<MappedFrame>(work->buffer(), work->info);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  std::vector<Request> requests;
  for (std::size_t run = 0; run < regions.size(); ++run) {
    auto on_result = window_.on_result(work, run);
    if (frame == nullptr)
      on_result({problem, {}});
    else
      requests.push_back({write_input(work, frame, regions[run], run), std::move(on_result)});
  }
  // With its last result the frame leaves, so it must not be mapped any more: the requests alone
  // hold it now.
  frame.reset();
  work->model->engine().submit(std::move(requests));
}

// Writes the input of run `run`, on an engine thread, and judges the crop.
std::function<void(std::span<std::byte>)> InferStage::write_input(
    const std::shared_ptr<FrameWork>& work, const std::shared_ptr<const MappedFrame>& frame,
    const Region& region, std::size_t run) {
  // In this order: the frame is unmapped while its buffer is still there.
  return [work, frame, region, run](std::span<std::byte> item) {
    const Model& model = *work->model;
    preprocess(frame->view(), {&region, 1}, model.spec(), item);
    auto& quality = work->looks[run / model.runs_per_look()].quality;
    if (quality && run % model.runs_per_look() == 0)
      quality->brightness = brightness(model.spec(), item).value_or(255);
  };
}

void InferStage::set_caps(GstCaps* caps) {
  if (gst_video_info_from_caps(&info_, caps)) return;
  gchar* text = gst_caps_to_string(caps);
  GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("The caps %s are no raw video.", text), (nullptr));
  g_free(text);
}

bool InferStage::sink_event(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START: {
      const bool pushed = gst_pad_push_event(source_, event);
      window_.set_flushing(true);
      if (window_size_ > 1) gst_pad_pause_task(source_);
      return pushed;
    }
    case GST_EVENT_FLUSH_STOP: {
      const bool pushed = gst_pad_push_event(source_, event);
      end_of_stream_queued_ = false;
      window_.set_flushing(false);
      if (window_size_ > 1) gst_pad_start_task(source_, &InferStage::loop, this, nullptr);
      return pushed;
    }
    case GST_EVENT_STREAM_START: {
      const gchar* id = nullptr;
      gst_event_parse_stream_start(event, &id);
      if (stream_id_ != id) frame_number_ = 0;
      stream_id_ = id;
      break;
    }
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      set_caps(caps);
      break;
    }
    case GST_EVENT_EOS:
      end_of_stream_queued_ = true;
      break;
    default:
      break;
  }
  if (window_size_ == 1 || !GST_EVENT_IS_SERIALIZED(event))
    return gst_pad_push_event(source_, event);
  window_.enqueue(event);
  return true;
}

bool InferStage::sink_query(GstQuery* query) {
  if (!GST_QUERY_IS_SERIALIZED(query))
    return gst_pad_query_default(sink_, GST_OBJECT(element_), query);
  if (window_size_ > 1) return window_.run_query(query);
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

// With a window of one, the streaming thread waits for the network and pushes.
void InferStage::pump() {
  if (auto item = window_.next()) push(std::move(*item));
}

void InferStage::push(QueueItem item) {
  send(std::move(item));
  window_.pushed();
}

void InferStage::send(QueueItem item) {
  if (auto* event = std::get_if<QueuedEvent>(&item)) {
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
  const GstFlowReturn flow = push_frame(*std::get<std::shared_ptr<FrameWork>>(item));
  if (flow == GST_FLOW_OK) return;
  window_.set_flow(flow);
  // Upstream has nothing left to push, so nobody would see this.
  if (end_of_stream_queued_ && (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS))
    GST_ELEMENT_FLOW_ERROR(element_, flow);
}

GstFlowReturn InferStage::push_frame(FrameWork& work) {
  GstBuffer* buffer = gst_buffer_make_writable(work.take_buffer());
  const std::string problem = attach_results(work, buffer);
  ++frames_;
  if (!problem.empty()) {
    ++failures_;
    if (settings_.on_error == GST_SIGHT_ON_ERROR_STOP) {
      gst_buffer_unref(buffer);
      post_error(element_, Error(ErrorCode::kInput, settings_.config_file + ": " + problem));
      return GST_FLOW_ERROR;
    }
    post_warning(element_, settings_.config_file + ": " + problem +
                               ". The frame goes on without results of this stage.");
  }
  watch_latency();
  return gst_pad_push(source_, as_downstream_takes_it(buffer, work.info));
}

// Empty, or what went wrong; then the frame says so, too.
std::string InferStage::attach_results(FrameWork& work, GstBuffer* buffer) {
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  gchar* name = gst_element_get_name(element_);
  const StageName stage{name, unique_id_};
  g_free(name);
  std::string problem;
  try {
    if (!work.problem.empty()) throw Error(ErrorCode::kFailed, work.problem);
    const std::size_t runs = work.model->runs_per_look();
    const Postprocessor& postprocessor = work.model->postprocessor();
    for (std::size_t i = 0; i < work.looks.size(); ++i) {
      const PendingLook& look = work.looks[i];
      const std::vector<Tensor> outputs = work.model->combine({&work.runs[i * runs], runs});
      Results results = postprocessor.decode(outputs);
      if (look.object == 0 && work.model->second_look().wanted(results.detections))
        look_again(*work.model, MappedFrame(buffer, work.info).view(), look.to_frame,
                   results.detections);
      attach(frame, stage, postprocessor,
             {look.object, look.to_frame, look.quality, std::move(results)});
    }
    if (work.model->fingerprint().dimensions > 0)
      set_fingerprint(frame, unique_id_, work.model->fingerprint());
  } catch (const std::exception& error) {
    problem = error.what();
    set_failure(frame, stage, problem);
  }
  if (settings_.mirror == Mirror::kRoi) mirror_objects(buffer);
  sight_frame_seal(frame);
  return problem;
}

// A buffer with padded rows is for those who read GstVideoMeta. We told upstream that it may send
// such buffers; where downstream did not say that it reads them, the rows are packed here.
GstBuffer* InferStage::as_downstream_takes_it(GstBuffer* buffer, const GstVideoInfo& info) const {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta == nullptr || downstream_takes_video_meta_) return buffer;
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
  if (model == nullptr) return 0;
  const double run = model->engine().statistics().run_seconds_p95;
  return static_cast<GstClockTime>(run * GST_SECOND);
}

// Tells the pipeline when the network turns out to be a fifth slower than announced, at most once a
// second.
void InferStage::watch_latency() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_announcement_ < std::chrono::seconds(1)) return;
  last_announcement_ = now;
  const GstClockTime announced = announced_latency_, found = latency();
  if (announced == 0 || found <= announced + announced / 5) return;
  gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_)));
}

bool InferStage::source_query(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
    return gst_pad_query_default(source_, GST_OBJECT(element_), query);
  if (!gst_pad_peer_query(sink_, query)) return false;
  gboolean live = FALSE;
  GstClockTime minimum = 0, maximum = 0;
  gst_query_parse_latency(query, &live, &minimum, &maximum);
  const GstClockTime own = latency();
  announced_latency_ = own;
  const GstClockTime frame = info_.fps_n > 0
                                 ? gst_util_uint64_scale_int(GST_SECOND, info_.fps_d, info_.fps_n)
                                 : GST_CLOCK_TIME_NONE;
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
  return model == nullptr ? std::string() : model->engine().describe();
}

GstStructure* InferStage::statistics() const {
  const auto model = this->model();
  const Engine::Statistics engine =
      model == nullptr ? Engine::Statistics{} : model->engine().statistics();
  return gst_structure_new(
      "sightinfer-stats", "frames", G_TYPE_UINT64, frames_.load(), "failures", G_TYPE_UINT64,
      failures_.load(), "runs", G_TYPE_UINT64, static_cast<guint64>(engine.runs), "items",
      G_TYPE_UINT64, static_cast<guint64>(engine.items), "run-p50", G_TYPE_DOUBLE,
      engine.run_seconds_p50, "run-p95", G_TYPE_DOUBLE, engine.run_seconds_p95, nullptr);
}

}  // namespace sightline
