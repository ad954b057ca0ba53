// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline identify: how well a gallery names known people and leaves strangers unnamed.

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/centre_faces.h"
#include "app/commands.h"
#include "app/exit_status.h"
#include "app/json_text.h"
#include "app/metrics.h"
#include "app/number_range.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "app/temporary_folder.h"
#include "app/tsv.h"
#include "gallery/gallery.h"

namespace sightline {

namespace {

struct IdentifyOptions {
  std::string list;
  std::string root;
  bool json = false;
  DecisionRule rule;
  FaceStages stages;
};

const std::map<std::string, Compare> kComparisons = {{"best", Compare::kBest},
                                                     {"mean", Compare::kMean}};

struct ListedPicture {
  std::string file, identity;
  bool enrol;
};

std::vector<ListedPicture> read_list(const std::string& path) {
  const TsvTable table = TsvTable::read(path, {"file", "identity", "role"});
  std::vector<ListedPicture> pictures;
  for (const TsvRow& row : table.rows()) {
    const std::string& role = row.cells[2];
    if (role != "enrol" && role != "probe")
      table.fail(row, "role is \"" + role + "\", expected enrol or probe");
    pictures.push_back({row.cells[0], row.cells[1], role == "enrol"});
  }
  return pictures;
}

struct Enrolled {
  std::set<std::string> identities;  // those that the list enrols, with or without a face
  int pictures = 0;
  int without_face = 0;
};

// The very gallery that `run` would use, so that the figures are its figures.
Enrolled enrol(const std::vector<ListedPicture>& pictures, const CentreFaces& faces,
               const std::filesystem::path& path) {
  Enrolled enrolled;
  std::map<std::string, std::string> ids;
  const auto gallery = Gallery::open(path, Gallery::Mode::kCreate);
  gallery->begin();
  if (faces.model()) gallery->require_model(*faces.model());
  for (const ListedPicture& picture : pictures) {
    if (!picture.enrol) continue;
    enrolled.identities.insert(picture.identity);
    const auto* embedding = faces.embedding(picture.file);
    ++(embedding == nullptr ? enrolled.without_face : enrolled.pictures);
    if (embedding == nullptr) continue;
    std::string& id = ids[picture.identity];
    if (id.empty()) id = gallery->add_person(picture.identity).id;
    gallery->add_embedding(id, *embedding, picture.file, {});
  }
  gallery->commit();
  return enrolled;
}

Probe probe(const ListedPicture& picture, const CentreFaces& faces, const Enrolled& enrolled,
            Matcher& matcher) {
  Probe result;
  result.known = enrolled.identities.contains(picture.identity);
  const auto* embedding = faces.embedding(picture.file);
  result.has_face = embedding != nullptr;
  if (!result.has_face) return result;
  const Decision decision = matcher.decide(*embedding);
  result.nearest_right = decision.name == picture.identity;
  result.accepted = decision.known;
  return result;
}

Json to_json(const Identification& result, const Enrolled& enrolled, const DecisionRule& rule,
             float threshold) {
  Json value = Json::object();
  if (result.rank1) value["rank1"] = *result.rank1;
  if (result.known_accepted) value["known_accepted"] = *result.known_accepted;
  if (result.unknown_rejected) value["unknown_rejected"] = *result.unknown_rejected;
  value["threshold"] = threshold;
  value["margin"] = rule.margin;
  value["compare"] = name_of(rule.compare.value_or(Compare::kBest));
  value["enrolled_identities"] = enrolled.identities.size();
  value["enrolled_pictures"] = enrolled.pictures;
  value["enrolled_without_face"] = enrolled.without_face;
  value["known_probes"] = result.known_probes;
  value["unknown_probes"] = result.unknown_probes;
  value["probes_without_face"] = result.without_face;
  return value;
}

void print_rate(const char* words, const std::optional<double>& value, int count) {
  if (!value) return;
  char line[120];
  std::snprintf(line, sizeof line, "%-36s %8.4f   of %d", words, *value, count);
  print_line(line);
}

void print_text(const Identification& result, const Enrolled& enrolled, float threshold) {
  print_line(counted(static_cast<long>(enrolled.identities.size()), "person") + " enrolled from " +
             counted(enrolled.pictures, "picture"));
  print_rate("rank 1: the nearest is the right one", result.rank1, result.known_probes);
  print_rate("known people named, and rightly", result.known_accepted, result.known_probes);
  print_rate("strangers left unnamed", result.unknown_rejected, result.unknown_probes);
  char line[120];
  std::snprintf(line, sizeof line, "%-36s %8.4f", "threshold", static_cast<double>(threshold));
  print_line(line);
  if (enrolled.without_face + result.without_face > 0)
    print_line("No face was found in " + counted(enrolled.without_face, "picture") +
               " to be enrolled and " + counted(result.without_face, "probe") +
               " (counted as wrong).");
}

int identify(const IdentifyOptions& options) {
  const std::vector<ListedPicture> pictures = read_list(options.list);
  std::vector<std::string> files;
  for (const ListedPicture& picture : pictures) files.push_back(picture.file);
  const CentreFaces faces(options.stages, files, options.root, "identify");

  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / kDefaultGallery;
  const Enrolled enrolled = enrol(pictures, faces, path);
  const auto matcher = Matcher::open(path, options.rule);
  std::vector<Probe> probes;
  for (const ListedPicture& picture : pictures)
    if (!picture.enrol) probes.push_back(probe(picture, faces, enrolled, *matcher));
  const Identification result = summarise(probes);
  if (options.json)
    print_line(json_line(to_json(result, enrolled, options.rule, matcher->threshold())));
  else
    print_text(result, enrolled, matcher->threshold());
  if (faces.unreadable() == 0) return kSuccess;
  report_error(counted(faces.unreadable(), "picture") +
               " could not be read and had no face therefore");
  return kFailure;
}

}  // namespace

void add_identify(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<IdentifyOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command = program.add_subcommand(
      "identify", "Measures how well known people are named and strangers are not");
  command
      ->add_option("--list", options->list,
                   "Table separated by tabs: file, identity, role (enrol or probe)")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--root", options->root,
                   "Folder that the table's files are in; without it the table's")
      ->type_name("DIR");
  command
      ->add_option("--threshold", options->rule.threshold,
                   "Similarity from which on the nearest person is named; without it by how many "
                   "pictures are enrolled")
      ->check(number_range(0.0, 1.0));
  command
      ->add_option("--compare", options->rule.compare,
                   "best: with each picture of a person; mean: with the mean of those that fit")
      ->transform(CLI::CheckedTransformer(kComparisons))
      ->default_str("best");
  command
      ->add_option("--margin", options->rule.margin,
                   "By how much the nearest person must be more similar than the next")
      ->check(number_range(0.0, 2.0))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "A probe whose identity is not enrolled is a stranger. The face nearest a picture's centre "
      "counts. A probe in which no face was found counts as wrong.");
  options->stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      if (options->root.empty()) options->root = std::filesystem::path(options->list).parent_path();
      prepare_gstreamer(installation.plugin);
      return identify(*options);
    };
  });
}

}  // namespace sightline
