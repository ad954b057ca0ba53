// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/second_look.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "stage/model.h"

namespace sightline {

namespace {

// Intersection over union from which the second box means the same object.
constexpr float kSameObject = 0.3f;

RunResult run_once(const Model& model, std::shared_ptr<const MappedFrame> frame,
                   const Region& region, const Standing& standing) {
  const auto promise = std::make_shared<std::promise<RunResult>>();
  std::future<RunResult> result = promise->get_future();
  std::vector<Request> requests(1);
  model.input_writer().fill(requests.front(), std::move(frame), region, nullptr, nullptr);
  requests.front().on_result = [promise](RunResult&& done) { promise->set_value(std::move(done)); };
  requests.front().standing = standing;
  model.engine().submit(std::move(requests));
  return result.get();
}

}  // namespace

bool SecondLook::too_large(const Detection& detection) const {
  return detection.box.height >= share_ * static_cast<float>(tensor_.height);
}

bool SecondLook::wanted(const std::vector<Detection>& first) const {
  return share_ > 0 &&
         std::any_of(first.begin(), first.end(), [&](const Detection& d) { return too_large(d); });
}

Affine2 SecondLook::to_first() const {
  return {2, 0, -0.5 * tensor_.width, 0, 2, -0.5 * tensor_.height};
}

void SecondLook::improve(std::vector<Detection>& first,
                         const std::vector<Detection>& second) const {
  const Affine2 to_first = this->to_first();
  for (Detection& detection : first) {
    if (!too_large(detection)) continue;
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

void look_again(const Model& model, std::shared_ptr<const MappedFrame> frame, const Affine2& first,
                std::vector<Detection>& detections, Standing standing) {
  const SecondLook look = model.second_look();
  standing.deadline = Clock::now();  // the frames behind this one wait for it
  RunResult run = run_once(model, std::move(frame), Region{first * look.to_first(), {}}, standing);
  look.improve(detections, model.postprocessor().decode(model.combine({&run, 1})).detections);
}

}  // namespace sightline
