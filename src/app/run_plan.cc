// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/run_plan.h"

#include <map>
#include <system_error>

#include "analytics/rules.h"
#include "app/exit_status.h"
#include "app/report.h"
#include "app/wall.h"
#include "core/config_file.h"
#include "gallery/gallery.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::string seconds_of(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", std::chrono::duration<double>(time).count());
  return text;
}

std::string describe_restarts(const RestartRule& rule) {
  if (rule.maximum == 0) return "never opened again";
  std::string text = "opened again when it fails";
  if (rule.maximum) text += ", at most " + std::to_string(*rule.maximum) + " times in a row";
  if (rule.stall_timeout.count() > 0)
    text += ", or gives no frame for " + seconds_of(rule.stall_timeout);
  return text;
}

std::string source_of(const Input& input) {
  switch (input.kind) {
    case InputKind::kFile:
      return "file " + input.text;
    case InputKind::kAddress:
      return "address " + without_password(input.text);
    case InputKind::kCamera:
      return "camera " + input.text;
    case InputKind::kFragment:
      return "fragment " + input.text;
  }
  return "";
}

std::string describe_stream(const StreamPlan& stream, const RunPlan& plan) {
  std::string line = source_of(stream.input);
  if (stream.input.name != stream.input.text) line = stream.input.label() + ": " + line;
  line += stream.live ? "; live, " + describe_restarts(stream.restarts) : "; played once";
  line += stream.tracking.tracks ? "; tracked" : "; each frame for itself";
  if (stream.tracking.interval > 0)
    line += "; " + counted(stream.tracking.interval, "frame") + " between two that are looked at";
  if (!stream.analytics.empty()) line += "; analytics: " + stream.analytics.string();
  if (stream.threshold && !plan.galleries.empty()) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", static_cast<double>(*stream.threshold));
    line += std::string("; named from a similarity of ") + text;
  }
  if (!plan.record.empty() && !stream.record) line += "; not recorded";
  return line;
}

std::string describe_networks(const StreamPlan& stream, const RunPlan& plan) {
  if (!stream.stages.networks.empty()) {
    std::string list;
    for (const NetworkStage& network : stream.stages.networks)
      list += (list.empty() ? "" : ", ") + network.config.string();
    return "networks: " + list + " on " + stream.stages.device;
  }
  std::string line = "networks: " + stream.stages.detect.string();
  if (stream.stages.landmarks != kNone) line += ", " + stream.stages.landmarks.string();
  if (!plan.galleries.empty()) line += ", " + stream.stages.embed.string();
  return line + " on " + stream.stages.device;
}

std::vector<Input> recorded_inputs(const RunPlan& plan) {
  std::vector<Input> inputs;
  for (const StreamPlan& stream : plan.streams)
    if (stream.record) inputs.push_back(stream.input);
  return inputs;
}

struct NamedFile {
  fs::path path;
  std::string what;  // "--json", or what it is
};

std::vector<NamedFile> read_files(const RunPlan& plan) {
  std::vector<NamedFile> files;
  for (const StreamPlan& stream : plan.streams) {
    if (stream.input.kind == InputKind::kFile) files.push_back({stream.input.text, "an input"});
    if (!stream.stages.replay.events.empty())
      files.push_back({stream.stages.replay.events, "the file that is replayed"});
  }
  for (const std::string& gallery : plan.galleries)
    if (!is_database_url(gallery)) files.push_back({gallery, "the gallery"});
  return files;
}

std::vector<NamedFile> written_files(const RunPlan& plan) {
  std::vector<NamedFile> files;
  const auto add = [&](const fs::path& path, const std::string& option) {
    if (!path.empty() && path != "-") files.push_back({path, option});
  };
  for (const fs::path& path : OutputNames::of(plan.record, plan.keeps_older, recorded_inputs(plan)))
    add(path, "--out");
  add(plan.json, "--json");
  add(plan.stats, "--stats");
  if (plan.wall) add(*plan.wall, "--wall");
  return files;
}

// Nothing is written over what is still to be read, or over something else that is written.
void check_outputs(const RunPlan& plan) {
  const std::vector<NamedFile> read = read_files(plan), written = written_files(plan);
  std::map<fs::path, std::string> taken;
  for (const NamedFile& output : written) {
    std::error_code ignored;
    const fs::path folder = output.path.parent_path();
    if (output.what != "--out" && !folder.empty() && !fs::is_directory(folder, ignored))
      throw UsageError(output.what + " " + output.path.string() + ": there is no folder " +
                       folder.string() + ". Make it, or choose another name.");
    for (const NamedFile& input : read)
      if (fs::equivalent(output.path, input.path, ignored))
        throw UsageError(output.what + " " + output.path.string() + ": is " + input.what +
                         ". Choose another name.");
    const auto [other, is_new] =
        taken.emplace(fs::weakly_canonical(fs::absolute(output.path), ignored), output.what);
    const bool is_device = fs::is_other(output.path, ignored);
    if (!is_new && !is_device)
      throw UsageError(output.what + " " + output.path.string() + ": is what " + other->second +
                       " names, too. Choose another name for one of them.");
  }
}

}  // namespace

void require_gallery(const std::string& location) {
  std::error_code ignored;
  if (is_database_url(location) || fs::exists(location, ignored)) return;
  throw Error(ErrorCode::kNotFound, location +
                                        ": no such gallery. `sightline enroll NAME IMAGE... "
                                        "--gallery " +
                                        location + "` makes one.");
}

void check_plan(const RunPlan& plan) {
  if (plan.json == "-" && plan.stats == "-")
    throw UsageError(
        "--json - and --stats -: standard output has room for one of them. Write the "
        "other to a file.");
  OutputNames::require_fitting(plan.record, recorded_inputs(plan));
  check_outputs(plan);
  for (const std::string& gallery : plan.galleries)
    Gallery::open(gallery, Gallery::Mode::kReadOnly);
  if (plan.wall && !plan.wall->empty()) {
    Wall::require_fitting(*plan.wall);
    std::error_code ignored;
    if (fs::is_regular_file(*plan.wall, ignored))
      throw UsageError("--wall " + plan.wall->string() +
                       ": is there already, and might be meant as an input. Name inputs before "
                       "--wall, or remove it.");
  }
  for (const StreamPlan& stream : plan.streams) {
    FaceStages stages = stream.stages;
    if (plan.galleries.empty()) stages.embed = kNone;
    stages.check();
    if (!stream.analytics.empty()) Rules::read(ConfigFile::read(stream.analytics));
  }
}

std::vector<std::string> describe_plan(const RunPlan& plan) {
  std::vector<std::string> lines;
  lines.push_back(counted(static_cast<long>(plan.streams.size()), "input") + ", files " +
                  (plan.files_at_once == 1 ? "one after another"
                                           : std::to_string(plan.files_at_once) + " at a time") +
                  ":");
  std::string networks;
  for (const StreamPlan& stream : plan.streams) {
    if (const std::string own = describe_networks(stream, plan); own != networks)
      lines.push_back("  " + (networks = own));
    lines.push_back("  " + describe_stream(stream, plan));
  }
  const auto add = [&](const std::string& what, const std::string& where) {
    if (!where.empty()) lines.push_back(what + where);
  };
  for (const std::string& gallery : plan.galleries) add("gallery: ", shown_location(gallery));
  if (plan.galleries.empty()) add("gallery: ", "none, nobody is named");
  add("recordings: ", plan.record);
  add("events: ", plan.json == "-" ? "standard output" : plan.json);
  add("figures: ", plan.stats == "-" ? "standard output" : plan.stats);
  if (plan.wall) add("wall: ", plan.wall->empty() ? "a window" : plan.wall->string());
  if (plan.metrics) add("metrics: ", "http://" + plan.metrics->text() + "/metrics");
  return lines;
}

}  // namespace sightline
