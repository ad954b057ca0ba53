// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline score: how good a tracker's result is, beside the truth.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/json_text.h"
#include "app/number_range.h"
#include "app/standard_output.h"
#include "track/mot_file.h"
#include "track/scores.h"

namespace sightline {

namespace {

struct ScoreOptions {
  std::string truth;
  std::string result;
  MotSelection selection;
  bool json = false;
};

struct Scores {
  ComparedSequence sequence;
  ClearMot clear;
  IdentityScores identity;
  Hota higher_order;
};

// A figure, the key it has in JSON and what it means, in the order in which they are printed.
struct Rate {
  const char* key;
  const char* words;
  double value;
};

std::vector<Rate> rates(const Scores& scores) {
  const auto& [sequence, clear, identity, higher_order] = scores;
  return {{"mota", "MOTA", clear.mota},
          {"motp", "MOTP, mean overlap", clear.motp},
          {"idf1", "IDF1", identity.idf1},
          {"idp", "identity precision", identity.precision},
          {"idr", "identity recall", identity.recall},
          {"hota", "HOTA", higher_order.hota},
          {"deta", "detection accuracy, DetA", higher_order.detection},
          {"assa", "association accuracy, AssA", higher_order.association},
          {"loca", "localisation accuracy, LocA", higher_order.localisation},
          {"recall", "recall", clear.recall},
          {"precision", "precision", clear.precision}};
}

struct Count {
  const char* key;
  const char* words;
  std::size_t value;
};

std::vector<Count> counts(const Scores& scores) {
  const ComparedSequence& sequence = scores.sequence;
  const ClearMot& clear = scores.clear;
  return {
      {"frames", "frames", sequence.frames.size()},
      {"objects", "objects", static_cast<std::size_t>(sequence.truth_identities)},
      {"tracks", "tracks", static_cast<std::size_t>(sequence.result_identities)},
      {"true_boxes", "boxes of the truth", sequence.truth_boxes()},
      {"boxes", "boxes of the result", sequence.result_boxes()},
      {"identity_switches", "identity switches", clear.identity_switches},
      {"fragmentations", "fragmentations", clear.fragmentations},
      {"misses", "misses", clear.misses},
      {"false_positives", "false positives", clear.false_positives},
      {"mostly_tracked", "mostly tracked", static_cast<std::size_t>(clear.mostly_tracked)},
      {"partially_tracked", "partially tracked", static_cast<std::size_t>(clear.partially_tracked)},
      {"mostly_lost", "mostly lost", static_cast<std::size_t>(clear.mostly_lost)}};
}

Json to_json(const Scores& scores) {
  Json value = Json::object();
  for (const Rate& rate : rates(scores)) value[rate.key] = rate.value;
  for (const Count& count : counts(scores)) value[count.key] = count.value;
  return value;
}

void print_text(const Scores& scores) {
  char line[120];
  for (const Rate& rate : rates(scores)) {
    std::snprintf(line, sizeof line, "%-28s %8.4f", rate.words, rate.value);
    print_line(line);
  }
  for (const Count& count : counts(scores)) {
    std::snprintf(line, sizeof line, "%-28s %8zu", count.words, count.value);
    print_line(line);
  }
}

int score(const ScoreOptions& options) {
  const std::vector<MotRow> truth = read_mot_file(options.truth);
  const std::vector<MotRow> result = read_mot_file(options.result);
  Scores scores;
  scores.sequence = compare(truth, result, options.selection);
  scores.clear = clear_mot(scores.sequence);
  scores.identity = identity_scores(scores.sequence);
  scores.higher_order = hota(scores.sequence);
  if (options.json)
    print_line(json_line(to_json(scores)));
  else
    print_text(scores);
  return kSuccess;
}

}  // namespace

void add_score(CLI::App& program, Action& action) {
  const auto options = std::make_shared<ScoreOptions>();
  CLI::App* command = program.add_subcommand(
      "score", "Measures a tracker's result against the truth: MOTA, IDF1, HOTA");
  command->add_option("TRUTH", options->truth, "Who was where, in MOTChallenge's text format")
      ->required();
  command->add_option("RESULT", options->result, "What the tracker said, in the same format")
      ->required();
  command
      ->add_option("--class", options->selection.class_id,
                   "Judge boxes of the truth of this class only")
      ->type_name("NUMBER")
      ->check(number_range(0));
  command
      ->add_option("--min-visibility", options->selection.min_visibility,
                   "Do not judge boxes of the truth of which less can be seen (0 to 1)")
      ->type_name("PART")
      ->check(number_range(0.0, 1.0));
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "A line a box: frame,id,x,y,width,height,confidence,class,visibility; the last three may be "
      "missing. Frames count from 1, boxes are pixels. A box of the truth with confidence 0 is not "
      "judged, nor is the box of the result that lies on it. A box counts as found from an "
      "intersection over union of 0.5 on (HOTA: of 0.05 to 0.95).");
  command->callback([&action, options] { action = [options] { return score(*options); }; });
}

}  // namespace sightline
