// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline migrate: a deepstream-app's file becomes an installation's.

#include <fstream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/deepstream_app.h"
#include "app/exit_status.h"
#include "app/json_text.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "core/error.h"

namespace sightline {

namespace {

namespace fs = std::filesystem;

struct MigrateOptions {
  std::string file;
  std::string out;
  bool json = false;
};

void write_new(const fs::path& path, const std::string& text) {
  std::error_code ignored;
  if (fs::exists(path, ignored))
    throw Error(ErrorCode::kFailed,
                path.string() + ": is there already. Remove it, or name another folder (--out).");
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  if (!stream.flush()) throw Error(ErrorCode::kFailed, path.string() + ": cannot be written");
}

int migrate(const MigrateOptions& options) {
  const fs::path folder = options.out;
  const MigratedApp app = migrate_deepstream_app(options.file, folder);
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    throw Error(ErrorCode::kFailed, folder.string() + ": cannot be made: " + problem.message());
  if (!app.analytics.empty()) write_new(folder / kMigratedAnalytics, app.analytics);
  write_new(folder / "site.yaml", app.site);
  if (options.json) {
    Json json = {{"site", (folder / "site.yaml").string()}, {"not_covered", Json::array()}};
    for (const NotCovered& it : app.not_covered)
      json["not_covered"].push_back({{"where", it.where}, {"what", it.what}, {"why", it.why}});
    print_line(json_line(json));
    return kSuccess;
  }
  print_line("written: " + (folder / "site.yaml").string());
  if (!app.analytics.empty()) print_line("written: " + (folder / kMigratedAnalytics).string());
  for (const NotCovered& it : app.not_covered)
    print_line("not covered: " + it.where + ": " + it.what + ": " + it.why);
  report_note("sightline run --check --config " + (folder / "site.yaml").string() +
              " says what it would do.");
  return kSuccess;
}

}  // namespace

void add_migrate(CLI::App& program, Action& action) {
  const auto options = std::make_shared<MigrateOptions>();
  CLI::App* command = program.add_subcommand(
      "migrate",
      "Makes an installation's file of a deepstream-app's, and lists what it cannot say");
  command->add_option("FILE", options->file, "deepstream_app.txt or .yml")->required();
  command
      ->add_option("--out", options->out,
                   "The folder for site.yaml and analytics.ini; nothing in it is overwritten")
      ->type_name("DIR")
      ->required();
  command->add_flag("--json", options->json, "What was written and what is not covered, as JSON");
  command->callback([&action, options] { action = [options] { return migrate(*options); }; });
}

}  // namespace sightline
