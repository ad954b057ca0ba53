// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What sightinfer does, without its GObject: frames in, networks started, results attached, frames
// out.

#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "elements/infer_window.h"
#include "elements/interval_counter.h"
#include "elements/model_loader.h"
#include "elements/on_error.h"
#include "elements/qos_feedback.h"
#include "elements/stage_figures.h"
#include "stage/attach.h"
#include "stage/gst_cuda.h"
#include "stage/late_results.h"
#include "stage/mapped_frame.h"
#include "stage/model.h"
#include "stage/track_cache.h"

namespace sightline {

enum class MirrorKind { kNone, kRoi, kAnalytics, kBoth };

inline bool wants_relations(MirrorKind mirror) {
  return mirror == MirrorKind::kAnalytics || mirror == MirrorKind::kBoth;
}

struct InferSettings {
  ModelWish wish;  // guarded by the element's lock
  std::string stream;
  int max_in_flight = 0;  // 0: chosen, see window_size()
  GstSightOnError on_error = GST_SIGHT_ON_ERROR_STOP;
  MirrorKind mirror = MirrorKind::kNone;

  // These may change while frames come.
  std::atomic<int> interval = -1;  // -1: the configuration's
  std::atomic<int> priority = 0;
  std::atomic<GstClockTime> deadline = 0;         // 0: none
  std::atomic<GstClockTimeDiff> batch_wait = -1;  // -1: the stage's choice
  std::atomic<bool> qos = false;
};

class InferStage {
 public:
  InferStage(GstElement* element, GstPad* sink, GstPad* source);

  InferSettings& settings() { return settings_; }

  // NULL → READY: finds the GPU, if the network will run on one, and tells the pipeline of its
  // context, before decoders make their own. Throws Error.
  void announce_gpu();
  void open();   // NULL/READY → PAUSED: loads the model. Throws Error.
  void close();  // PAUSED → READY, after the pads: joins all callbacks
  void release_model();
  // While frames come: loads this configuration beside the model that is there, and takes it from a
  // frame on; or says on the bus why not.
  void change_model(ModelWish wish);
  bool activate(bool active);  // the source pad

  GstFlowReturn chain(GstBuffer* buffer);
  bool sink_event(GstEvent* event);
  bool sink_query(GstQuery* query);
  bool source_query(GstQuery* query);
  bool source_event(GstEvent* event);

  std::string engine_description() const;
  GstStructure* statistics() const;  // transfer full

 private:
  std::shared_ptr<const Model> model() const;
  std::shared_ptr<const GpuContext> gpu_context() const;
  void take_model(const ModelWish& wish, std::shared_ptr<const Model> model,
                  const std::string& problem);
  void tell(const Model& model);

  int window_size(const Model& model) const;
  void prepare(FrameWork& work);
  static void describe(const FrameWork& work, GstBuffer* buffer, std::uint64_t number);
  const char* reason_to_skip(const FrameWork& work);
  void post_late(GstBuffer* buffer, GstClockTime running_time, const Lateness& lateness);
  void stand_in_line(FrameWork& work) const;
  void run_networks(const std::shared_ptr<FrameWork>& work);
  std::vector<Region> choose_regions(FrameWork& work);
  void take_over_unseen(FrameWork& work, const SightObject* object);
  TrackCache::Turn turn_of(const FrameWork& work, const SightObject* object, Look& look);
  void note_look(FrameWork& work, const SightObject* object, Look& look,
                 std::vector<Region>& regions);
  void note_given(FrameWork& work, const SightObject* object, std::vector<Region>& regions);
  bool note_late(FrameWork& work, const SightObject* object, const Look& look,
                 const TrackCache::TrackPtr& track);
  void submit_regions(const std::shared_ptr<FrameWork>& work, const std::vector<Region>& regions);
  static std::shared_ptr<const MappedFrame> map_frame(const std::shared_ptr<FrameWork>& work);
  void make_tensors(const std::shared_ptr<FrameWork>& work, const std::vector<Region>& regions);
  void watch(Request& request, const std::shared_ptr<FrameWork>& work, std::size_t run) const;
  void submit_late(FrameWork& work);

  static void loop(gpointer stage);
  void pump();
  void push(QueueItem item);
  void send(QueueItem item);
  bool look_again(const std::shared_ptr<FrameWork>& work);
  GstFlowReturn push_frame(FrameWork& work);
  std::vector<Tensor> outputs_of(FrameWork& work, std::size_t index) const;
  std::string attach_results(FrameWork& work, GstBuffer* buffer);
  std::vector<RegionResults> results_of(FrameWork& work, SightFrame* frame);
  RegionResults results_of_look(FrameWork& work, std::size_t index, SightFrame* frame);
  void set_input_regions(const FrameWork& work, SightFrame* frame) const;
  void attach_taken_over(const FrameWork& work, SightFrame* frame, const StageName& stage);
  void attach_late(const FrameWork& work, SightFrame* frame, const StageName& stage);
  void give_out(std::vector<LateResult> results, const char* reason);
  GstBuffer* as_downstream_takes_it(GstBuffer* buffer, const GstVideoInfo& info) const;
  bool set_caps(GstCaps* caps);
  bool wants_system_memory() const;
  bool answer_caps(GstPad* pad, GstQuery* query);
  bool answer_accept(GstQuery* query);
  bool answer_at_once(GstPad* pad, GstQuery* query);
  void start_flow();
  void take_up_after_end();
  void abandon();
  bool answer_allocation(GstQuery* query);
  void watch_latency();
  GstClockTime batch_wait(const Model& model) const;
  GstClockTime latency() const;

  GstElement* element_;  // owns this
  GstPad* sink_;
  GstPad* source_;
  InferSettings settings_;

  mutable std::mutex mutex_;  // model_, gpu_context_, statistics
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const GpuContext> gpu_context_;  // null: the network does not run on a GPU
  std::atomic<int> window_size_ = 1;
  bool has_task_ = false;  // the task on the source pad, while the stage is open
  InferWindow window_;
  TrackCache tracks_;
  LateResults late_;
  QosFeedback qos_;
  StageFigures figures_;
  std::atomic<std::uint64_t> objects_looked_at_{0};
  std::atomic<std::uint64_t> objects_taken_over_{0};
  std::mutex activation_mutex_;
  bool active_ = false;
  std::atomic<bool> is_live_{false};  // the source, as it was said last

  // Of the streaming thread.
  GstVideoInfo info_{};
  bool in_cuda_memory_ = false;
  GstSegment segment_{};
  IntervalCounter interval_;
  SettlingFrames settling_;
  std::string stream_id_;
  std::uint64_t frame_number_ = 0;

  // Of whoever pushes.
  std::atomic<bool> downstream_takes_video_meta_{false};
  std::atomic<bool> end_of_stream_queued_{false};
  std::atomic<GstClockTime> announced_latency_{GST_CLOCK_TIME_NONE};  // NONE: nobody asked
  std::atomic<GstClockTime> frame_duration_{GST_CLOCK_TIME_NONE};
  std::chrono::steady_clock::time_point last_announcement_{};
  guint unique_id_ = 0;
  const std::uint64_t number_ = next_number();  // of this stage in the process
  ModelLoader loader_;

  static std::uint64_t next_number();
};

}  // namespace sightline
