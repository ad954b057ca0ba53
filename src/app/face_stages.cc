// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/face_stages.h"

#include <cstdlib>
#include <optional>

#include <CLI/CLI.hpp>

#include "app/embedding_network.h"
#include "app/face.h"
#include "core/config_file.h"
#include "core/data_paths.h"
#include "core/error.h"
#include "engine/engine.h"
#include "stage/configuration.h"

namespace sightline {

namespace {

using Properties = std::vector<std::pair<std::string, std::string>>;

struct Stage {
  std::string name;
  unsigned id;
  const std::filesystem::path& config;
  std::string where{};                    // it was named, for complaints
  const NetworkStage* network = nullptr;  // null: one of the face pipeline's
};

// The id that a network was given, or its place in the row.
unsigned id_of(const NetworkStage& network, std::size_t place) {
  for (const auto& [name, value] : network.properties)
    if (name == "unique-id") return static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
  return static_cast<unsigned>(place + 1);
}

std::vector<Stage> stages_of(const FaceStages& stages) {
  std::vector<Stage> list;
  if (!stages.replay.events.empty()) return list;
  for (std::size_t i = 0; i < stages.networks.size(); ++i) {
    const NetworkStage& network = stages.networks[i];
    list.push_back({"network" + std::to_string(i), id_of(network, i), network.config,
                    network.where + ": config", &network});
  }
  if (!list.empty()) return list;
  const StagePlaces& places = stages.places;
  list.push_back({"detect", kDetectStage, stages.detect, places.detect});
  if (stages.landmarks != kNone)
    list.push_back({"landmarks", kLandmarkStage, stages.landmarks, places.landmarks});
  if (stages.embed != kNone) list.push_back({"embed", kEmbedStage, stages.embed, places.embed});
  return list;
}

ModelOverrides overrides_of(const Stage& stage, const std::string& device) {
  ModelOverrides overrides;
  overrides.set("device", device);
  if (stage.network != nullptr && stage.network->deepstream) overrides.compat = Compat::kDeepStream;
  return overrides;
}

// Nothing for a stage without a network.
std::optional<EngineOptions> engine_options(const Stage& stage, const std::string& device) {
  const ConfigFile config = Configuration::read(stage.config, overrides_of(stage, device)).file;
  if (!config.peek("property", "onnx-file")) return std::nullopt;
  EngineOptions options = EngineOptions::from_config(config);
  options.model = find_model(options.model);
  return options;
}

// Errors of whoever does not know where the name was found.
template <typename Read>
auto at(const std::string& where, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    if (where.empty()) throw;
    throw Error(error.code(), where + ": " + error.what());
  }
}

// Throws Error(kConfig) if the element has no such property, or the value is none of it.
void set_properties(GstElement* element, const Properties& properties, const std::string& where) {
  for (const auto& [name, value] : properties) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name.c_str());
    GValue parsed = G_VALUE_INIT;
    const bool known = spec != nullptr && (spec->flags & G_PARAM_WRITABLE) != 0;
    if (known) g_value_init(&parsed, spec->value_type);
    const bool fits = known && gst_value_deserialize(&parsed, value.c_str()) &&
                      !g_param_value_validate(spec, &parsed);
    if (fits) g_object_set_property(G_OBJECT(element), name.c_str(), &parsed);
    if (known) g_value_unset(&parsed);
    const std::string factory = GST_OBJECT_NAME(gst_element_get_factory(element));
    if (!known)
      throw Error(ErrorCode::kConfig, where + ": " + name + ": " + factory +
                                          " has no such property. `gst-inspect-1.0 " + factory +
                                          "` lists them.");
    if (!fits)
      throw Error(ErrorCode::kConfig, where + ": " + name + ": \"" + value + "\" is no value of " +
                                          factory + "'s property. `gst-inspect-1.0 " + factory +
                                          "` says what is.");
  }
}

std::string place_of_tracker(const FaceStages& stages) {
  return stages.places.tracker.empty() ? "tracker" : stages.places.tracker;
}

void check_properties(const char* factory, const Properties& properties, const std::string& where) {
  const ElementPtr element(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make(factory, nullptr))));
  set_properties(element.get(), properties, where);
}

FaceChain add_replay(Pipeline& pipeline, const Replay& replay) {
  GstElement* element = pipeline.add("sightreplay");
  // What is replayed counts as what the detector found.
  g_object_set(element, "location", replay.events.c_str(), "stream", replay.stream.c_str(),
               "unique-id", static_cast<guint>(kDetectStage), nullptr);
  gst_util_set_object_arg(G_OBJECT(element), "match", replay.match.c_str());
  return {element, element, {}, {}};
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
  for (const Stage& stage : stages_of(*this)) {
    at(stage.where, [&] { engine_options(stage, device); });
    if (stage.network != nullptr)
      check_properties("sightinfer", stage.network->properties, stage.network->where);
  }
  if (!tracker.empty()) check_properties("sighttrack", tracker, place_of_tracker(*this));
}

FaceChain FaceStages::add_to(Pipeline& pipeline, const FaceTracking& tracking) const {
  check();
  if (!replay.events.empty()) return add_replay(pipeline, replay);
  std::vector<GstElement*> row, stages;
  for (const Stage& stage : stages_of(*this)) {
    GstElement* network = pipeline.add("sightinfer", stage.name.c_str());
    const bool deepstream = stage.network != nullptr && stage.network->deepstream;
    g_object_set(network, deepstream ? "config-file-path" : "config-file", stage.config.c_str(),
                 "unique-id", static_cast<int>(stage.id), "device", device.c_str(), nullptr);
    if (stage.network != nullptr)
      set_properties(network, stage.network->properties, stage.network->where);
    row.push_back(network);
    stages.push_back(network);
    if (row.size() > 1) continue;
    if (tracking.interval > 0) g_object_set(network, "interval", tracking.interval, nullptr);
    if (!tracking.tracks) continue;
    row.push_back(pipeline.add("sighttrack"));
    g_object_set(row.back(), "stage-id", stage.id, nullptr);
    set_properties(row.back(), tracker, place_of_tracker(*this));
  }
  for (std::size_t i = 1; i < row.size(); ++i) pipeline.link({row[i - 1], row[i]});
  FaceChain chain{row.front(), row.back(), stages, nullptr};
  if (networks.empty() && embed != kNone)
    chain.embedding = at(places.embed, [&] { return load_embedding_network(embed, device); });
  return chain;
}

std::vector<std::shared_ptr<Engine>> FaceStages::keep_loaded() const {
  std::vector<std::shared_ptr<Engine>> engines;
  for (const Stage& stage : stages_of(*this))
    if (const auto options = engine_options(stage, device))
      engines.push_back(Engine::open(*options));
  return engines;
}

}  // namespace sightline
