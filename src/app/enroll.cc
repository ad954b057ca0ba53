// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline enroll: pictures, clips and cameras become entries of a gallery.

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/input.h"
#include "app/json_text.h"
#include "app/person_folders.h"
#include "app/picture_enrolment.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "app/video_enrolment.h"
#include "gallery/gallery_file.h"

namespace sightline {

namespace {

struct EnrollOptions {
  std::string name;  // or a folder of persons, without inputs
  std::vector<std::string> inputs;
  bool json = false;
  EnrolmentRequest request;
};

// Whose faces are in what.
struct PersonVideo {
  std::string person;
  Input input;
};
struct Work {
  std::vector<PictureOfPerson> pictures;
  std::vector<PersonVideo> videos;
  std::vector<NobodysEntry> refused;
};

bool is_clip(const std::string& file) {
  try {
    return content_of(file).type.starts_with("video/");
  } catch (const Error&) {
    return false;  // whoever reads the picture says what is wrong
  }
}

void add_file(const std::string& person, const std::string& file, Work& work) {
  if (is_clip(file))
    work.videos.push_back({person, {InputKind::kFile, file, file}});
  else
    work.pictures.push_back({person, file, content_hash(file)});
}

Work work_of_folders(const std::string& root) {
  Work work;
  PersonFolders found = read_person_folders(root);
  for (const PersonFolder& folder : found.persons)
    for (const std::string& file : folder.files) add_file(folder.name, file, work);
  work.refused = std::move(found.refused);
  return work;
}

// What is no file there is, and nothing else that gives video, is taken for a picture: whoever
// reads it says that it is not there.
Work work_for(const std::string& name, const std::vector<std::string>& inputs) {
  Work work;
  const std::string person = clean_name(name);
  for (const std::string& text : inputs) {
    std::vector<Input> found;
    try {
      found = resolve_input(text);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
      found = {{InputKind::kFile, text, text}};
    }
    for (const Input& input : found) {
      if (input.kind == InputKind::kFile)
        add_file(person, input.text, work);
      else
        work.videos.push_back({person, input});
    }
  }
  return work;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

Work work_of(const EnrollOptions& options) {
  if (!options.inputs.empty()) return work_for(options.name, options.inputs);
  if (is_folder(options.name)) return work_of_folders(options.name);
  throw UsageError("enroll: " + options.name +
                   ": whose pictures? Say NAME IMAGE..., or give a folder with a folder for each "
                   "person: people/" +
                   options.name + "/1.jpg.");
}

const char* word_for(PictureOutcome::Status status) {
  switch (status) {
    case PictureOutcome::Status::kEnrolled:
    case PictureOutcome::Status::kForced:
      return "enrolled";
    case PictureOutcome::Status::kRefused:
      return "refused";
    case PictureOutcome::Status::kKnown:
      return "known";
    case PictureOutcome::Status::kDropped:
      break;
  }
  return "dropped";
}

// Errors of reading name the file already.
std::string with_name(const std::string& file, const std::string& words) {
  return words.starts_with(file) ? words : file + ": " + words;
}

void tell(const EnrollOptions& options, const std::string& person, const std::string& file,
          PictureOutcome::Status status, const std::optional<Refusal>& objection, long views = 1) {
  if (options.json) {
    Json line = {{"person", person}, {"file", file}, {"status", word_for(status)}};
    if (status == PictureOutcome::Status::kEnrolled || status == PictureOutcome::Status::kForced)
      line["views"] = views;
    if (objection) {
      line["reason"] = objection->reason;
      line["detail"] = objection->words;
    }
    print_line(json_line(line));
  }
  if (status == PictureOutcome::Status::kRefused) report_error(with_name(file, objection->words));
  if (status == PictureOutcome::Status::kForced)
    report_warning(with_name(file, "enrolled all the same: " + objection->words));
}

void tell_refused(const EnrollOptions& options, const Work& work, EnrolmentCounts& counts) {
  for (const NobodysEntry& entry : work.refused) {
    ++counts.refused;
    report_error(with_name(entry.path, entry.words));
    if (options.json)
      print_line(json_line({{"file", entry.path},
                            {"status", word_for(PictureOutcome::Status::kRefused)},
                            {"reason", entry.reason},
                            {"detail", entry.words}}));
  }
}

// Each is stored by itself.
void enrol_videos(const EnrollOptions& options, const Work& work, KnownFaces& known,
                  EnrolmentCounts& counts) {
  for (const PersonVideo& video : work.videos) {
    const bool is_file = video.input.kind == InputKind::kFile;
    if (is_file && known.has_picture(video.person, content_hash(video.input.text))) {
      ++counts.known;
      tell(options, video.person, video.input.label(), PictureOutcome::Status::kKnown, {});
      continue;
    }
    const VideoOutcome outcome =
        enrol_from_video(video.input, video.person, options.request, known);
    const bool is_refused = outcome.views == 0 && !outcome.is_known;
    counts.enrolled += outcome.views;
    counts.refused += is_refused ? 1 : 0;
    counts.known += outcome.is_known ? 1 : 0;
    const auto status = is_refused          ? PictureOutcome::Status::kRefused
                        : outcome.is_known  ? PictureOutcome::Status::kKnown
                        : outcome.objection ? PictureOutcome::Status::kForced
                                            : PictureOutcome::Status::kEnrolled;
    tell(options, video.person, video.input.label(), status, outcome.objection, outcome.views);
  }
}

// With pictures of the same person that were refused, nothing is enrolled.
void drop_videos(const EnrollOptions& options, const Work& work) {
  for (const PersonVideo& video : work.videos) {
    tell(options, video.person, video.input.label(), PictureOutcome::Status::kDropped, {});
    report_warning(with_name(video.input.label(),
                             "not looked at, since there are pictures that cannot be used"));
  }
}

void summarise(const EnrollOptions& options, const EnrolmentCounts& counts) {
  const std::string gallery = shown_location(options.request.gallery);
  if (options.json) {
    print_line(json_line({{"gallery", gallery},
                          {"enrolled", counts.enrolled},
                          {"refused", counts.refused},
                          {"known", counts.known},
                          {"seconds", counts.seconds},
                          {"network_seconds", counts.network_seconds}}));
    return;
  }
  const bool one_person = !options.inputs.empty();
  const std::string who = one_person ? options.name + ": " : "";
  std::string line = who + counted(counts.enrolled, "picture") + " enrolled in " + gallery;
  if (one_person && counts.enrolled > 0)
    line += ", " + std::to_string(pictures_of(options.request.gallery, options.name)) + " in all";
  if (counts.known > 0) line += ", " + std::to_string(counts.known) + " known already";
  if (!one_person && counts.refused > 0) line += ", " + std::to_string(counts.refused) + " refused";
  print_line(line);
}

int enroll(EnrollOptions& options) {
  const Work work = work_of(options);
  // Of one person's pictures all or none; of a crowd's what can be used.
  options.request.all_or_none = !options.inputs.empty();
  KnownFaces known(options.request.gallery);
  PictureEnrolment pictures(options.request, known, [&](const PictureOutcome& outcome) {
    tell(options, outcome.picture.person, outcome.picture.file, outcome.status, outcome.objection);
  });
  EnrolmentCounts counts = pictures.run(work.pictures);
  if (options.request.all_or_none && counts.refused > 0) {
    drop_videos(options, work);
    report_error("nothing was enrolled: " + std::to_string(counts.refused) + " of " +
                 counted(static_cast<long>(work.pictures.size() + work.videos.size()), "input") +
                 " cannot be used");
    if (options.json) summarise(options, counts);
    return kFailure;
  }
  tell_refused(options, work, counts);
  enrol_videos(options, work, known, counts);
  summarise(options, counts);
  return counts.refused == 0 ? kSuccess : kFailure;
}

}  // namespace

void add_enroll(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<EnrollOptions>();
  options->request.stages = FaceStages::shipped(installation.models);
  options->request.gallery = kDefaultGallery;
  CLI::App* command = program.add_subcommand(
      "enroll", "Makes persons known by their pictures, by clips, or in front of a camera");
  command
      ->add_option("NAME", options->name,
                   "The person's name; a known one gets more pictures. Alone: a folder with a "
                   "folder for each person, people/NAME/1.jpg")
      ->required();
  command->add_option("IMAGE", options->inputs,
                      "Pictures, globs in quotes, folders, clips, cameras or rtsp:// addresses");
  command->add_option("--gallery", options->request.gallery, "The gallery; made if it is not there")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--force", options->request.force,
                    "Enrol in spite of what speaks against a picture, if there is a face in it; of "
                    "several faces the largest");
  command->add_flag("--json", options->json,
                    "A line of JSON a picture: {\"person\", \"file\", \"status\": enrolled, known, "
                    "refused or dropped, \"reason\", \"detail\"}, without a person where it is "
                    "nobody's; the last line sums up");
  command->footer(
      "A picture is refused, with the reason, if its face is too small, too dark, blurred or "
      "turned "
      "away, if there are several, if it looks like somebody else who is known, or unlike the "
      "person's other pictures. Of one person's pictures all are enrolled or none; of a folder of "
      "persons what can be used, and the others are named (exit status 1). What the gallery has "
      "already, by its contents, is passed over: a run that was stopped goes on where it was. Of a "
      "clip or a camera five good views that differ are taken, in at most a minute of a camera.");
  options->request.stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return enroll(*options);
    };
  });
}

}  // namespace sightline
