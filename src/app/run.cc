// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline run: faces of clips, pictures and live video, named, drawn and written down.

#include <cctype>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/event_writer.h"
#include "app/exit_status.h"
#include "app/face_stages.h"
#include "app/input.h"
#include "app/interrupt.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/video_run.h"
#include "core/error.h"
#include "engine/engine.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

struct RunOptions {
  std::vector<std::string> inputs;
  std::string gallery;
  std::string out;
  std::string json;
  bool show = false;
  FaceStages stages;
};

// The inputs that there are; the others are reported.
std::vector<Input> resolve(const std::vector<std::string>& texts, int& failed) {
  std::vector<Input> inputs;
  for (const std::string& text : texts) {
    try {
      for (Input& input : resolve_input(text)) inputs.push_back(std::move(input));
    } catch (const Error& error) {
      report_error(error.what());
      ++failed;
    }
  }
  return inputs;
}

// Without --gallery: people.db if it is there, else nobody is named.
fs::path choose_gallery(const std::string& chosen) {
  std::error_code ignored;
  fs::path path = chosen.empty() ? kDefaultGallery : chosen;
  if (fs::exists(path, ignored)) return path;
  if (!chosen.empty())
    throw Error(ErrorCode::kNotFound,
                chosen + ": no such gallery. `sightline enroll NAME IMAGE... --gallery " + chosen +
                    "` makes one.");
  report_note(std::string("No gallery: ") + kDefaultGallery +
              " is not here, so nobody will be named. `sightline enroll` makes one.");
  return {};
}

bool is_picture(const Input& input) {
  if (input.kind != InputKind::kFile) return false;
  try {
    return content_of(input.text).type.rfind("image/", 0) == 0;
  } catch (const Error&) {
    return false;  // running it says why
  }
}

// A file name from whatever the input is called.
std::string stem_of(const Input& input) {
  if (input.kind == InputKind::kFile) return fs::path(input.text).stem().string();
  std::string stem;
  for (const char c : input.name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      stem += c;
    else if (!stem.empty() && stem.back() != '-')
      stem += '-';
  stem.resize(std::min<std::size_t>(stem.size(), 60));
  return stem;
}

// Which file each input is written to: what --out names, or in the folder that it names.
class Targets {
 public:
  Targets(const std::string& out, std::size_t inputs) : out_(out) {
    if (out.empty()) return;
    folder_ = out.back() == '/' || fs::is_directory(out);
    if (!folder_ && inputs > 1)
      throw UsageError("--out " + out + ": " + std::to_string(inputs) +
                       " inputs need a folder, in which each gets a file: --out " +
                       fs::path(out).stem().string() + "/");
    if (!folder_) Recording::require_known_ending(out_);
    if (folder_) fs::create_directories(out_);
  }

  fs::path target_of(const Input& input) {
    if (out_.empty()) return {};
    const bool picture = is_picture(input);
    if (folder_) return out_ / unique_name(stem_of(input), picture ? ".jpg" : ".mp4");
    if (!picture && Recording::holds_picture(out_))
      throw UsageError("--out " + out_.string() + ": " + input.label() +
                       " is no picture. Give a name that ends in .mp4 or .mkv.");
    return out_;
  }

 private:
  std::string unique_name(const std::string& stem, const std::string& ending) {
    std::string name = stem + ending;
    for (int number = 2; !used_.insert(name).second; ++number)
      name = stem + "-" + std::to_string(number) + ending;
    return name;
  }

  fs::path out_;
  bool folder_ = false;
  std::set<std::string> used_;
};

std::string frames_per_second(const RunSummary& summary) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f s, %.1f frames/s", summary.seconds,
                summary.seconds > 0 ? static_cast<double>(summary.frames) / summary.seconds : 0.0);
  return text;
}

void report_summary(const Input& input, const RunRequest& request, const RunSummary& summary) {
  std::string line = input.label() + ": " + counted(summary.frames, "frame") + " in " +
                     frames_per_second(summary) + "; " + counted(summary.faces, "face");
  if (!request.gallery.empty()) {
    for (const auto& [name, times] : summary.named)
      line += ", " + name + " " + std::to_string(times) + "×";
    line += ", unknown " + std::to_string(summary.unknown) + "×";
  }
  if (!request.out.empty() && summary.frames > 0) line += "; written to " + request.out.string();
  report_note(line);
}

enum class Outcome { kWhole, kPart, kNothing };

Outcome run_one(const Input& input, const RunRequest& request, const Interrupts& interrupts) {
  try {
    const RunSummary summary = VideoRun(input, request).play(interrupts);
    report_summary(input, request, summary);
    if (summary.problem.empty()) return Outcome::kWhole;
    report_error(input.label() + ": only what came before could be processed: " + summary.problem);
    return Outcome::kPart;
  } catch (const Error& error) {
    report_error(error.what());
    return Outcome::kNothing;
  }
}

int run(const RunOptions& options) {
  int failed = 0;
  const std::vector<Input> inputs = resolve(options.inputs, failed);
  if (inputs.empty()) return kFailure;
  Targets targets(options.out, inputs.size());
  RunRequest request{options.stages, choose_gallery(options.gallery), {}, options.show, nullptr};
  std::optional<EventWriter> events;
  if (!options.json.empty()) request.events = &events.emplace(options.json);
  if (!options.out.empty()) report_note("Sound is not carried over to what --out writes.");

  std::vector<std::shared_ptr<Engine>> loaded;
  if (inputs.size() > 1) loaded = request.stages.keep_loaded();
  const Interrupts interrupts;
  bool any = false;
  for (const Input& input : inputs) {
    request.out = targets.target_of(input);
    const Outcome outcome = run_one(input, request, interrupts);
    if (outcome != Outcome::kWhole) ++failed;
    if (outcome != Outcome::kNothing) any = true;
    if (interrupts.count() > 0) break;
  }
  if (events && any) events->finish();
  return failed == 0 ? kSuccess : kFailure;
}

}  // namespace

void add_run(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<RunOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command = program.add_subcommand(
      "run", "Finds and names faces in clips, pictures and live video, one input after another");
  command
      ->add_option(
          "INPUT", options->inputs,
          "A file, a glob in quotes, a folder, an rtsp:// or http:// address, a camera such "
          "as /dev/video0, or a GStreamer fragment in quotes")
      ->required();
  command
      ->add_option("--gallery", options->gallery,
                   std::string("Who is known; without it ") + kDefaultGallery + " if that is there")
      ->type_name("FILE");
  command
      ->add_option("--out", options->out,
                   "Write the annotated picture: .mp4, .mov, .mkv, or .jpg or .png of a picture. "
                   "Several inputs need a folder, which ends in /")
      ->type_name("FILE");
  command
      ->add_option("--json", options->json,
                   "Write a line of JSON a frame: {\"stream\", \"frame\", \"pts\", \"width\", "
                   "\"height\", \"objects\"}; -: to standard output")
      ->type_name("FILE");
  command->add_flag("--show", options->show, "Show the annotated picture in a window");
  command->footer(
      "A live input never lags: where the networks are slower, the newest frame wins. Ctrl-C ends "
      "it "
      "in good order, and what was written can be played.");
  options->stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return run(*options);
    };
  });
}

}  // namespace sightline
