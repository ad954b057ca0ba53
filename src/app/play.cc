// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Playing a plan: everything that streams share is made, then looked after until they have ended.

#include <algorithm>
#include <ctime>
#include <memory>
#include <thread>

#include "app/exit_status.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/run_figures.h"
#include "app/run_plan.h"
#include "app/supervisor.h"
#include "app/terminal_area.h"
#include "app/wall.h"
#include "engine/engine.h"

namespace sightline {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kTick = 100ms;
constexpr auto kBetweenTables = 500ms;
constexpr auto kBetweenLines = 60s;  // where no table can be drawn

class Repeated {
 public:
  explicit Repeated(std::chrono::milliseconds interval)
      : interval_(interval), next_(Clock::now() + interval) {}

  bool due() {
    if (Clock::now() < next_) return false;
    next_ += interval_;
    return true;
  }

 private:
  std::chrono::milliseconds interval_;
  Clock::time_point next_;
};

std::vector<std::string> names_of(const RunPlan& plan) {
  std::vector<std::string> names;
  for (const StreamPlan& stream : plan.streams) names.push_back(stream.input.label());
  return names;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

class Run {
 public:
  explicit Run(const RunPlan& plan);
  int play(int failed);

 private:
  std::unique_ptr<Supervisor> make_streams();
  void keep_loaded();
  void look_after();
  bool wall_closed();
  void show_figures();
  void write_figures(bool final);
  RunFigures figures() const;
  int finish(int failed);

  const RunPlan& plan_;
  Clock::time_point begin_ = Clock::now();
  LineWriter::Mode mode_;
  OutputNames recordings_;
  std::optional<LineWriter> events_, stats_;
  std::vector<std::shared_ptr<Engine>> loaded_;
  Interrupts interrupts_;
  std::unique_ptr<Wall> wall_;
  bool wall_failed_ = false;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<MetricsServer> metrics_;  // asks the supervisor's streams
  ProgressBar bar_;
  Repeated table_{kBetweenTables}, line_{kBetweenLines};
  std::optional<Repeated> stats_due_;
};

Run::Run(const RunPlan& plan)
    : plan_(plan),
      mode_(plan.keeps_older ? LineWriter::Mode::kAppend : LineWriter::Mode::kWhole),
      recordings_(plan.record, plan.keeps_older),
      bar_(plan.streams.front().input.label()) {
  if (!plan.json.empty()) events_.emplace(plan.json, "events", mode_);
  if (!plan.stats.empty()) stats_.emplace(plan.stats, "figures", LineWriter::Mode::kAppend);
  if (events_) events_->write_tensors(plan.json_tensors);
  const bool goes_on = plan.streams.size() > 1 || plan.streams.front().live;
  if (events_ && goes_on) events_->survive_failures();
  if (stats_) stats_->survive_failures();
  if (plan.stats_interval > 0s) stats_due_.emplace(plan.stats_interval);
  if (!plan.record.empty()) report_note("Sound is not carried over to recordings.");
  if (plan.streams.size() > 1 || plan.streams.front().live) keep_loaded();
  if (plan.wall) wall_ = std::make_unique<Wall>(names_of(plan), *plan.wall);
  supervisor_ = make_streams();
  if (!plan.metrics) return;
  metrics_ = std::make_unique<MetricsServer>(*plan.metrics,
                                             [this] { return figures_as_metrics(figures()); });
  report_note("Figures are at http://" + metrics_->address().text() + "/metrics");
}

// One pipeline after another need not load the networks anew.
void Run::keep_loaded() {
  std::vector<FaceStages> seen;
  for (const StreamPlan& stream : plan_.streams) {
    FaceStages stages = stream.stages;
    if (plan_.galleries.empty()) stages.embed = kNone;
    if (std::ranges::find(seen, stages) != seen.end()) continue;
    seen.push_back(stages);
    for (auto& engine : stages.keep_loaded()) loaded_.push_back(std::move(engine));
  }
}

std::unique_ptr<Supervisor> Run::make_streams() {
  const StreamOutputs outputs{plan_.galleries, &recordings_, events_ ? &*events_ : nullptr,
                              wall_.get(), plan_.show};
  std::vector<std::unique_ptr<Stream>> streams;
  for (const StreamPlan& stream : plan_.streams)
    streams.push_back(std::make_unique<Stream>(stream, outputs, streams.size()));
  return std::make_unique<Supervisor>(std::move(streams), plan_.files_at_once);
}

RunFigures Run::figures() const {
  return RunFigures::of(supervisor_->streams(),
                        std::chrono::duration<double>(Clock::now() - begin_).count());
}

int Run::play(int failed) {
  supervisor_->start(interrupts_);
  look_after();
  return finish(failed);
}

void Run::look_after() {
  bool ending = false;
  while (!supervisor_->finished()) {
    std::this_thread::sleep_for(kTick);
    if (!ending && wall_closed()) interrupts_.request();
    if (interrupts_.count() > 0 && !ending) {
      ending = true;
      report_note("Ending. Once more to stop at once.");
    }
    show_figures();
    if (stats_due_ && stats_due_->due()) write_figures(false);
  }
  clear_area();
}

// Whether somebody closed it. One that fails does not end the streams.
bool Run::wall_closed() {
  if (wall_ == nullptr || wall_failed_) return false;
  try {
    return wall_->closed();
  } catch (const Error& error) {
    wall_failed_ = true;
    report_error(std::string(error.what()) + " The streams go on without.");
    return false;
  }
}

void Run::show_figures() {
  const auto& streams = supervisor_->streams();
  if (streams.size() == 1)
    return bar_.update(streams.front()->progress(),
                       counted(streams.front()->snapshot().frames, "frame"));
  if (is_terminal()) {
    if (!table_.due()) return;
    const TerminalSize size = terminal_size();
    draw_area(figures_as_table(figures(), size.columns, size.rows, true));
  } else if (line_.due()) {
    report_note(figures_as_line(figures()));
  }
}

void Run::write_figures(bool final) {
  if (!stats_) return;
  Json json = {{"time", utc_now()}, {"final", final}};
  json.update(figures_as_json(figures()));
  stats_->write(json_line(json));
}

int Run::finish(int failed) {
  metrics_.reset();
  write_figures(true);
  if (stats_) stats_->finish();
  bool any = false;
  for (const auto& stream : supervisor_->streams()) {
    const StreamSnapshot snapshot = stream->snapshot();
    if (snapshot.state == StreamState::kFailed) ++failed;
    any = any || snapshot.frames > 0 || snapshot.state == StreamState::kEnded;
  }
  if (wall_ != nullptr && !wall_failed_) wall_->finish();
  if (events_ && any) events_->finish();
  for (const auto* lines : {&events_, &stats_}) failed += *lines && (*lines)->failed() ? 1 : 0;
  failed += wall_failed_ ? 1 : 0;
  return failed == 0 ? kSuccess : kFailure;
}

}  // namespace

int play(const RunPlan& plan, int failed) { return Run(plan).play(failed); }

}  // namespace sightline
