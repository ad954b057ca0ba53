// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The command line `sightline`.

#include <csignal>
#include <exception>
#include <string>

#include <malloc.h>

#include <CLI/CLI.hpp>

#include "app/build_paths.h"
#include "app/commands.h"
#include "app/exit_status.h"
#include "app/pipeline.h"
#include "app/report.h"

namespace sightline {
namespace {

std::string usage_failure(const CLI::App* program, const CLI::Error& error) {
  const CLI::App* command = program;
  std::string name = program->get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  return name + ": " + error.what() + "\n`" + name + " --help` shows how it is used.\n";
}

int run(int argc, char** argv) {
  const Installation installation = Installation::locate();
  CLI::App program("Finds faces in pictures and video and says whose they are.", "sightline");
  program.set_version_flag("--version", std::string("sightline ") + kVersion);
  program.require_subcommand(1);
  program.failure_message(usage_failure);
  program.footer("Exit status: 0 done, 1 something failed, 2 wrong usage.");
  Action action;
  add_enroll(program, installation, action);
  add_gallery(program, installation, action);
  add_run(program, installation, action);
  add_replay(program, installation, action);
  add_live(program, installation, action);
  add_embed(program, installation, action);
  add_verify(program, installation, action);
  add_identify(program, installation, action);
  add_score(program, action);
  add_models(program, installation, action);
  add_config(program, installation, action);
  add_migrate(program, action);
  add_parity(program, installation, action);
  add_doctor(program, installation, action);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? kSuccess : kWrongUsage;
  }
  return action();
}

}  // namespace
}  // namespace sightline

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // By default each of a pipeline's many threads keeps memory that it freed for itself, and large
  // blocks leave holes where streams come and go.
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
  // Whoever reads from us may stop; then writing fails, which is reported.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return sightline::run(argc, argv);
  } catch (const sightline::UsageError& error) {
    sightline::report_error(error.what());
    return sightline::kWrongUsage;
  } catch (const std::exception& error) {
    sightline::report_error(error.what());
    return sightline::kFailure;
  }
}
