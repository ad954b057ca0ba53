// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of a stage that chooses what the network sees of a frame, and hands it over.

#include <utility>

#include "elements/infer_stage.h"
#include "meta/track_data.h"
#include "stage/mapped_frame.h"

namespace sightline {

namespace {

// A mapped frame and who has its buffer, so that it is unmapped while that is still there.
struct HeldFrame {
  explicit HeldFrame(const std::shared_ptr<FrameWork>& its_work)
      : work(its_work), frame(work->buffer(), work->info, work->map_for) {}

  const std::shared_ptr<FrameWork> work;
  const MappedFrame frame;
};

}  // namespace

std::vector<Region> InferStage::choose_regions(FrameWork& work) {
  const Model& model = *work.model;
  std::vector<Region> regions;
  const Size size{work.info.width, work.info.height};
  if (!model.selection().objects) {
    if (model.tensor_source()) {
      note_given(work, nullptr, regions);
      return regions;
    }
    for (Look& look : model.looks(size)) note_look(work, nullptr, look, regions);
    return regions;
  }
  const SightFrame* frame = sight_buffer_get_frame(work.buffer());
  if (model.reinfer_rule().takes_over()) tracks_.next_frame(work.stream);
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (!model.selection().takes(object)) continue;
    if (!model.selection().predicted && is_predicted(object))
      take_over_unseen(work, object);
    else if (model.tensor_source())
      note_given(work, object, regions);
    else if (auto look = model.look(size, object))
      note_look(work, object, *look, regions);
  }
  return regions;
}

// Nobody saw the object in this frame, so the network is not to see what is there instead.
void InferStage::take_over_unseen(FrameWork& work, const SightObject* object) {
  guint64 number = 0;
  if (!work.model->reinfer_rule().takes_over() || !sight_object_get_track(object, &number)) return;
  const auto look = work.model->look({work.info.width, work.info.height}, object);
  if (auto track = tracks_.find(work.stream, number))
    work.taken_over.push_back({sight_object_get_id(object), std::move(track),
                               look ? look->regions.front().to_frame : Affine2{}});
}

// Of a frame or an object: what the network sees, unless it takes over what it said before.
void InferStage::note_look(FrameWork& work, const SightObject* object, Look& look,
                           std::vector<Region>& regions) {
  const guint64 id = object == nullptr ? 0 : sight_object_get_id(object);
  const TrackCache::Turn turn = turn_of(work, object, look);
  if (!turn.looked_at) {
    work.taken_over.push_back({id, turn.track, look.regions.front().to_frame});
    return;
  }
  if (work.model->is_asynchronous() && note_late(work, object, look, turn.track)) return;
  regions.insert(regions.end(), look.regions.begin(), look.regions.end());
  const Region& region = look.regions.front();
  work.looks.push_back({id, region.to_frame, look.quality, look.part, region.content, turn.track});
}

// Likewise where others have made its tensors; without any the frame or object is passed over.
void InferStage::note_given(FrameWork& work, const SightObject* object,
                            std::vector<Region>& regions) {
  const Model& model = *work.model;
  const Size size{work.info.width, work.info.height};
  const SightFrame* frame = sight_buffer_get_frame(work.buffer());
  for (GivenTensor& given : given_tensors(*model.tensor_source(), frame, object,
                                          model.engine().input().type, model.input_shape())) {
    std::optional<Look> look;
    if (given.region)
      look = Look{{*given.region}, std::nullopt};
    else
      look = model.look(size, object);
    if (!look) continue;
    const std::size_t before = regions.size();
    note_look(work, object, *look, regions);
    if (regions.size() > before) work.given.push_back(std::move(given.tensor));
  }
}

// Whether the network is to see the object, or takes over what it said of its track before.
TrackCache::Turn InferStage::turn_of(const FrameWork& work, const SightObject* object, Look& look) {
  const ReinferRule& rule = work.model->reinfer_rule();
  guint64 track = 0;
  if (!rule.takes_over() || object == nullptr || !sight_object_get_track(object, &track)) return {};
  SightBox box;
  sight_object_get_box(object, &box);
  TrackView view{box.width * box.height, {}, {}};
  if (rule.sharper > 0)
    view.sharpness = work.model->input_writer().sharpness(
        MappedFrame(work.buffer(), work.info, work.map_for), look.regions.front());
  if (look.quality) {
    view.residual = look.quality->residual;
    look.quality->sharpness = view.sharpness;
  }
  const SightFrame* frame = sight_buffer_get_frame(work.buffer());
  return tracks_.turn(rule, work.stream, sight_frame_get_number(frame), track, view);
}

std::shared_ptr<const MappedFrame> InferStage::map_frame(const std::shared_ptr<FrameWork>& work) {
  const auto held = std::make_shared<const HeldFrame>(work);
  return {held, &held->frame};
}

void InferStage::submit_regions(const std::shared_ptr<FrameWork>& work,
                                const std::vector<Region>& regions) {
  if (regions.empty()) return;
  const Model& model = *work->model;
  const std::size_t runs = model.runs_per_look();
  std::shared_ptr<const MappedFrame> frame;
  const bool first = !work->first_look;  // what a second look sees is not attached
  if (first && model.tensor_wishes().inputs) work->inputs.resize(regions.size());
  std::vector<Request> requests;
  std::shared_ptr<MirrorPair> pair;
  for (std::size_t run = 0; run < regions.size(); ++run) {
    if (run % runs == 0) pair = model.mirror_pair();
    Request request;
    request.on_result = window_.on_result(work, run);
    request.standing = work->standing;
    model.ask_for_outputs(request);
    std::optional<CropQuality>& quality = work->looks[run / runs].quality;
    try {
      if (!work->given.empty()) {
        request.write = copy_of(work->given[run]);
      } else {
        if (frame == nullptr) frame = map_frame(work);
        model.input_writer().fill(request, frame, regions[run],
                                  quality && run % runs == 0 ? &*quality : nullptr, pair);
      }
      if (first) watch(request, work, run);
    } catch (const std::exception& error) {
      request.on_result({error.what(), {}});
      continue;
    }
    requests.push_back(std::move(request));
  }
  // With its last result the frame leaves, so it must not be mapped any more: the requests alone
  // hold it now.
  frame.reset();
  pair.reset();
  model.engine().submit(std::move(requests));
}

// A stage without a network: what it would see is its result.
void InferStage::make_tensors(const std::shared_ptr<FrameWork>& work,
                              const std::vector<Region>& regions) {
  if (regions.empty()) return;
  const Model& model = *work->model;
  std::vector<RunResult> results(regions.size());
  try {
    const auto frame = map_frame(work);
    for (std::size_t run = 0; run < regions.size(); ++run) {
      const auto memory = std::make_shared<std::vector<std::byte>>(model.spec().bytes_per_item());
      auto& quality = work->looks[run].quality;
      Request request;
      model.input_writer().fill(request, frame, regions[run], quality ? &*quality : nullptr,
                                nullptr);
      request.write(*memory);
      results[run].outputs.push_back({model.input_name(), model.spec().type, model.input_shape(),
                                      MemoryKind::kHost, memory->data(), memory});
    }
  } catch (const std::exception& error) {
    for (RunResult& result : results) result.error = error.what();
  }
  for (std::size_t run = 0; run < regions.size(); ++run)
    window_.on_result(work, run)(std::move(results[run]));
}

// Lets those who want to know see what the network is about to see. Throws Error(kInput) where that
// is written on a GPU.
void InferStage::watch(Request& request, const std::shared_ptr<FrameWork>& work,
                       std::size_t run) const {
  if (work->inputs.empty() && !work->model->tensor_files().wants_input()) return;
  if (!request.write)
    throw Error(ErrorCode::kInput,
                "what the network sees is written on the GPU, where it can neither be attached "
                "(attach-input-tensor) nor go to files. Set device = cpu for that");
  request.write = [write = std::move(request.write), work, run,
                   id = unique_id_](std::span<std::byte> item) {
    const Model& model = *work->model;
    if (!model.tensor_files().replaces_input()) write(item);
    if (model.tensor_files().wants_input())
      model.tensor_files().pass_input(item, static_cast<int>(id));
    if (work->inputs.empty()) return;
    const auto copy = std::make_shared<std::vector<std::byte>>(item.begin(), item.end());
    work->inputs[run] = {model.input_name(),  model.engine().input().type,
                         model.input_shape(), MemoryKind::kHost,
                         copy->data(),        copy};
  };
}

}  // namespace sightline
