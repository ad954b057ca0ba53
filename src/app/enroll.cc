// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline enroll: a person's pictures become entries of a gallery, all of them or none.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/enrolment.h"
#include "app/exit_status.h"
#include "app/face_pipeline.h"
#include "app/input.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "app/thumbnail.h"

namespace sightline {

namespace {

struct EnrollOptions {
  std::string name;
  std::vector<std::string> pictures;
  std::string gallery = kDefaultGallery;
  FaceStages stages;
};

// What speaks against enrolling this picture; empty: nothing.
std::string objection(const PictureFaces& picture) {
  if (!picture.error.empty()) return picture.error;
  if (picture.faces.empty())
    return picture.file +
           ": no face was found. Take a picture that shows the face larger or clearer.";
  if (picture.faces.size() > 1)
    return picture.file + ": " + std::to_string(picture.faces.size()) +
           " faces were found. Crop the picture to the one that is to be enrolled.";
  if (picture.faces.front().embedding.empty() || !picture.model)
    return picture.file + ": a face was found, but could not be embedded. Take another picture.";
  return "";
}

struct Candidates {
  std::vector<FaceView> views;
  std::optional<ModelFingerprint> model;
  int refused = 0;
};

Candidates look_at_pictures(const std::vector<std::string>& files, const FaceStages& stages) {
  Candidates candidates;
  ProgressBar progress("enroll");
  FacePipeline pipeline(stages);
  std::size_t done = 0;
  pipeline.look_at(files, [&](PictureFaces&& picture) {
    progress.update(static_cast<double>(++done) / static_cast<double>(files.size()), picture.file);
    if (const std::string reason = objection(picture); !reason.empty()) {
      report_error(reason);
      ++candidates.refused;
      return;
    }
    Face& face = picture.faces.front();
    candidates.views.push_back({std::filesystem::path(picture.file).filename().string(),
                                std::move(face.embedding),
                                thumbnail(picture.picture.get(), face.box)});
    candidates.model = picture.model;
  });
  return candidates;
}

int store(const EnrollOptions& options, const Candidates& candidates) {
  const long in_all =
      store_views(options.gallery, options.name, candidates.views, *candidates.model);
  print_line(options.name + ": " + counted(static_cast<long>(candidates.views.size()), "picture") +
             " enrolled in " + shown_location(options.gallery) + ", " + std::to_string(in_all) +
             " in all");
  return kSuccess;
}

int enroll(const EnrollOptions& options) {
  const std::vector<std::string> files = resolve_pictures(options.pictures);
  const Candidates candidates = look_at_pictures(files, options.stages);
  if (candidates.refused > 0) {
    report_error("nothing was enrolled: " + counted(candidates.refused, "picture") + " of " +
                 std::to_string(files.size()) + " cannot be used");
    return kFailure;
  }
  return store(options, candidates);
}

}  // namespace

void add_enroll(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<EnrollOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command = program.add_subcommand(
      "enroll", "Makes a person known: one face a picture, all pictures or none");
  command->add_option("NAME", options->name, "The person's name; a known one gets more pictures")
      ->required();
  command->add_option("IMAGE", options->pictures, "Pictures, globs in quotes or folders")
      ->required();
  command->add_option("--gallery", options->gallery, "The gallery; made if it is not there")
      ->type_name("FILE")
      ->capture_default_str();
  options->stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return enroll(*options);
    };
  });
}

}  // namespace sightline
