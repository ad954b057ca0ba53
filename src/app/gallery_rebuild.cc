// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline gallery rebuild: all stored faces embedded anew, by another model.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/embedding_network.h"
#include "app/exit_status.h"
#include "app/face_pipeline.h"
#include "app/gallery_parts.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "app/temporary_folder.h"
#include "gallery/person_views.h"

namespace sightline {

namespace {

constexpr std::size_t kTogether = 512;  // pictures that are unpacked at a time
constexpr int kMostRounds = 5;          // until nobody has enrolled anybody meanwhile

struct RebuildOptions {
  GalleryTarget target;
  FaceStages stages;
  bool drop = false;
};

// A stored face, to be looked at again.
struct StoredFace {
  std::int64_t embedding;
  std::string person;  // its name
  std::string source;
  std::filesystem::path picture;
};

class Rebuild {
 public:
  explicit Rebuild(const RebuildOptions& options)
      : options_(options),
        gallery_(Gallery::open(options.target.gallery, Gallery::Mode::kReadWrite)) {}

  // The gallery serves with the old embeddings until all new ones are there.
  void run() {
    for (int round = 0; round < kMostRounds; ++round) {
      look_at_new();
      if (replace()) return;
    }
    throw Error(
        ErrorCode::kGallery,
        shown_location(options_.target.gallery) +
            " is being changed all the time, so it was left as it is. Try again when nobody "
            "is being enrolled.");
  }

  std::size_t count() const { return vectors_.size(); }
  std::size_t small() const {
    return static_cast<std::size_t>(std::count_if(
        small_.begin(), small_.end(), [&](std::int64_t id) { return vectors_.contains(id); }));
  }
  std::size_t gone() const { return gone_; }
  std::size_t dropped() const { return failed_.size(); }
  const ModelFingerprint& model() const { return *model_; }

 private:
  // Faces that have no new embedding yet.
  void look_at_new() {
    ProgressBar progress("rebuild");
    for (;;) {
      const TemporaryFolder folder(place_for_pictures());
      const std::vector<StoredFace> faces = unpack(folder.path());
      if (faces.empty()) return;
      std::vector<std::string> files;
      for (const StoredFace& face : faces) files.push_back(face.picture.string());
      if (!pipeline_) pipeline_.emplace(options_.stages);
      std::size_t done = 0;
      pipeline_->look_at(files, [&](PictureFaces&& picture) {
        const StoredFace& face = faces[done++];
        progress.update(-1, std::to_string(vectors_.size() + failed_.size()) + ": " + face.person);
        take(face, picture);
      });
    }
  }

  // Faces are not to lie on a disk, if there is memory that looks like one.
  static std::filesystem::path place_for_pictures() {
    std::error_code ignored;
    return std::filesystem::is_directory("/dev/shm", ignored) ? "/dev/shm" : "";
  }

  // Writes the pictures of the next faces that have no new embedding into a folder.
  std::vector<StoredFace> unpack(const std::filesystem::path& folder) {
    std::vector<StoredFace> faces;
    for (const Person& person : gallery_->persons())
      for (const StoredEmbedding& stored : embeddings_of(person.id)) {
        if (vectors_.contains(stored.id) || failed_.contains(stored.id)) continue;
        if (faces.size() == kTogether) return faces;
        FaceCrop crop = gallery_->crop(stored.id);
        if (crop.picture.empty()) {
          crop.picture = stored.thumbnail;
          small_.insert(stored.id);
        }
        if (crop.picture.empty()) {
          failed_[stored.id] = person.name + ", " + stored.source + ": no picture is stored";
          continue;
        }
        const std::filesystem::path file = folder / (std::to_string(stored.id) + ".jpg");
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(crop.picture.data()),
                   static_cast<std::streamsize>(crop.picture.size()));
        faces.push_back({stored.id, person.name, stored.source, file});
      }
    return faces;
  }

  // None of a person who was removed since the persons were asked for.
  std::vector<StoredEmbedding> embeddings_of(const std::string& person) const {
    try {
      return gallery_->embeddings(person);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
      return {};
    }
  }

  void take(const StoredFace& stored, const PictureFaces& picture) {
    const Face* face = nearest_to_centre(picture.faces, picture.size);
    if (picture.model) model_ = picture.model;
    if (face != nullptr && !face->embedding.empty()) {
      vectors_[stored.embedding] = to_unit_length(face->embedding);
      return;
    }
    failed_[stored.embedding] = stored.person + ", " + stored.source + ": " +
                                (picture.error.empty() ? "no face was found in the stored picture"
                                                       : "the stored picture is damaged");
  }

  // False: the gallery has others meanwhile. Whatever is thrown undoes the changes.
  bool replace() {
    gallery_->begin();
    if (!is_complete()) {
      gallery_->rollback();
      return false;
    }
    require_all();
    for (const auto& [embedding, words] : failed_) {
      gallery_->remove_embedding(embedding);
      report_warning(words + "; it was left out");
    }
    std::vector<Gallery::Replacement> vectors;
    for (const auto& [embedding, values] : vectors_) vectors.push_back({embedding, values});
    gallery_->replace_model(*model_, vectors);
    gallery_->commit();
    return true;
  }

  void require_all() const {
    const std::string shown = shown_location(options_.target.gallery);
    if (!failed_.empty() && !options_.drop) {
      for (const auto& [embedding, words] : failed_) report_error(words);
      throw Error(
          ErrorCode::kGallery,
          shown + " was left as it is: " + counted(static_cast<long>(failed_.size()), "picture") +
              " cannot be embedded again. Enrol them anew, or say --drop to leave them "
              "out.");
    }
    if (!model_ || (vectors_.empty() && failed_.empty()))
      throw Error(ErrorCode::kGallery, shown + " has no face to embed again.");
  }

  // Forgets what is no longer there.
  bool is_complete() {
    std::map<std::int64_t, Embedding> there;
    std::map<std::int64_t, std::string> failed;
    bool complete = true;
    for (const Person& person : gallery_->persons())
      for (const StoredEmbedding& stored : gallery_->embeddings(person.id)) {
        if (const auto found = vectors_.find(stored.id); found != vectors_.end())
          there.insert(*found);
        else if (const auto known = failed_.find(stored.id); known != failed_.end())
          failed.insert(*known);
        else
          complete = false;
      }
    gone_ += vectors_.size() + failed_.size() - there.size() - failed.size();
    vectors_.swap(there);
    failed_.swap(failed);
    return complete;
  }

  const RebuildOptions& options_;
  const std::unique_ptr<Gallery> gallery_;
  std::optional<FacePipeline> pipeline_;
  std::optional<ModelFingerprint> model_;
  std::map<std::int64_t, Embedding> vectors_;
  std::map<std::int64_t, std::string> failed_;  // why
  std::set<std::int64_t> small_;                // looked at in thumbnails
  std::size_t gone_ = 0;  // that somebody removed after they had been looked at
};

int rebuild(const RebuildOptions& options) {
  // Before anything is looked at.
  const auto network = load_embedding_network(options.stages.embed, options.stages.device);
  Rebuild rebuild(options);
  rebuild.run();
  const std::string shown = shown_location(options.target.gallery);
  if (options.target.json)
    print_line(json_line({{"gallery", shown},
                          {"model", rebuild.model().id},
                          {"name", rebuild.model().name},
                          {"embedded", rebuild.count()},
                          {"from_thumbnails", rebuild.small()},
                          {"left_out", rebuild.dropped()},
                          {"removed_meanwhile", rebuild.gone()}}));
  else
    print_line(shown + ": " + counted(static_cast<long>(rebuild.count()), "picture") +
               " embedded again, by " + rebuild.model().name);
  if (rebuild.gone() > 0)
    report_warning("removed meanwhile by another program, and not there again: " +
                   counted(static_cast<long>(rebuild.gone()), "picture"));
  if (rebuild.small() > 0)
    report_warning(
        counted(static_cast<long>(rebuild.small()), "picture") +
        " are stored without the crops that enrolling keeps, and were embedded from "
        "thumbnails of 128 pixels. Enrol these persons anew where you have their pictures.");
  return kSuccess;
}

}  // namespace

void add_gallery_rebuild(CLI::App& gallery, const Installation& installation, Action& action) {
  const auto options = std::make_shared<RebuildOptions>();
  options->stages = FaceStages::shipped(installation.models);
  CLI::App* command = gallery.add_subcommand(
      "rebuild", "Embeds all stored faces again, by another model; the old one serves until then");
  add_target(*command, options->target);
  command
      ->add_option("--model", options->stages.embed,
                   "Configuration file of the new embedding network")
      ->type_name("FILE")
      ->required();
  command->add_flag(
      "--drop", options->drop,
      "Leave out pictures that cannot be embedded again, instead of changing nothing");
  command->footer(
      "Persons, their ids and their pictures stay. Thresholds and the calibration are of the old "
      "model: set them anew. Pipelines that run with the old model go on with what they have and "
      "report it; start them again with the new one.");
  options->stages.add_options(*command);
  command->callback([&action, options, installation] {
    action = [options, installation] {
      prepare_gstreamer(installation.plugin);
      return rebuild(*options);
    };
  });
}

}  // namespace sightline
