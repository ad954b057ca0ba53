// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline verify: how well pairs of pictures are told apart.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/centre_faces.h"
#include "app/commands.h"
#include "app/exit_status.h"
#include "app/json_text.h"
#include "app/metrics.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "app/tsv.h"

namespace sightline {

namespace {

struct VerifyOptions {
  std::string pairs;
  std::string root;
  bool json = false;
  FaceStages stages;
};

struct FilePair {
  std::string a, b;
  bool same;
};

std::vector<FilePair> read_pairs(const std::string& path) {
  const TsvTable table = TsvTable::read(path, {"file_a", "file_b", "same"});
  std::vector<FilePair> pairs;
  for (const TsvRow& row : table.rows()) {
    const std::string& same = row.cells[2];
    if (same != "0" && same != "1")
      table.fail(row, "same is \"" + same + "\", expected 1 (one person) or 0 (two)");
    pairs.push_back({row.cells[0], row.cells[1], same == "1"});
  }
  return pairs;
}

ScoredPair score(const FilePair& pair, const CentreFaces& faces) {
  const auto *a = faces.embedding(pair.a), *b = faces.embedding(pair.b);
  ScoredPair scored{pair.same, std::nullopt};
  if (a != nullptr && b != nullptr) scored.similarity = cosine(*a, *b);
  return scored;
}

// Every rate and the key it has in JSON, in the order in which they are printed.
struct Figure {
  const char* key;
  const char* words;
  std::optional<double> value;
};

std::vector<Figure> rates(const Verification& result) {
  return {{"accuracy", "accuracy at the best threshold", result.accuracy},
          {"accuracy_at_shipped_threshold", "accuracy at the shipped threshold",
           result.accuracy_at_shipped_threshold},
          {"auc", "area under the ROC curve", result.auc},
          {"eer", "equal error rate", result.eer},
          {"tar_at_far_1e-2", "true accepts at 1 % false accepts", result.tar_at_far_1e_2},
          {"tar_at_far_1e-3", "true accepts at 0.1 % false accepts", result.tar_at_far_1e_3}};
}

Json to_json(const Verification& result) {
  Json value = {{"pairs", result.pairs}, {"without_face", result.without_face}};
  for (const Figure& figure : rates(result))
    if (figure.value) value[figure.key] = *figure.value;
  value["best_threshold"] = result.best_threshold;
  value["shipped_threshold"] = result.shipped_threshold;
  return value;
}

void print_text(const Verification& result) {
  char line[120];
  print_line(counted(result.pairs, "pair") + ", of these " + std::to_string(result.without_face) +
             " with a picture in which no face was found (counted as wrong)");
  for (const Figure& figure : rates(result)) {
    if (!figure.value) continue;
    std::snprintf(line, sizeof line, "%-36s %8.4f", figure.words, *figure.value);
    print_line(line);
  }
  std::snprintf(line, sizeof line, "%-36s %8.4f", "best threshold", result.best_threshold);
  print_line(line);
  std::snprintf(line, sizeof line, "%-36s %8.4f", "shipped threshold", result.shipped_threshold);
  print_line(line);
}

int verify(const VerifyOptions& options) {
  const std::vector<FilePair> pairs = read_pairs(options.pairs);
  std::vector<std::string> files;
  for (const FilePair& pair : pairs) files.insert(files.end(), {pair.a, pair.b});
  const CentreFaces faces(options.stages, files, options.root, "verify");

  std::vector<ScoredPair> scored;
  for (const FilePair& pair : pairs) scored.push_back(score(pair, faces));
  const Verification result = summarise(scored, DecisionRule().threshold);
  if (options.json)
    print_line(json_line(to_json(result)));
  else
    print_text(result);
  if (faces.unreadable() == 0) return kSuccess;
  report_error(counted(faces.unreadable(), "picture") +
               " could not be read; their pairs count as wrong");
  return kFailure;
}

}  // namespace

void add_verify(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<VerifyOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command = program.add_subcommand(
      "verify", "Measures how well pairs of pictures are told apart: the same person or not");
  command
      ->add_option("--pairs", options->pairs,
                   "Table separated by tabs: file_a, file_b, same (1 or 0)")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--root", options->root,
                   "Folder that the table's files are in; without it the table's")
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "The face nearest a picture's centre counts. A pair with a picture in which no face was "
      "found "
      "counts as wrong, at every threshold.");
  options->stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      if (options->root.empty())
        options->root = std::filesystem::path(options->pairs).parent_path();
      prepare_gstreamer(installation.plugin);
      return verify(*options);
    };
  });
}

}  // namespace sightline
