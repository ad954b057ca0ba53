// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline gallery: who is known, and changing that.

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/gallery_parts.h"
#include "app/json_text.h"
#include "app/one_line.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "gallery/gallery.h"
#include "gallery/gallery_file.h"

namespace sightline {

namespace {

struct GalleryOptions : GalleryTarget {
  std::string person;  // a name or an id
  std::string new_name;
};

int list(const GalleryOptions& options) {
  const auto gallery = Gallery::open(options.gallery, Gallery::Mode::kReadOnly);
  const std::vector<Person> persons = gallery->persons();
  if (!options.json) {
    for (const Person& person : persons)
      print_line(one_line(person.id) + "\t" + one_line(person.name) + "\t" +
                 counted(person.embeddings, "picture"));
    report_note(shown_location(options.gallery) + ": " +
                counted(static_cast<long>(persons.size()), "person"));
    return kSuccess;
  }
  Json document = {{"gallery", shown_location(options.gallery)}};
  if (const auto model = gallery->fingerprint())
    document["model"] = {
        {"id", model->id}, {"name", model->name}, {"dimensions", model->dimensions}};
  document["persons"] = Json::array();
  for (const Person& person : persons) document["persons"].push_back(to_json(person));
  print_line(json_line(document));
  return kSuccess;
}

int show(const GalleryOptions& options) {
  const auto gallery = Gallery::open(options.gallery, Gallery::Mode::kReadOnly);
  const Person person = find_person(*gallery, options.person);
  const std::vector<StoredEmbedding> embeddings = gallery->embeddings(person.id);
  if (!options.json) {
    print_line(one_line(person.id) + "\t" + one_line(person.name) + "\tsince " +
               one_line(person.created));
    for (const StoredEmbedding& embedding : embeddings)
      print_line("  " + one_line(embedding.source) + "\t" + embedding.created);
    return kSuccess;
  }
  Json document = to_json(person);
  document["pictures"] = Json::array();
  for (const StoredEmbedding& embedding : embeddings)
    document["pictures"].push_back({{"id", embedding.id},
                                    {"source", embedding.source},
                                    {"created", embedding.created},
                                    {"thumbnail_bytes", embedding.thumbnail.size()},
                                    {"embedding", embedding.values}});
  print_line(json_line(document));
  return kSuccess;
}

int say_done(const GalleryOptions& options, const Person& person, const std::string& text) {
  if (options.json)
    print_line(json_line(to_json(person)));
  else
    print_line(text);
  return kSuccess;
}

int rename(const GalleryOptions& options) {
  const auto gallery = Gallery::open(options.gallery, Gallery::Mode::kReadWrite);
  Person person = find_person(*gallery, options.person);
  const std::string before = person.name;
  gallery->rename(person.id, options.new_name);
  person.name = clean_name(options.new_name);  // as it is stored
  return say_done(options, person, before + " is now called " + person.name);
}

int remove(const GalleryOptions& options) {
  const auto gallery = Gallery::open(options.gallery, Gallery::Mode::kReadWrite);
  const Person person = find_person(*gallery, options.person);
  gallery->remove(person.id);
  return say_done(options, person,
                  person.name + " and " + counted(person.embeddings, "picture") + " removed");
}

int forget(const GalleryOptions& options) {
  const auto gallery = Gallery::open(options.gallery, Gallery::Mode::kReadWrite);
  const Person person = find_person(*gallery, options.person);
  const bool pending = gallery->forget(person.id) == Gallery::Wiping::kPending;
  if (options.json) {
    Json document = to_json(person);
    document["pending"] = pending;
    print_line(json_line(document));
  } else if (pending) {
    print_line(person.name +
               " is known to nobody any more, but the wiping is pending: another program is "
               "reading an older state of " +
               shown_location(options.gallery) +
               ", which keeps the bytes there. The next change after it has ended wipes them; "
               "`sightline gallery check` says whether that has happened.");
  } else {
    print_line(person.name + " and " + counted(person.embeddings, "picture") +
               " forgotten: nothing of them is left in " + shown_location(options.gallery));
  }
  return pending ? kFailure : kSuccess;
}

using GalleryAction = int (*)(const GalleryOptions&);

}  // namespace

void add_target(CLI::App& command, GalleryTarget& target) {
  command.add_option("--gallery", target.gallery, "The gallery")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_flag("--json", target.json, "Print JSON, in one line");
}

Person find_person(const Gallery& gallery, const std::string& text) {
  try {
    // However it was typed: names are stored composed.
    std::vector<Person> found = gallery.find_by_name(text);
    if (!found.empty()) return std::move(found.front());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;  // else no name that there may be
  }
  for (Person& person : gallery.persons())
    if (person.id == text || person.name == text) return std::move(person);
  throw Error(ErrorCode::kNotFound,
              "nobody is called \"" + text + "\". `sightline gallery list` shows who is known.");
}

Json to_json(const Person& person) {
  return {{"id", person.id},
          {"name", person.name},
          {"embeddings", person.embeddings},
          {"created", person.created}};
}

void add_gallery(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<GalleryOptions>();
  CLI::App* command = program.add_subcommand("gallery", "Shows and changes who is known");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* description, GalleryAction does) {
    CLI::App* sub = command->add_subcommand(name, description);
    add_target(*sub, *options);
    sub->callback(
        [&action, options, does] { action = [options, does] { return does(*options); }; });
    return sub;
  };
  const auto add_person = [&](CLI::App* sub) {
    sub->add_option("PERSON", options->person, "A name, or an id as `list` prints it")->required();
  };

  add("list", "Who is known: id, name, number of pictures", list);
  add_person(add("show", "One person's pictures", show));
  CLI::App* rename_command = add("rename", "Gives a person another name", rename);
  add_person(rename_command);
  rename_command->add_option("NAME", options->new_name, "The new name")->required();
  add_person(add("forget",
                 "Removes a person and every byte of the pictures; fails if somebody keeps them",
                 forget));
  add_person(add("remove", "Forgets a person; nothing of the pictures stays in the file", remove));
  add_gallery_review(*command, action);
  add_gallery_cluster(*command, installation, action);
  add_gallery_index(*command, action);
  add_gallery_exchange(*command, installation, action);
  add_gallery_rebuild(*command, installation, action);
}

}  // namespace sightline
