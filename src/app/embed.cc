// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline embed: boxes, landmarks and embeddings of the faces in pictures.

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/face_pipeline.h"
#include "app/input.h"
#include "app/json_text.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"

namespace sightline {

namespace {

struct EmbedOptions {
  std::vector<std::string> pictures;
  bool json = false;
  FaceStages stages;
};

Json to_json(const Face& face) {
  Json value = {{"box", {face.box.x, face.box.y, face.box.width, face.box.height}},
                {"confidence", face.confidence}};
  for (const Point& point : face.landmarks) value["landmarks"].push_back({point.x, point.y});
  if (!face.embedding.empty()) value["embedding"] = face.embedding;
  return value;
}

Json to_json(const PictureFaces& picture) {
  Json faces = Json::array();
  for (const Face& face : picture.faces) faces.push_back(to_json(face));
  return {{"file", picture.file},
          {"width", picture.size.width},
          {"height", picture.size.height},
          {"faces", std::move(faces)}};
}

std::string to_text(const Face& face) {
  char line[160];
  std::snprintf(line, sizeof line,
                "  box %.1f, %.1f, %.1f × %.1f   confidence %.3f   %zu landmarks   %zu numbers",
                face.box.x, face.box.y, face.box.width, face.box.height, face.confidence,
                face.landmarks.size(), face.embedding.size());
  return line;
}

void print_text(const PictureFaces& picture) {
  print_line(picture.file + ": " + std::to_string(picture.size.width) + "×" +
             std::to_string(picture.size.height) + ", " +
             counted(static_cast<long>(picture.faces.size()), "face"));
  for (const Face& face : picture.faces) print_line(to_text(face));
}

int embed(const EmbedOptions& options) {
  const std::vector<std::string> files = resolve_pictures(options.pictures);
  FacePipeline pipeline(options.stages);
  long failed = 0;
  pipeline.look_at(files, [&](PictureFaces&& picture) {
    if (!picture.error.empty()) {
      report_error(picture.error);
      ++failed;
    } else if (options.json) {
      print_line(json_line(to_json(picture)));
    } else {
      print_text(picture);
    }
  });
  if (failed == 0) return kSuccess;
  report_error(counted(failed, "picture") + " of " + std::to_string(files.size()) +
               " could not be read");
  return kFailure;
}

}  // namespace

void add_embed(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<EmbedOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command =
      program.add_subcommand("embed", "Prints the faces of pictures: boxes, landmarks, embeddings");
  command->add_option("IMAGE", options->pictures, "Pictures, globs in quotes or folders")
      ->required();
  command->add_flag("--json", options->json,
                    "A line of JSON a picture: {\"file\", \"width\", \"height\", \"faces\": "
                    "[{\"box\": [x, y, w, h], \"confidence\", \"landmarks\", \"embedding\"}]}");
  options->stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return embed(*options);
    };
  });
}

}  // namespace sightline
