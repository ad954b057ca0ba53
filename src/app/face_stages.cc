// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/face_stages.h"

#include <CLI/CLI.hpp>

#include "app/face.h"
#include "core/config_file.h"
#include "core/data_paths.h"
#include "core/error.h"
#include "engine/engine.h"

namespace sightline {

namespace {

struct Stage {
  const char* name;
  unsigned id;
  const std::filesystem::path& config;
};

std::vector<Stage> stages_of(const FaceStages& stages) {
  std::vector<Stage> list = {{"detect", kDetectStage, stages.detect}};
  if (stages.landmarks != kNone) list.push_back({"landmarks", kLandmarkStage, stages.landmarks});
  if (stages.embed != kNone) list.push_back({"embed", kEmbedStage, stages.embed});
  return list;
}

EngineOptions engine_options(const Stage& stage, const std::string& device) {
  EngineOptions options = EngineOptions::from_config(ConfigFile::read(stage.config));
  options.model = find_model(options.model);
  options.device = device;
  return options;
}

}  // namespace

FaceStages FaceStages::shipped(const std::filesystem::path& models) {
  return {models / "face-detect.ini", models / "face-landmarks.ini", models / "face-embed.ini"};
}

void FaceStages::add_options(CLI::App& command) {
  const std::string group = "Networks";
  command.add_option("--detect", detect, "Configuration file of the face detector")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--landmarks", landmarks,
                  "Configuration file of the landmarks network; none: the detector's own landmarks")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--embed", embed, "Configuration file of the embedding network")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--device", device,
                  "Where networks run: auto, cpu or cuda:0 (the number of a GPU)")
      ->type_name("DEVICE")
      ->check(CLI::Validator(
          [](const std::string& name) {
            return is_device_name(name) ? "" : name + " is no device: auto, cpu or cuda:0";
          },
          ""))
      ->group(group);
}

void FaceStages::check() const {
  for (const Stage& stage : stages_of(*this)) engine_options(stage, device);
}

FaceChain FaceStages::add_to(Pipeline& pipeline, const FaceTracking& tracking) const {
  check();
  std::vector<GstElement*> row, networks;
  for (const Stage& stage : stages_of(*this)) {
    GstElement* network = pipeline.add("sightinfer", stage.name);
    g_object_set(network, "config-file", stage.config.c_str(), "unique-id",
                 static_cast<int>(stage.id), "device", device.c_str(), nullptr);
    row.push_back(network);
    networks.push_back(network);
    if (stage.id != kDetectStage) continue;
    if (tracking.interval > 0) g_object_set(network, "interval", tracking.interval, nullptr);
    if (!tracking.tracks) continue;
    row.push_back(pipeline.add("sighttrack"));
    g_object_set(row.back(), "stage-id", stage.id, nullptr);
  }
  for (std::size_t i = 1; i < row.size(); ++i) pipeline.link({row[i - 1], row[i]});
  return {row.front(), row.back(), networks};
}

std::vector<std::shared_ptr<Engine>> FaceStages::keep_loaded() const {
  std::vector<std::shared_ptr<Engine>> engines;
  for (const Stage& stage : stages_of(*this))
    engines.push_back(Engine::open(engine_options(stage, device)));
  return engines;
}

}  // namespace sightline
