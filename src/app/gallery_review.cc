// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline gallery check, merge and set-threshold: what is stored, looked through.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/exit_status.h"
#include "app/gallery_parts.h"
#include "app/number_range.h"
#include "app/one_line.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "gallery/contents.h"
#include "gallery/decision_rule.h"
#include "gallery/doubts.h"

namespace sightline {

namespace {

// --- check

struct CheckOptions {
  GalleryTarget target;
  bool file_only = false;
  std::optional<float> threshold;
};

// What a gallery holds, in the form in which it is looked through.
struct Contents {
  std::vector<Person> persons;
  std::vector<PersonView> views;
  std::vector<std::string> sources;  // of the views
};

Contents read_contents(const Gallery& gallery) {
  Contents contents;
  const auto rows = gallery.contents(Gallery::Pictures::kLeftOut);
  for (ExchangedRow row; rows->next(row);) {
    if (contents.persons.empty() || contents.persons.back().id != row.person.id)
      contents.persons.push_back(row.person);
    if (!row.embedding) continue;
    contents.views.push_back({contents.persons.size() - 1, std::move(row.embedding->values)});
    contents.sources.push_back(std::move(row.embedding->source));
  }
  return contents;
}

// Text and JSON of the doubts about a gallery.
class DoubtReport {
 public:
  DoubtReport(const Contents& contents, const Doubts& doubts)
      : contents_(contents), doubts_(doubts) {}

  bool empty() const {
    return doubts_.mix_ups.empty() && doubts_.same_persons.empty() && doubts_.same_pictures.empty();
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const MixUp& found : doubts_.mix_ups)
      lines.push_back(picture(found.view) + " is nearer to " + one_line(name(found.person)) +
                      numbers(found.other, found.own) + ": is it a mix-up?");
    for (const SamePerson& found : doubts_.same_persons) {
      char similarity[32];
      std::snprintf(similarity, sizeof similarity, " (%.4f)",
                    static_cast<double>(found.similarity));
      lines.push_back(one_line(name(found.first)) + " and " + one_line(name(found.second)) +
                      " look like one person" + similarity + ": sightline gallery merge " +
                      shell_word(name(found.second)) + " " + shell_word(name(found.first)));
    }
    for (const SamePicture& found : doubts_.same_pictures)
      lines.push_back(picture(found.first) + " and " + picture(found.second) +
                      " are the same picture");
    return lines;
  }

  Json json() const {
    Json mix_ups = Json::array(), persons = Json::array(), pictures = Json::array();
    for (const MixUp& found : doubts_.mix_ups)
      mix_ups.push_back({{"person", name(contents_.views[found.view].person)},
                         {"source", contents_.sources[found.view]},
                         {"similarity", found.own},
                         {"nearer_to", name(found.person)},
                         {"nearer_similarity", found.other}});
    for (const SamePerson& found : doubts_.same_persons)
      persons.push_back(
          {{"persons", {name(found.first), name(found.second)}}, {"similarity", found.similarity}});
    for (const SamePicture& found : doubts_.same_pictures)
      pictures.push_back({json_of(found.first), json_of(found.second)});
    return {{"mix_ups", mix_ups}, {"same_persons", persons}, {"same_pictures", pictures}};
  }

 private:
  const std::string& name(std::size_t person) const { return contents_.persons[person].name; }
  std::string picture(std::size_t view) const {
    return one_line(name(contents_.views[view].person)) + "'s picture " +
           one_line(contents_.sources[view]);
  }
  Json json_of(std::size_t view) const {
    return {{"person", name(contents_.views[view].person)}, {"source", contents_.sources[view]}};
  }
  static std::string numbers(float other, float own) {
    char text[80];
    std::snprintf(text, sizeof text, " (%.4f) than to the person's other pictures (%.4f)",
                  static_cast<double>(other), static_cast<double>(own));
    return text;
  }

  const Contents& contents_;
  const Doubts& doubts_;
};

int look_through(const CheckOptions& options) {
  const auto gallery = Gallery::open(options.target.gallery, Gallery::Mode::kReadOnly);
  const std::string shown = shown_location(options.target.gallery);
  const std::vector<std::string> problems = gallery->check();
  Contents contents;
  Doubts doubts;
  // What can't be read can't be looked through.
  if (problems.empty() && !options.file_only) {
    contents = read_contents(*gallery);
    ProgressBar progress("check");
    const float threshold =
        options.threshold.value_or(gallery->rule().threshold.value_or(kPairThreshold));
    doubts = find_doubts(contents.views, threshold,
                         [&](double share) { progress.update(share, shown); });
  }
  const DoubtReport report(contents, doubts);
  if (options.target.json) {
    print_line(json_line({{"gallery", shown},
                          {"sound", problems.empty()},
                          {"problems", problems},
                          {"doubts", report.json()}}));
  } else {
    for (const std::string& problem : problems) print_line(shown + ": " + problem);
    if (problems.empty()) print_line(shown + ": sound");
    for (const std::string& line : report.lines()) print_line("  " + line);
  }
  return problems.empty() ? kSuccess : kFailure;
}

int check(const CheckOptions& options) {
  try {
    return look_through(options);
  } catch (const DamagedGallery& error) {
    // Who asks for a check need not be told to.
    throw Error(error.code(), error.complaint() + ". Restore a backup");
  }
}

// --- merge

struct MergeOptions {
  GalleryTarget target;
  std::string from, into;
};

int merge(const MergeOptions& options) {
  const auto gallery = Gallery::open(options.target.gallery, Gallery::Mode::kReadWrite);
  const Person from = find_person(*gallery, options.from);
  const Person into = find_person(*gallery, options.into);
  if (from.id == into.id)
    throw UsageError("merge: " + from.name + " is one person already. Name two persons.");
  const int moved = gallery->merge_persons(from.id, into.id);
  const Person merged = find_person(*gallery, into.id);
  if (options.target.json)
    print_line(json_line(to_json(merged)));
  else
    print_line(from.name + "'s " + counted(moved, "picture") + (moved == 1 ? " is " : " are ") +
               into.name + "'s now, " + std::to_string(merged.embeddings) + " in all; " +
               from.name + " is no longer in the gallery");
  return kSuccess;
}

// --- set-threshold

struct ThresholdOptions {
  GalleryTarget target;
  std::string person;     // without a second word, the similarity: of the whole gallery
  std::string threshold;  // "default": that of whoever decides
  std::optional<float> margin;
  std::string compare;  // best, mean or default; empty: as it was
};

std::optional<float> threshold_from(const std::string& text) {
  if (text == "default") return std::nullopt;
  std::size_t end = 0;
  float value = -1;
  try {
    value = std::stof(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  if (end != text.size() || !(value >= 0 && value <= 1))
    throw UsageError("set-threshold: " + text +
                     ": expected a similarity from 0 to 1, or \"default\".");
  return value;
}

std::string described(const OwnRule& rule) {
  std::string words = "named by the threshold of whoever asks";
  if (rule.threshold) {
    char text[60];
    std::snprintf(text, sizeof text, "named from a similarity of %.4f on",
                  static_cast<double>(*rule.threshold));
    words = text;
  }
  if (rule.compare)
    words += *rule.compare == Compare::kMean ? ", compared with the mean of a person's pictures"
                                             : ", compared with each picture of a person";
  return words;
}

int set_threshold(const ThresholdOptions& options) {
  const bool of_gallery = options.threshold.empty();
  if (!of_gallery && !options.compare.empty())
    throw UsageError("set-threshold: --compare " + options.compare +
                     ": holds for a whole gallery, not for " + options.person +
                     ". Leave the person out.");
  OwnRule rule{threshold_from(of_gallery ? options.person : options.threshold), options.margin};
  const auto gallery = Gallery::open(options.target.gallery, Gallery::Mode::kReadWrite);
  Person who;  // without an id: everybody who has no threshold of their own
  if (of_gallery) {
    who.name = "Everybody else in " + shown_location(options.target.gallery);
    who.rule = gallery->rule();
  } else {
    who = find_person(*gallery, options.person);
  }
  if (!options.margin && rule.threshold) rule.margin = who.rule.margin;
  rule.compare = options.compare.empty() ? who.rule.compare : compare_from(options.compare);
  gallery->set_rule(who.id, rule);
  if (options.target.json) {
    Json value = Json::object();
    if (!who.id.empty()) value["person"] = who.id;
    if (rule.threshold) value["threshold"] = *rule.threshold;
    if (rule.margin) value["margin"] = *rule.margin;
    if (rule.compare) value["compare"] = name_of(*rule.compare);
    print_line(json_line(value));
  } else {
    print_line(who.name + ": " + described(rule));
  }
  return kSuccess;
}

}  // namespace

void add_gallery_review(CLI::App& gallery, Action& action) {
  const auto check_options = std::make_shared<CheckOptions>();
  CLI::App* command = gallery.add_subcommand(
      "check", "Says whether the file is sound, and what is probably wrong in it");
  add_target(*command, check_options->target);
  command->add_flag("--file-only", check_options->file_only,
                    "Only whether the file is sound; looking for mix-ups compares all pictures "
                    "with all");
  command
      ->add_option("--threshold", check_options->threshold,
                   "Similarity from which on two persons look like one; without it the gallery's")
      ->check(number_range(-1.0, 1.0));
  command->footer(
      "Probable mix-ups (a picture nearer to another person than to its own person's others), "
      "persons that look like one, and pictures that are there twice are listed, and leave the "
      "exit "
      "status 0: they are for people to decide.");
  command->callback(
      [&action, check_options] { action = [check_options] { return check(*check_options); }; });

  const auto merge_options = std::make_shared<MergeOptions>();
  command = gallery.add_subcommand("merge", "Two persons are one: A's pictures become B's");
  add_target(*command, merge_options->target);
  command->add_option("A", merge_options->from, "Who is no more afterwards: a name, or an id")
      ->required();
  command->add_option("B", merge_options->into, "Who stays: a name, or an id")->required();
  command->callback(
      [&action, merge_options] { action = [merge_options] { return merge(*merge_options); }; });

  const auto threshold_options = std::make_shared<ThresholdOptions>();
  command = gallery.add_subcommand(
      "set-threshold", "From which similarity on a person is named, whatever sightmatch says");
  add_target(*command, threshold_options->target);
  command
      ->add_option(
          "PERSON", threshold_options->person,
          "A name, or an id as `list` prints it. Left out: it is the gallery's, for everybody "
          "who has no threshold of their own")
      ->required();
  command->add_option("SIMILARITY", threshold_options->threshold,
                      "From 0 to 1; default: that of whoever asks");
  command
      ->add_option("--margin", threshold_options->margin,
                   "By how much the person must be more similar than the next")
      ->check(number_range(0.0, 2.0));
  command
      ->add_option("--compare", threshold_options->compare,
                   "Of the gallery, what a face is compared with: best (each picture of a person), "
                   "mean (the mean of those that fit), default (what whoever asks says); without "
                   "it as it was")
      ->check(CLI::IsMember({"best", "mean", "default"}));
  command->callback([&action, threshold_options] {
    action = [threshold_options] { return set_threshold(*threshold_options); };
  });
}

}  // namespace sightline
