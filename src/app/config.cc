// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline config: what a configuration file says, and what becomes of nvinfer's keys.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/json_text.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "stage/config_keys.h"
#include "stage/configuration.h"
#include "stage/model.h"

namespace sightline {

namespace {

struct CheckOptions {
  std::string file;
  bool deepstream = false;
  bool json = false;
};

// A key with the value that counts.
struct EffectiveKey {
  std::string group, name, value, origin;
  KeyUse use;
};

EffectiveKey effective(const ConfigFile& file, const std::string& group, const ConfigKey& key) {
  if (const auto value = file.peek(group, key.name))
    return {group, std::string(key.name), value->text(), value->where(), key.use};
  const bool of_one_class = key.group == "class-attrs" && group != "class-attrs-all";
  if (of_one_class) return effective(file, "class-attrs-all", key);
  return {group, std::string(key.name), std::string(key.own), "default", key.use};
}

std::vector<EffectiveKey> effective_keys(const ConfigFile& file) {
  std::vector<EffectiveKey> keys;
  std::vector<std::string> groups = {"property", "class-attrs-all"};
  for (const std::string& group : file.groups())
    if (group.starts_with("class-attrs-") && std::ranges::find(groups, group) == groups.end())
      groups.push_back(group);
  for (const std::string& group : groups)
    for (const ConfigKey& key : config_keys()) {
      const bool fits = key.group == "property" ? group == "property" : group != "property";
      // Without a value there is nothing to say of what is not applied.
      const bool says = key.use == KeyUse::kApplied || key.use == KeyUse::kOwn ||
                        file.peek(group, key.name).has_value();
      if (!fits || !says) continue;
      keys.push_back(effective(file, group, key));
      keys.back().group = group;
    }
  return keys;
}

void print_text(const std::vector<EffectiveKey>& keys) {
  std::size_t names = 0, values = 0;
  for (const EffectiveKey& key : keys) {
    names = std::max(names, key.name.size());
    values = std::max(values, std::min<std::size_t>(key.value.size(), 40));
  }
  const auto padded = [](std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
  };
  std::string group;
  for (const EffectiveKey& key : keys) {
    if (key.group != group) print_line((group.empty() ? "[" : "\n[") + key.group + "]");
    group = key.group;
    const std::string use = key.use == KeyUse::kRefused       ? "  (refused)"
                            : key.use == KeyUse::kMeaningless ? "  (no meaning here)"
                                                              : "";
    print_line(padded(key.name, names) + "  " + padded(key.value, values) + "  " + key.origin +
               use);
  }
}

void print_json(const Configuration& configuration, const std::vector<EffectiveKey>& keys,
                const std::string& problem) {
  Json json = {{"file", configuration.file.name()},
               {"compat", configuration.compat == Compat::kDeepStream ? "deepstream" : "own"},
               {"keys", Json::array()},
               {"notes", configuration.notes},
               {"warnings", configuration.warnings}};
  for (const EffectiveKey& key : keys)
    json["keys"].push_back({{"group", key.group},
                            {"key", key.name},
                            {"value", key.value},
                            {"origin", key.origin},
                            {"use", std::string(name_of(key.use))}});
  if (!problem.empty()) json["problem"] = problem;
  print_line(json_line(json));
}

// What is wrong with the configuration as a whole, its network included; empty if nothing is.
std::string problem_of(const std::string& file, const ModelOverrides& overrides,
                       Configuration& configuration) {
  try {
    const auto model = Model::load(file, overrides);
    configuration.notes = model->notes();
    configuration.warnings = model->warnings();
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

int check(const CheckOptions& options) {
  ModelOverrides overrides;
  if (options.deepstream) overrides.compat = Compat::kDeepStream;
  Configuration configuration = Configuration::read(options.file, overrides);
  const std::string problem = problem_of(options.file, overrides, configuration);
  const std::vector<EffectiveKey> keys = effective_keys(configuration.file);
  if (options.json) {
    print_json(configuration, keys, problem);
  } else {
    print_text(keys);
    for (const std::string& note : configuration.notes) report_note(note);
    for (const std::string& warning : configuration.warnings) report_warning(warning);
    if (!problem.empty()) report_error(problem);
  }
  return problem.empty() ? kSuccess : kFailure;
}

int keys() {
  std::string page = describe_config_keys();
  page.pop_back();  // print_line() ends the last line
  print_line(page);
  return kSuccess;
}

}  // namespace

void add_config(CLI::App& program, const Installation& installation, Action& action) {
  CLI::App* command = program.add_subcommand(
      "config", "Checks a stage's configuration file, ours or nvinfer's, and explains its keys");
  command->require_subcommand(1);

  const auto options = std::make_shared<CheckOptions>();
  CLI::App* check_command = command->add_subcommand(
      "check", "Each key with the value that counts and where that comes from, and what is wrong");
  check_command->add_option("FILE", options->file, "The configuration file, INI or YAML")
      ->required();
  check_command->add_flag("--deepstream", options->deepstream,
                          "With nvinfer's defaults, as the property config-file-path has them");
  check_command->add_flag("--json", options->json, "As one line of JSON");
  check_command->callback([&action, options, plugin = installation.plugin] {
    action = [options, plugin] {
      prepare_gstreamer(plugin);
      return check(*options);
    };
  });

  CLI::App* keys_command = command->add_subcommand(
      "keys", "All keys, and what becomes of nvinfer's here, as Markdown (docs/nvinfer-keys.md)");
  keys_command->callback([&action] { action = keys; });
}

}  // namespace sightline
