// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/video_enrolment.h"

#include <chrono>
#include <mutex>
#include <utility>

#include "app/interrupt.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/video_run.h"
#include "app/view_taker.h"

namespace sightline {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 60s;  // with a live input

// Takes views in the streaming thread, and says from any other how it goes.
class Taking {
 public:
  explicit Taking(const Interrupts& interrupts) : interrupts_(interrupts) {}

  void observe(GstBuffer* buffer, GstCaps* caps) {
    const std::lock_guard lock(mutex_);
    if (taker_.complete()) return;
    // By the frames' own time: a clip is looked at faster than it was taken.
    const GstClockTime pts = GST_BUFFER_PTS(buffer);
    const auto now = GST_CLOCK_TIME_IS_VALID(pts) ? Clock::time_point(std::chrono::nanoseconds(pts))
                                                  : Clock::now();
    objection_ = taker_.offer(buffer, caps, now);
    if (taker_.complete()) interrupts_.request();
  }

  std::string caption() const {
    const std::lock_guard lock(mutex_);
    return std::to_string(taker_.count()) + " of " + std::to_string(ViewCollector::kViews) +
           " views" + (objection_.empty() ? "" : "; " + objection_);
  }

  // When no frame comes any more.
  const ViewTaker& taker() const { return taker_; }
  const std::string& objection() const { return objection_; }

 private:
  const Interrupts& interrupts_;
  mutable std::mutex mutex_;
  ViewTaker taker_;
  std::string objection_;  // to the last frame
};

// Why no view came of it.
Refusal no_view(const Taking& taking) {
  return {"no-view",
          "no good view of one person was found" +
              (taking.objection().empty() ? std::string(".") : " (" + taking.objection() + ")."),
          false};
}

void play(const Input& input, const EnrolmentRequest& request, const Interrupts& interrupts,
          Taking& taking) {
  StreamFigures figures(input.name, is_live(input));
  ProgressBar progress("enroll");
  const Clock::time_point begin = Clock::now();
  RunRequest run;
  run.stages = request.stages;
  run.embed = true;
  run.figures = &figures;
  run.live = is_live(input);
  run.on_frame = [&](GstBuffer* buffer, GstCaps* caps) { taking.observe(buffer, caps); };
  VideoRun* playing = nullptr;
  run.on_tick = [&] {
    progress.update(playing->progress(), taking.caption() + ": " + input.label());
    if (run.live && Clock::now() - begin > kPatience) interrupts.request();
  };
  VideoRun video(input, run);
  playing = &video;
  const RunEnd end = video.play(interrupts);
  if (!end.problem.empty() && !taking.taker().complete())
    report_warning(input.label() + ": " + end.problem);
}

}  // namespace

VideoOutcome enrol_from_video(const Input& input, const std::string& person,
                              const EnrolmentRequest& request, KnownFaces& known) {
  const Interrupts interrupts;
  Taking taking(interrupts);
  play(input, request, interrupts, taking);
  if (taking.taker().count() == 0 || !taking.taker().model()) return {0, no_view(taking)};

  const std::string hash = input.kind == InputKind::kFile ? content_hash(input.text) : "";
  const bool is_file = input.kind == InputKind::kFile;
  std::vector<FaceView> views =
      taking.taker().views(is_file ? source_of(input.text, hash) : input.name);
  for (FaceView& view : views) view.embedding = to_unit_length(view.embedding);
  VideoOutcome outcome{0, objection_to_any(person, views, known, request.rule)};
  if (outcome.objection && !request.force) return outcome;
  const auto there = store_views(request.gallery, {{person, views}}, *taking.taker().model());
  for (const FaceView& view : views) known.add(person, view.embedding, hash);
  outcome.views = static_cast<long>(views.size() - there.size());
  outcome.is_known = outcome.views == 0;
  return outcome;
}

}  // namespace sightline
