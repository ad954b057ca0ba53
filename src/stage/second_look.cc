// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/second_look.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

namespace sightline {

namespace {

constexpr float kSameObject =
    0.3f;  // intersection over union from which the second box means the same object

// The frames behind this one wait for it.
constexpr int kPriority = 1;

bool too_large(const Model& model, const Detection& detection) {
  return detection.box.height > model.second_look() * static_cast<float>(model.spec().size.height);
}

RunResult run_once(const Model& model, const FrameView& frame, const Region& region) {
  const auto promise = std::make_shared<std::promise<RunResult>>();
  std::future<RunResult> result = promise->get_future();
  std::vector<Request> requests;
  requests.push_back({
      [&](std::span<std::byte> item) {
        preprocess(frame, {&region, 1}, model.spec(), item);
      },
      [promise](RunResult&& done) { promise->set_value(std::move(done)); },
      kPriority,
  });
  model.engine().submit(std::move(requests));
  return result.get();
}

}  // namespace

bool wants_second_look(const Model& model, const std::vector<Detection>& detections) {
  return model.second_look() > 0 &&
         std::any_of(detections.begin(), detections.end(),
                     [&](const Detection& d) { return too_large(model, d); });
}

void look_again(const Model& model, const FrameView& frame, const Affine2& first,
                std::vector<Detection>& detections) {
  const Size tensor = model.spec().size;
  // From the second look's tensor to the first one's: twice as much is seen, about the same centre.
  const Affine2 to_first{2, 0, -0.5 * tensor.width, 0, 2, -0.5 * tensor.height};
  RunResult run = run_once(model, frame, Region{first * to_first, {}});
  const std::vector<Detection> second =
      model.postprocessor().decode(model.combine({&run, 1})).detections;

  for (Detection& detection : detections) {
    if (!too_large(model, detection)) continue;
    const Detection* best = nullptr;
    float overlap = kSameObject;
    for (const Detection& candidate : second) {
      const float common = iou(to_first.bounds(candidate.box), detection.box);
      if (candidate.class_id == detection.class_id && common > overlap)
        overlap = common, best = &candidate;
    }
    if (best == nullptr) continue;
    detection.box = to_first.bounds(best->box);
    detection.landmarks = best->landmarks;
    for (Point& p : detection.landmarks) p = to_first(p);
  }
}

}  // namespace sightline
