// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The commands of the program, one file each. Each add_…() describes a command to the parser; if it
// was chosen, `action` becomes what it does, which returns the exit status.

#pragma once

#include <functional>

#include "app/installation.h"

namespace CLI {
class App;
}

namespace sightline {

using Action = std::function<int()>;

void add_enroll(CLI::App& program, const Installation& installation, Action& action);
void add_gallery(CLI::App& program, const Installation& installation, Action& action);
void add_run(CLI::App& program, const Installation& installation, Action& action);
void add_replay(CLI::App& program, const Installation& installation, Action& action);
void add_live(CLI::App& program, const Installation& installation, Action& action);
void add_embed(CLI::App& program, const Installation& installation, Action& action);
void add_verify(CLI::App& program, const Installation& installation, Action& action);
void add_identify(CLI::App& program, const Installation& installation, Action& action);
void add_score(CLI::App& program, Action& action);
void add_models(CLI::App& program, const Installation& installation, Action& action);
void add_config(CLI::App& program, const Installation& installation, Action& action);
void add_migrate(CLI::App& program, Action& action);
void add_parity(CLI::App& program, const Installation& installation, Action& action);
void add_doctor(CLI::App& program, const Installation& installation, Action& action);

// Where every command looks for known people unless told otherwise.
inline constexpr char kDefaultGallery[] = "people.db";

}  // namespace sightline
