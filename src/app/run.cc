// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline run: faces of clips, pictures and live video, named, drawn and written down.

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/number_range.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/run_plan.h"
#include "app/site_file.h"
#include "app/standard_output.h"
#include "app/tensors_option.h"
#include "core/error.h"
#include "gallery/gallery.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

// What the command line says; absent where it says nothing.
struct RunOptions {
  std::vector<std::string> inputs;
  std::optional<std::string> config, gallery, out, json, stats, metrics;
  std::string wall;  // empty: a window, if `wall_given`
  CLI::Option* wall_given = nullptr;
  std::optional<int> stats_interval, parallel, max_restarts;
  std::optional<double> stall_timeout;
  std::optional<int> interval;
  std::optional<std::string> analytics;
  TensorsAs tensors = TensorsAs::kNothing;
  CLI::Option* tensors_given = nullptr;
  bool track = false, no_track = false;
  bool no_restart = false;
  bool show = false;
  bool check = false;
  FaceStages shipped;
  FaceStages networks{{}, {}, {}, ""};
};

// Without --gallery: people.db if it is there, else nobody is named.
std::vector<std::string> choose_galleries(const std::optional<std::string>& chosen) {
  std::error_code ignored;
  if (!chosen && fs::exists(kDefaultGallery, ignored)) return {kDefaultGallery};
  if (!chosen) {
    report_note(std::string("No gallery: ") + kDefaultGallery +
                " is not here, so nobody will be named. `sightline enroll` makes one.");
    return {};
  }
  if (fs::exists(*chosen, ignored)) return {*chosen};  // with a comma in its name, perhaps
  std::vector<std::string> galleries = locations_in(*chosen);
  for (const std::string& gallery : galleries) require_gallery(gallery);
  return galleries;
}

// An input that is named twice is two streams.
void give_names_of_their_own(std::vector<StreamPlan>& streams) {
  std::map<std::string, int> times;
  for (StreamPlan& stream : streams)
    if (const int time = ++times[stream.input.name]; time > 1)
      stream.input.name += " #" + std::to_string(time);
}

// The inputs that there are; the others are reported and counted.
std::vector<StreamPlan> resolve(const std::vector<std::string>& texts, int& failed) {
  std::vector<StreamPlan> streams;
  for (const std::string& text : texts) {
    try {
      for (Input& input : resolve_input(text)) {
        StreamPlan stream;
        stream.live = stream.tracking.tracks = is_live(input);
        stream.input = std::move(input);
        streams.push_back(std::move(stream));
      }
    } catch (const Error& error) {
      report_error(error.what());
      ++failed;
    }
  }
  for (StreamPlan& stream : streams) stream.retry_at_start = streams.size() > 1;
  give_names_of_their_own(streams);
  return streams;
}

void override_networks(const FaceStages& given, FaceStages& stages) {
  const auto take = [](const fs::path& config, fs::path& taken, std::string& place) {
    if (config.empty()) return;
    taken = config;
    place.clear();  // the file named another
  };
  take(given.detect, stages.detect, stages.places.detect);
  take(given.landmarks, stages.landmarks, stages.places.landmarks);
  take(given.embed, stages.embed, stages.places.embed);
  if (!given.device.empty()) stages.device = given.device;
}

void override_streams(const RunOptions& options, std::vector<StreamPlan>& streams) {
  for (StreamPlan& stream : streams) {
    override_networks(options.networks, stream.stages);
    if (options.analytics) {
      stream.analytics = *options.analytics;
      stream.tracking.tracks = true;
    }
    if (options.track || options.no_track) stream.tracking.tracks = options.track;
    if (options.interval) stream.tracking.interval = *options.interval;
    if (options.max_restarts) stream.restarts.maximum = *options.max_restarts;
    if (options.no_restart) stream.restarts.maximum = 0;
    if (options.stall_timeout)
      stream.restarts.stall_timeout =
          std::chrono::milliseconds(static_cast<long>(*options.stall_timeout * 1000));
  }
}

void override_outputs(const RunOptions& options, RunPlan& plan) {
  if (options.out) plan.record = *options.out;
  if (options.json) plan.json = *options.json;
  if (options.tensors_given->count() > 0 && plan.json.empty())
    throw UsageError("--tensors: written where to? --json FILE says so.");
  plan.json_tensors = options.tensors;
  if (options.stats) plan.stats = *options.stats;
  if (options.stats_interval) plan.stats_interval = std::chrono::seconds(*options.stats_interval);
  if (options.metrics) plan.metrics = MetricsAddress::parse(*options.metrics);
  if (options.wall_given->count() > 0) plan.wall = options.wall;
  if (options.parallel) plan.files_at_once = *options.parallel;
  plan.show = options.show;
  if (options.stats_interval && plan.stats.empty())
    throw UsageError("--stats-interval: where to? --stats FILE says so.");
}

RunPlan make_plan(const RunOptions& options, int& failed) {
  RunPlan plan;
  if (options.config) plan = read_site(*options.config, options.shipped);
  if (!options.inputs.empty()) {
    plan.streams = resolve(options.inputs, failed);
    for (StreamPlan& stream : plan.streams) stream.stages = options.shipped;
  } else if (!options.config) {
    throw UsageError(
        "run: nothing to run. Name an INPUT, or an installation's file: --config "
        "site.yaml. `sightline run --help` shows how it is used.");
  }
  if (options.gallery || !options.config) plan.galleries = choose_galleries(options.gallery);
  override_streams(options, plan.streams);
  override_outputs(options, plan);
  return plan;
}

int run(const RunOptions& options) {
  int failed = 0;
  const RunPlan plan = make_plan(options, failed);
  if (plan.streams.empty()) return kFailure;
  check_plan(plan);
  if (!options.check) return play(plan, failed);
  for (const std::string& line : describe_plan(plan)) print_line(line);
  return failed == 0 ? kSuccess : kFailure;
}

void add_inputs(CLI::App& command, RunOptions& options) {
  command.add_option("INPUT", options.inputs,
                     "A file, a glob in quotes, a folder, an rtsp:// or http:// address, a camera "
                     "such as /dev/video0, or a GStreamer fragment in quotes. Live ones run side "
                     "by side");
  command
      .add_option(
          "--config", options.config,
          "A YAML file that describes an installation (docs/installation-file.md); what the "
          "command line says replaces what it says")
      ->type_name("FILE");
  command.add_flag("--check", options.check,
                   "Say what would be done, and what is wrong, without doing it");
  command
      .add_option("--parallel", options.parallel,
                  "How many files are played side by side. Default: 1, one after another, since "
                  "each may use the whole machine")
      ->type_name("N")
      ->check(number_range(1, 64));
  command
      .add_option(
          "--gallery", options.gallery,
          std::string("Who is known; several with commas between them: the first that accepts "
                      "decides. Without it ") +
              kDefaultGallery + " if that is there")
      ->type_name("FILE");
}

void add_tracking(CLI::App& command, RunOptions& options) {
  const std::string group = "Tracking";
  CLI::Option* track = command.add_flag(
      "--track", options.track,
      "Faces keep a number over time, are named by all views of them (docs/identities.md), and are "
      "embedded again only where they changed. Default: live inputs are tracked, and of files "
      "each frame stands for itself");
  track->group(group);
  command.add_flag("--no-track", options.no_track, "Each frame stands for itself")
      ->excludes(track)
      ->group(group);
  command
      .add_option("--analytics", options.analytics,
                  "What tracked faces do by this configuration of lines and zones "
                  "(docs/analytics.md): drawn, and in the JSON. Turns tracking on")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--interval", options.interval,
                  "Frames between two in which faces are looked for; tracked faces are expected "
                  "where they move to. Default: 0")
      ->type_name("N")
      ->check(number_range(0, 1000))
      ->group(group);
}

void add_restarts(CLI::App& command, RunOptions& options) {
  const std::string group = "Live inputs that fail";
  command
      .add_option("--max-restarts", options.max_restarts,
                  "How often in a row one is opened again, after 1 s, 2 s, 4 s … 30 s. Default: "
                  "without end. A minute that went well is a new beginning")
      ->type_name("N")
      ->check(number_range(0, 1'000'000))
      ->group(group);
  command.add_flag("--no-restart", options.no_restart, "As --max-restarts 0")->group(group);
  command
      .add_option("--stall-timeout", options.stall_timeout,
                  "Without a frame for so long, one has failed. 0: never. Default: 10")
      ->type_name("SECONDS")
      ->check(number_range(0.0, 3600.0))
      ->group(group);
}

void add_outputs(CLI::App& command, RunOptions& options) {
  const std::string group = "Outputs";
  command
      .add_option("--out", options.out,
                  "Write the annotated picture: .mp4, .mov, .mkv, or .jpg or .png of a picture. "
                  "Several inputs need a folder, which ends in /")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--json", options.json,
                  "Write a line of JSON a frame: {\"stream\", \"frame\", \"pts\", \"width\", "
                  "\"height\", \"objects\"}; -: to standard output")
      ->type_name("FILE")
      ->group(group);
  options.tensors_given = add_tensors_option(command, options.tensors)->group(group);
  command.add_flag("--show", options.show, "Show the annotated picture in a window")->group(group);
  options.wall_given =
      command
          .add_option("--wall", options.wall,
                      "Show all inputs side by side in one window, or write that to a new FILE "
                      "(.mp4, .mov, .mkv). Files are played at their own speed then. Name it after "
                      "the inputs")
          ->type_name("[FILE]")
          ->expected(0, 1)
          ->group(group);
  command
      .add_option("--stats", options.stats,
                  "Add figures of each input to a file, as a line of JSON at the end "
                  "(docs/running.md); -: to standard output")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--stats-interval", options.stats_interval, "And every so many seconds")
      ->type_name("SECONDS")
      ->check(number_range(0, 86400))
      ->group(group);
  command
      .add_option("--metrics", options.metrics,
                  "Serve figures to Prometheus at http://ADDRESS:PORT/metrics. Without an address "
                  "127.0.0.1, which only this machine reaches")
      ->type_name("[ADDRESS:]PORT")
      ->group(group);
}

}  // namespace

void add_run(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<RunOptions>();
  options->shipped = FaceStages::shipped(installation.models);
  CLI::App* command = program.add_subcommand(
      "run", "Finds and names faces in clips, pictures and live video, any number at once");
  add_inputs(*command, *options);
  add_tracking(*command, *options);
  add_restarts(*command, *options);
  add_outputs(*command, *options);
  options->networks.add_options(*command);
  command->footer(
      "A live input never lags: where the networks are slower, the newest frame wins. One that "
      "fails is opened again, and the others go on; the only input must have worked once. Ctrl-C "
      "ends all in good order, and what was written can be played. Exit status: 0 done, 1 an input "
      "or an output failed for good, 2 wrong usage.");
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return run(*options);
    };
  });
}

}  // namespace sightline
