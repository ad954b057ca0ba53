// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of a stage that makes metadata of what the network said.

#include <algorithm>
#include <map>

#include "elements/infer_stage.h"
#include "meta/mirrors.h"
#include "meta/relation_mirror.h"
#include "meta/roi_mirror.h"
#include "meta/tensor_meta.h"
#include "stage/attach.h"

namespace sightline {

namespace {

void clip(std::vector<Detection>& detections, const Rect& content) {
  for (Detection& detection : detections) detection.box = intersection(detection.box, content);
  std::erase_if(detections, [](const Detection& detection) { return detection.box.empty(); });
}

// What a map of classes shows, so that it can be laid over the frame.
void set_map_region(SightFrame* frame, guint stage_id, const PendingLook& look, Size input,
                    const Tensor& map) {
  const SightObject* const seen = sight_frame_find_object(frame, look.object);
  SightObject* object = look.object == 0 ? nullptr : sight_frame_edit_object(frame, seen, nullptr);
  if (look.object != 0 && object == nullptr) return;
  const Size cells{static_cast<int>(map.shape[1]), static_cast<int>(map.shape[0])};
  const float across = static_cast<float>(input.width) / static_cast<float>(cells.width);
  const float down = static_cast<float>(input.height) / static_cast<float>(cells.height);
  Region shown{look.to_frame * Affine2::scaling(across, down), std::nullopt};
  if (look.content)
    shown.content = Rect{look.content->x / across, look.content->y / down,
                         look.content->width / across, look.content->height / down};
  set_regions(frame, object, stage_id, map.name, {&shown, 1}, cells);
}

}  // namespace

// The outputs of look `index`, taken out of its runs.
std::vector<Tensor> InferStage::outputs_of(FrameWork& work, std::size_t index) const {
  const Model& model = *work.model;
  const std::size_t runs = model.runs_per_look();
  std::vector<Tensor> outputs = model.combine({&work.runs[index * runs], runs});
  if (model.tensor_files().wants_outputs())
    model.tensor_files().pass_outputs(outputs, static_cast<int>(unique_id_));
  return outputs;
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
    if (work.skipped != nullptr) set_skipped(frame, unique_id_, work.skipped);
    const bool are_maps = work.model->postprocessor().role() == NetworkRole::kSegmentation;
    const std::vector<RegionResults> all = results_of(work, frame);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const RegionResults& found = all[i];
      attach(frame, stage, work.model->postprocessor(), found, work.model->colors());
      if (found.object != 0) ++objects_looked_at_;
      if (are_maps && !found.results.tensors.empty())
        set_map_region(frame, unique_id_, work.looks[i], work.model->spec().size,
                       found.results.tensors.front());
    }
    set_input_regions(work, frame);
    attach_taken_over(work, frame, stage);
    if (work.model->is_asynchronous()) attach_late(work, frame, stage);
    if (work.model->fingerprint().dimensions > 0 && work.skipped == nullptr)
      set_fingerprint(frame, unique_id_, work.model->fingerprint());
  } catch (const std::exception& error) {
    problem = error.what();
    set_failure(frame, stage, problem);
    for (const PendingLook& look : work.looks)
      if (look.track != nullptr) tracks_.keep_failure(*look.track, problem);
  }
  if (settings_.mirror == MirrorKind::kRoi || settings_.mirror == MirrorKind::kBoth)
    mirror_objects(buffer);
  if (wants_relations(settings_.mirror)) {
    mirror_relations(buffer);
    mirror_tensors(buffer);
  }
  update_mirrors(buffer);  // those that a stage before this one began
  sight_frame_seal(frame);
  return problem;
}

std::vector<RegionResults> InferStage::results_of(FrameWork& work, SightFrame* frame) {
  std::vector<RegionResults> found;
  for (std::size_t i = 0; i < work.looks.size(); ++i)
    found.push_back(results_of_look(work, i, frame));
  if (!work.model->selection().objects && found.size() > 1)
    work.model->parts().merge(found, {work.info.width, work.info.height});
  return found;
}

RegionResults InferStage::results_of_look(FrameWork& work, std::size_t index, SightFrame* frame) {
  const Model& model = *work.model;
  const PendingLook& look = work.looks[index];
  std::vector<Tensor> outputs;
  Results results;
  if (work.first_look) {
    outputs = std::move(work.first_outputs);
    results = std::move(*work.first_look);
    if (!work.runs.empty())
      model.second_look().improve(
          results.detections, model.postprocessor().decode(model.combine(work.runs)).detections);
  } else {
    outputs = outputs_of(work, index);
    results = model.postprocessor().decode(outputs);
  }
  if (model.tensor_source() && model.tensor_source()->clip && look.content)
    clip(results.detections, *look.content);
  model.drop_unwanted(results);

  RegionResults found{look.object, look.to_frame, look.quality, std::move(results)};
  found.part = look.part;
  if (model.tensor_wishes().outputs) model.add_outputs(std::move(outputs), found);
  if (!work.inputs.empty()) found.inputs.push_back(work.inputs[index * model.runs_per_look()]);
  if (look.track != nullptr)
    tracks_.keep(*look.track, {sight_frame_get_number(frame), found.results, look.quality});
  return found;
}

// What the tensors show that this stage attached: those that it made, or those that it saw.
void InferStage::set_input_regions(const FrameWork& work, SightFrame* frame) const {
  if (work.model->has_network() && work.inputs.empty()) return;
  std::map<std::uint64_t, std::vector<Region>> shown;  // by object
  for (const PendingLook& look : work.looks)
    shown[look.object].push_back({look.to_frame, look.content});
  for (const auto& [id, regions] : shown) {
    const SightObject* const seen = sight_frame_find_object(frame, id);
    SightObject* object = id == 0 ? nullptr : sight_frame_edit_object(frame, seen, nullptr);
    if (id != 0 && object == nullptr) continue;
    set_regions(frame, object, unique_id_, work.model->input_name(), regions,
                work.model->spec().size);
  }
}

void InferStage::attach_taken_over(const FrameWork& work, SightFrame* frame,
                                   const StageName& stage) {
  for (const TakenOver& taken : work.taken_over) {
    const auto kept = tracks_.take_over(*taken.track);
    if (kept == nullptr) continue;
    attach(frame, stage, work.model->postprocessor(),
           {taken.object, taken.to_frame, kept->quality, kept->results, kept->frame});
    ++objects_taken_over_;
  }
}

}  // namespace sightline
