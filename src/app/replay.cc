// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline replay: what an earlier run has found, back on the clip, without a network.

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/run_plan.h"
#include "app/tensors_option.h"
#include "core/error.h"

namespace sightline {

namespace {

struct ReplayOptions {
  Replay replay;
  std::string input, out, json;
  TensorsAs tensors = TensorsAs::kNothing;
  bool show = false;
};

StreamPlan stream_of(const ReplayOptions& options) {
  std::vector<Input> inputs = resolve_input(options.input);
  if (inputs.size() != 1)
    throw UsageError(options.input + ": is " + std::to_string(inputs.size()) +
                     " files. Replay one clip at a time.");
  StreamPlan stream;
  stream.input = std::move(inputs.front());
  if (is_live(stream.input))
    throw UsageError(options.input +
                     ": is live, so its frames are not those of the events. Name a clip.");
  stream.stages.replay = options.replay;
  stream.retry_at_start = false;
  return stream;
}

int replay(const ReplayOptions& options) {
  RunPlan plan;
  plan.streams.push_back(stream_of(options));
  plan.record = options.out;
  plan.json = options.json;
  plan.json_tensors = options.tensors;
  plan.show = options.show;
  if (plan.record.empty() && plan.json.empty() && !plan.show)
    throw UsageError("replay: nothing to do. --out, --json or --show says what.");
  check_plan(plan);
  return play(plan, 0);
}

void add_options(CLI::App& command, ReplayOptions& options) {
  command
      .add_option("EVENTS", options.replay.events,
                  "What `sightline run --json` or sightjson has written")
      ->required();
  command.add_option("INPUT", options.input, "The clip that it is of")->required();
  command
      .add_option("--stream", options.replay.stream,
                  "Whose lines are taken. Default: those of the clip's name, or of the only stream")
      ->type_name("NAME");
  command
      .add_option("--match", options.replay.match,
                  "How a frame finds its line: pts, frame (its number), or auto: by pts if each "
                  "line has its own. Default: auto")
      ->type_name("HOW")
      ->check(CLI::IsMember({"auto", "pts", "frame"}).description(""));
  command
      .add_option("--out", options.out,
                  "Write the annotated picture: .mp4, .mov, .mkv, or .jpg or .png of a picture")
      ->type_name("FILE");
  command
      .add_option("--json", options.json,
                  "Write a line of JSON a frame, as `sightline run` does; -: to standard output")
      ->type_name("FILE");
  add_tensors_option(command, options.tensors);
  command.add_flag("--show", options.show, "Show the annotated picture in a window");
}

}  // namespace

void add_replay(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App* command = program.add_subcommand(
      "replay", "Puts what an earlier run has written as JSON back onto the frames of the clip");
  add_options(*command, *options);
  command->footer(
      "No network is run: drawing again, in another way or for another part, takes the time of "
      "playing. A line that is wrong is an error that names file and line. Exit status: 0 done, 1 "
      "failed, 2 wrong usage.");
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return replay(*options);
    };
  });
}

}  // namespace sightline
