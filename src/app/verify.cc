// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline verify: how well pairs of pictures are told apart.

#include <algorithm>
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
#include "gallery/calibration.h"
#include "gallery/decision_rule.h"

namespace sightline {

namespace {

struct VerifyOptions {
  std::string pairs;
  std::string calibrate;  // likewise a table; the curve goes into the gallery
  std::string gallery = kDefaultGallery;
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

// How well the probabilities are those of what they were fitted to: the mean squared difference to
// what was true, of both kinds of pairs equally. 0.25 is what saying "one half" of all pairs gives.
double brier_score(const Calibration& calibration, const std::vector<LabelledSimilarity>& pairs) {
  double sums[2] = {0, 0}, counts[2] = {0, 0};
  for (const LabelledSimilarity& pair : pairs) {
    const double error = probability(calibration, pair.similarity) - (pair.same ? 1 : 0);
    sums[pair.same] += error * error;
    ++counts[pair.same];
  }
  return (sums[0] / counts[0] + sums[1] / counts[1]) / 2;
}

void calibrate(const VerifyOptions& options, const std::vector<ScoredPair>& scored,
               const CentreFaces& faces) {
  std::vector<LabelledSimilarity> pairs;
  for (const ScoredPair& pair : scored)
    if (pair.similarity) pairs.push_back({*pair.similarity, pair.same});
  const Calibration calibration = fit_calibration(pairs);
  const auto gallery = Gallery::open(options.gallery, Gallery::Mode::kCreate);
  gallery->require_model(*faces.model());
  gallery->set_calibration(calibration);
  const float shipped = kPairThreshold;
  const double half = -calibration.offset / calibration.slope;
  if (options.json) {
    print_line(
        json_line({{"gallery", shown_location(options.gallery)},
                   {"model", faces.model()->id},
                   {"pairs", pairs.size()},
                   {"slope", calibration.slope},
                   {"offset", calibration.offset},
                   {"brier_score", brier_score(calibration, pairs)},
                   {"similarity_at_one_half", half},
                   {"probability_at_shipped_threshold", probability(calibration, shipped)}}));
    return;
  }
  char line[200];
  std::snprintf(line, sizeof line,
                "calibrated by %zu pairs: one half at a similarity of %.4f, %.3f at the shipped "
                "threshold of %.4f (Brier score %.4f)",
                pairs.size(), half, probability(calibration, shipped), static_cast<double>(shipped),
                brier_score(calibration, pairs));
  print_line(line);
  print_line("stored in " + shown_location(options.gallery));
}

int verify(const VerifyOptions& options) {
  const bool calibrates = !options.calibrate.empty();
  const std::vector<FilePair> pairs = read_pairs(calibrates ? options.calibrate : options.pairs);
  if (calibrates) {
    const long same = std::ranges::count(pairs, true, &FilePair::same);
    require_enough_pairs(same, static_cast<long>(pairs.size()) - same);
  }
  std::vector<std::string> files;
  for (const FilePair& pair : pairs) files.insert(files.end(), {pair.a, pair.b});
  const CentreFaces faces(options.stages, files, options.root, "verify");

  std::vector<ScoredPair> scored;
  for (const FilePair& pair : pairs) scored.push_back(score(pair, faces));
  if (calibrates) {
    calibrate(options, scored, faces);
  } else {
    const Verification result = summarise(scored, kPairThreshold);
    if (options.json)
      print_line(json_line(to_json(result)));
    else
      print_text(result);
  }
  if (faces.unreadable() == 0) return kSuccess;
  report_error(counted(faces.unreadable(), "picture") + " could not be read; their pairs " +
               (calibrates ? "are left out" : "count as wrong"));
  return kFailure;
}

}  // namespace

void add_verify(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<VerifyOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command = program.add_subcommand(
      "verify", "Measures how well pairs of pictures are told apart: the same person or not");
  CLI::Option* pairs = command
                           ->add_option("--pairs", options->pairs,
                                        "Table separated by tabs: file_a, file_b, same (1 or 0)")
                           ->type_name("FILE");
  CLI::Option* calibrate =
      command
          ->add_option(
              "--calibrate", options->calibrate,
              "Such a table, from which the gallery learns how probable a similarity makes "
              "it that two faces are one person's; of at least " +
                  std::to_string(kFewestPairs) + " pairs of one person and as many of two")
          ->type_name("FILE")
          ->excludes(pairs);
  command
      ->add_option("--gallery", options->gallery,
                   "Where a calibration is stored; made if it is not there")
      ->type_name("FILE")
      ->capture_default_str()
      ->needs(calibrate);
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
      const std::string table = options->pairs + options->calibrate;  // one of them is empty
      if (table.empty()) throw UsageError("verify: say --pairs FILE or --calibrate FILE.");
      if (options->root.empty()) options->root = std::filesystem::path(table).parent_path();
      prepare_gstreamer(installation.plugin);
      return verify(*options);
    };
  });
}

}  // namespace sightline
