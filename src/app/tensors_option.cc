// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/tensors_option.h"

#include <map>
#include <string>

#include <CLI/CLI.hpp>

namespace sightline {

CLI::Option* add_tensors_option(CLI::App& command, TensorsAs& tensors) {
  const std::map<std::string, TensorsAs> words = {
      {"none", TensorsAs::kNothing}, {"base64", TensorsAs::kBase64}, {"array", TensorsAs::kArray}};
  return command
      .add_option("--tensors", tensors,
                  "How --json has the tensors of frames and objects: none, base64 or array "
                  "(docs/events.md). Default: none")
      ->type_name("HOW")
      ->transform(CLI::CheckedTransformer(words).description(""));
}

}  // namespace sightline
