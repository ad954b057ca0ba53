// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of a stage that lets frames go on while their objects are looked at
// (classifier-async-mode).

#include <algorithm>
#include <functional>

#include "elements/element_error.h"
#include "elements/infer_stage.h"
#include "elements/late_result_event.h"
#include "stage/attach.h"
#include "stage/late_results.h"
#include "stage/mapped_frame.h"

namespace sightline {

namespace {

// One look, which may take several runs. The engine's callbacks hold it, not the element.
class LateRun {
 public:
  LateRun(std::shared_ptr<const Model> model, LateLook look, TrackCache& tracks)
      : model_(std::move(model)),
        look_(std::move(look)),
        tracks_(tracks),
        results_(look_.regions.regions.size()),
        left_(results_.size()) {}

  std::size_t runs() const { return results_.size(); }
  std::shared_ptr<const std::atomic<bool>> abandoned() const { return look_.look->abandoned(); }

  // How the engine is asked for run `run`.
  Request request(std::size_t run, const std::shared_ptr<const MappedFrame>& frame) {
    Request request;
    auto& quality = look_.regions.quality;
    model_->input_writer().fill(request, frame, look_.regions.regions[run],
                                quality && run == 0 ? &*quality : nullptr, nullptr);
    model_->ask_for_outputs(request);
    return request;
  }

  void take(std::size_t run, RunResult&& result) {
    results_[run] = std::move(result);
    if (--left_ == 0) finish();
  }

 private:
  void finish() {
    RegionResults found;
    std::string problem;
    try {
      std::vector<Tensor> outputs = model_->combine(results_);
      found.results = model_->postprocessor().decode(outputs);
      model_->drop_unwanted(found.results);
      if (model_->tensor_wishes().outputs) model_->add_outputs(std::move(outputs), found);
      if (look_.track != nullptr)
        tracks_.keep(*look_.track, {look_.frame, found.results, look_.regions.quality});
    } catch (const std::exception& error) {
      problem = error.what();
      if (look_.track != nullptr) tracks_.keep_failure(*look_.track, problem);
    }
    look_.look->end(std::move(found.results), look_.regions.quality, std::move(problem));
  }

  const std::shared_ptr<const Model> model_;
  LateLook look_;
  TrackCache& tracks_;  // outlives this: a stage waits for its looks
  std::vector<RunResult> results_;
  std::atomic<std::size_t> left_;
};

// Pixels that outlive their frame's stay in the stage.
class HeldPixels {
 public:
  explicit HeldPixels(const FrameWork& work)
      : buffer_(gst_buffer_ref(work.buffer())), frame_(work.buffer(), work.info, work.map_for) {}

  static std::shared_ptr<const MappedFrame> of(const FrameWork& work) {
    const auto held = std::make_shared<const HeldPixels>(work);
    return {held, &held->frame_};
  }

 private:
  struct Unref {
    void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  };
  std::unique_ptr<GstBuffer, Unref> buffer_;  // goes after the mapping
  MappedFrame frame_;
};

constexpr std::uint64_t kPatience = TrackCache::kPatience;

}  // namespace

// Whether the frame need not wait for this look. What has no track has no later frame either.
bool InferStage::note_late(FrameWork& work, const SightObject* object, const Look& look,
                           const TrackCache::TrackPtr& track) {
  guint64 number = 0;
  if (object == nullptr || !sight_object_get_track(object, &number)) return false;
  const std::uint64_t frame = sight_frame_get_number(sight_buffer_get_frame(work.buffer()));
  auto late = late_.begin(work.stream, number, frame, {work.info.width, work.info.height},
                          ObjectHandle::share(const_cast<SightObject*>(object)));
  if (late != nullptr) work.late.push_back({std::move(late), look, track, frame});
  return true;
}

// Before the frame is in the window, which it may leave at once. The requests hold its pixels.
void InferStage::submit_late(FrameWork& work) {
  std::shared_ptr<const MappedFrame> frame;
  try {
    frame = HeldPixels::of(work);
  } catch (const std::exception& error) {
    work.problem = error.what();
    for (LateLook& look : work.late) look.look->end({}, {}, error.what());
    work.late.clear();
    return;
  }
  std::vector<Request> requests;
  for (LateLook& look : work.late) {
    const auto run = std::make_shared<LateRun>(work.model, std::move(look), tracks_);
    Standing standing = work.standing;
    standing.abandoned = run->abandoned();
    for (std::size_t i = 0; i < run->runs(); ++i) {
      Request request;
      try {
        request = run->request(i, frame);
      } catch (const std::exception& error) {
        run->take(i, {error.what(), {}});
        continue;
      }
      request.on_result = [run, i](RunResult&& result) { run->take(i, std::move(result)); };
      request.standing = standing;
      requests.push_back(std::move(request));
    }
  }
  work.late.clear();
  work.model->engine().submit(std::move(requests));
}

// What came meanwhile for the tracks that are in this frame, and what belongs to tracks that ended.
void InferStage::attach_late(const FrameWork& work, SightFrame* frame, const StageName& stage) {
  const std::uint64_t number = sight_frame_get_number(frame);
  std::vector<std::pair<guint64, guint64>> tracks;  // object, track
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    guint64 track = 0;
    if (sight_object_get_track(object, &track))
      tracks.emplace_back(sight_object_get_id(object), track);
  }
  for (const auto& [object, track] : tracks) {
    late_.seen(work.stream, track, number);
    const bool has_it = std::ranges::any_of(
        work.taken_over, [id = object](const TakenOver& taken) { return taken.object == id; });
    auto result = late_.take(work.stream, track, number);
    if (!result) continue;
    if (!result->problem.empty()) throw Error(ErrorCode::kFailed, result->problem);
    if (has_it) continue;  // from the track's cache, into which it went as well
    attach(frame, stage, work.model->postprocessor(),
           {object, {}, result->quality, std::move(result->results), result->frame});
    ++objects_taken_over_;
  }
  give_out(late_.of_ended_tracks(work.stream, number, kPatience), "track-ended");
  give_out(late_.of_vanished_streams(work.stream, kPatience), "stream-ended");
}

// As messages, and downstream for sightjson. On the thread that pushes, so that they keep their
// place among the frames.
void InferStage::give_out(std::vector<LateResult> results, const char* reason) {
  const auto model = this->model();
  if (model == nullptr) return;
  gchar* name = gst_element_get_name(element_);
  const StageName stage{name, unique_id_};
  g_free(name);
  for (const LateResult& result : results) {
    GstStructure* structure = late_result_structure(result, stage, model->postprocessor(), reason);
    gst_pad_push_event(
        source_, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_copy(structure)));
    gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
  }
}

}  // namespace sightline
