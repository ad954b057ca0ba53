// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline live: names over faces in a window, and people made known in front of the camera.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/input.h"
#include "app/live_enrolment.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/video_run.h"
#include "core/error.h"
#include "gallery/gallery.h"

namespace sightline {

namespace {

struct LiveOptions {
  std::string input = "/dev/video0";
  std::string gallery = kDefaultGallery;
  std::string json;
  bool no_window = false;
  bool force = false;
  FaceStages stages;
};

Input only_input(const std::string& text) {
  std::vector<Input> inputs = resolve_input(text);
  if (inputs.size() != 1)
    throw UsageError("live: " + text + ": " + std::to_string(inputs.size()) +
                     " files, expected one camera, address, clip or fragment.");
  return inputs.front();
}

int live(const LiveOptions& options) {
  const Input input = only_input(options.input);
  Gallery::open(options.gallery, Gallery::Mode::kCreate);  // names are looked up from the beginning
  std::optional<LineWriter> events;
  if (!options.json.empty()) events.emplace(options.json, "events", LineWriter::Mode::kWhole);

  const Interrupts interrupts;
  StreamFigures figures(input.name, is_live(input));
  LiveEnrolment enrolment(options.gallery, input.name, options.force);
  std::unique_ptr<VideoRun> run;
  RunRequest request;
  request.stages = options.stages;
  request.galleries = {options.gallery};
  request.show = !options.no_window;
  request.without_display = "or do without a window: --no-window.";
  request.events = events ? &*events : nullptr;
  request.figures = &figures;
  request.live = is_live(input);
  request.paced = true;
  request.on_frame = [&](GstBuffer* buffer, GstCaps* caps) { enrolment.observe(buffer, caps); };
  request.on_key = [&](const std::string& key) { enrolment.press(key); };
  request.on_tick = [&] {
    if (!enrolment.go_on()) interrupts.request();
    run->set_caption(enrolment.caption());
  };
  run = std::make_unique<VideoRun>(input, request);
  enrolment.explain(request.show);
  const RunEnd end = run->play(interrupts);
  enrolment.end();
  run.reset();
  if (events) events->finish();
  if (end.problem.empty()) return enrolment.failures() == 0 ? kSuccess : kFailure;
  report_error(input.label() + ": " + end.problem);
  return kFailure;
}

}  // namespace

void add_live(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<LiveOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command = program.add_subcommand(
      "live", "Shows who is in front of a camera, and makes people known from there");
  command
      ->add_option("INPUT", options->input,
                   "A camera, an rtsp:// address, a clip, or a GStreamer fragment in quotes")
      ->capture_default_str();
  command->add_option("--gallery", options->gallery, "Who is known; made if it is not there")
      ->type_name("FILE")
      ->capture_default_str();
  command
      ->add_option("--json", options->json, "Write a line of JSON a frame; -: to standard output")
      ->type_name("FILE");
  command->add_flag("--no-window", options->no_window,
                    "Show nothing: commands come from standard input alone");
  command->add_flag("--force", options->force,
                    "Make somebody known in spite of looking like somebody else who is, or unlike "
                    "the pictures that there are");
  command->footer(
      "To make somebody known: press e in the window, type the name and Enter (Escape gives up); "
      "or write it to the terminal: \"enroll NAME\", or Enter alone, which asks for the name. Five "
      "good views are taken, stored all or none unless the face is somebody else's who is known, "
      "and the box shows the name at once. \"quit\", q in the window or Ctrl-C ends it. Exit "
      "status "
      "1 if somebody was to be made known and was not.");
  options->stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return live(*options);
    };
  });
}

}  // namespace sightline
