// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/stream.h"

#include <cstdio>
#include <thread>

#include "app/report.h"
#include "app/wall.h"

namespace sightline {

namespace {

using namespace std::chrono_literals;

std::string frames_per_second(long frames, double seconds) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f s, %.1f frames/s", seconds,
                seconds > 0 ? static_cast<double>(frames) / seconds : 0.0);
  return text;
}

std::string as_sentence(std::string text) {
  if (!text.ends_with('.')) text += '.';
  return text;
}

}  // namespace

Stream::Stream(StreamPlan plan, const StreamOutputs& outputs, std::size_t tile)
    : plan_(std::move(plan)),
      outputs_(outputs),
      tile_(tile),
      figures_(plan_.input.name, plan_.live),
      pauses_(plan_.restarts) {}

double Stream::progress() const {
  const std::lock_guard lock(mutex_);
  return run_ == nullptr ? -1 : run_->progress();
}

std::vector<std::pair<std::string, StructurePtr>> Stream::network_statistics() const {
  const std::lock_guard lock(mutex_);
  if (run_ == nullptr) return {};
  return run_->network_statistics();
}

void Stream::play(const Interrupts& interrupts) {
  figures_.set_state(StreamState::kOpening);
  for (;;) {
    const End end = play_once(interrupts);
    if (outputs_.wall != nullptr) outputs_.wall->set_down(tile_);
    if (end != End::kInputFailed || interrupts.count() > 0)
      return finish(end, interrupts.count() > 0);
    const auto pause = next_pause();
    if (!pause) return finish(end, false);
    report_warning(as_sentence(figures_.snapshot().problem) + " It is opened again in " +
                   std::to_string(pause->count()) + " s.");
    if (!wait(*pause, interrupts)) return finish(end, true);
    figures_.add_restart();
  }
}

// None: it is not opened again.
std::optional<std::chrono::seconds> Stream::next_pause() {
  if (!plan_.live || (!plan_.retry_at_start && figures_.frames() == 0)) return std::nullopt;
  return pauses_.after(std::chrono::duration<double>(last_ran_));
}

// Whether it waited to the end.
bool Stream::wait(std::chrono::seconds pause, const Interrupts& interrupts) {
  figures_.set_state(StreamState::kPausing);
  const auto end = std::chrono::steady_clock::now() + pause;
  while (interrupts.count() == 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(50ms);
  return interrupts.count() == 0;
}

RunRequest Stream::request() {
  RunRequest request;
  request.stages = plan_.stages;
  request.tracking = plan_.tracking;
  request.galleries = outputs_.galleries;
  request.threshold = plan_.threshold;
  request.analytics = plan_.analytics;
  request.show = outputs_.show;
  request.events = outputs_.events;
  request.figures = &figures_;
  request.live = plan_.live;
  request.first_number = static_cast<std::uint64_t>(figures_.frames());
  if (plan_.live) request.stall_timeout = plan_.restarts.stall_timeout;
  if (outputs_.wall != nullptr) {
    request.paced = !plan_.live;
    request.on_picture = [this](GstSample* picture) { outputs_.wall->show(tile_, picture); };
  }
  return request;
}

Stream::End Stream::play_once(const Interrupts& interrupts) {
  last_ran_ = 0;
  RunRequest request = this->request();
  if (plan_.record) request.out = outputs_.recordings->take(plan_.input);
  RunEnd end;
  const End result = play_pipeline(request, interrupts, end);
  seconds_ += last_ran_ = end.seconds;
  if (end.frames == 0)
    outputs_.recordings->give_back(request.out);
  else if (!request.out.empty())
    written_ += (written_.empty() ? "" : ", ") + request.out.string();
  return result;
}

Stream::End Stream::play_pipeline(const RunRequest& request, const Interrupts& interrupts,
                                  RunEnd& end) {
  End result = End::kFailed;
  try {
    auto run = std::make_unique<VideoRun>(plan_.input, request);
    VideoRun& playing = *run;
    {
      const std::lock_guard lock(mutex_);
      run_ = std::move(run);
    }
    end = playing.play(interrupts);
    result = judge(end, interrupts);
  } catch (const InputError& error) {
    figures_.set_problem(error.what());
    result = End::kInputFailed;
  } catch (const std::exception& error) {
    figures_.set_problem(error.what());
    report_error(error.what());
  }
  std::unique_ptr<VideoRun> ended;
  {
    const std::lock_guard lock(mutex_);
    ended = std::move(run_);
  }
  return result;  // the pipeline goes without the lock, since that takes time
}

// Of a pipeline that came to its end, what that means for the input: a camera has none.
Stream::End Stream::judge(const RunEnd& end, const Interrupts& interrupts) {
  std::string problem = end.problem;
  const bool endless = plan_.live && plan_.input.kind != InputKind::kFragment && !end.window_closed;
  if (problem.empty() && endless && plan_.restarts.maximum != 0 && interrupts.count() == 0)
    problem = "the stream ended.";
  if (problem.empty()) return End::kDone;
  figures_.set_problem(plan_.input.label() + ": " +
                       (plan_.live ? "" : "only what came before could be processed: ") + problem);
  return End::kInputFailed;
}

void Stream::finish(End end, bool interrupted) {
  const long frames = figures_.frames();
  if (frames > 0) report_summary();
  // A live input that was away when the run was ended has still done what was asked for.
  const bool away = end == End::kInputFailed && plan_.live && interrupted;
  if (end == End::kInputFailed && !away) report_error(figures_.snapshot().problem);
  const bool done = end == End::kDone || (away && frames > 0);
  figures_.set_state(done ? StreamState::kEnded : StreamState::kFailed);
}

void Stream::report_summary() const {
  const StreamSnapshot totals = figures_.snapshot();
  std::string line = plan_.input.label() + ": " + counted(totals.frames, "frame") + " in " +
                     frames_per_second(totals.frames, seconds_) + "; " +
                     counted(totals.counts.faces, "face");
  if (!outputs_.galleries.empty() || !totals.counts.named.empty()) {  // or replayed
    for (const auto& [name, times] : totals.counts.named)
      line += ", " + name + " " + std::to_string(times) + "×";
    line += ", unknown " + std::to_string(totals.counts.unknown) + "×";
  }
  if (totals.dropped > 0) line += "; " + counted(totals.dropped, "frame") + " overtaken";
  if (totals.restarts > 0) line += "; " + counted(totals.restarts, "restart");
  if (!written_.empty()) line += "; written to " + written_;
  report_note(line);
}

}  // namespace sightline
