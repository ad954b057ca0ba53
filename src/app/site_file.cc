// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/site_file.h"

#include <cmath>
#include <set>

#include "app/exit_status.h"
#include "core/yaml_document.h"
#include "engine/engine.h"
#include "gallery/gallery.h"

namespace sightline {

namespace {

constexpr int kMostFilesAtOnce = 64;
constexpr int kMostRestarts = 1'000'000;
constexpr double kLongestStall = 3600;
constexpr int kLongestInterval = 86400;  // seconds between two figures
constexpr int kLargestInterval = 1000;   // frames between two that are looked at

// A path, or a word that stands for something else.
std::string path_or(const YamlValue& value, const char* word) {
  return value.as_text() == word ? word : value.as_path().string();
}

std::vector<std::pair<std::string, std::string>> read_properties(const YamlValue& value) {
  std::vector<std::pair<std::string, std::string>> properties;
  for (const YamlValue& property : YamlMap(value).values())
    properties.emplace_back(property.key(), property.as_text());
  return properties;
}

// Networks of any kind, in their order.
std::vector<NetworkStage> read_networks(const YamlValue& value) {
  std::vector<NetworkStage> networks;
  for (const YamlValue& item : value.as_list()) {
    YamlMap map(item);
    NetworkStage network;
    network.where = map.where();
    const auto config = map.find("config");
    if (!config) map.fail("the key config is missing: the configuration file of the network.");
    network.config = config->as_path();
    if (const auto compat = map.find("compat")) {
      const std::string whose = compat->as_text();
      if (whose != "own" && whose != "deepstream")
        compat->fail("found \"" + whose + "\", expected own or deepstream.");
      network.deepstream = whose == "deepstream";
    }
    if (const auto properties = map.find("properties"))
      network.properties = read_properties(*properties);
    map.reject_unknown();
    networks.push_back(std::move(network));
  }
  if (networks.empty()) value.fail("expected at least one network.");
  return networks;
}

void read_stages(const YamlValue& value, FaceStages& stages) {
  if (value.is_list()) {
    stages.networks = read_networks(value);
    return;
  }
  stages.networks.clear();
  YamlMap map(value);
  const auto take = [&](const char* key, std::filesystem::path& config, std::string& place,
                        bool may_be_none) {
    const auto named = map.find(key);
    if (!named) return;
    config = may_be_none ? std::filesystem::path(path_or(*named, kNone)) : named->as_path();
    place = named->where() + ": " + key;
  };
  take("detect", stages.detect, stages.places.detect, false);
  take("landmarks", stages.landmarks, stages.places.landmarks, true);
  take("embed", stages.embed, stages.places.embed, false);
  map.reject_unknown();
}

void read_restarts(const YamlValue& value, RestartRule& rule) {
  YamlMap map(value);
  if (const auto maximum = map.find("maximum")) {
    if (maximum->as_text() == "none")
      rule.maximum.reset();
    else
      rule.maximum = maximum->as_int(0, kMostRestarts);
  }
  if (const auto timeout = map.find("stall-timeout"))
    rule.stall_timeout =
        std::chrono::milliseconds(std::lround(timeout->as_number(0, kLongestStall) * 1000));
  map.reject_unknown();
}

// Errors of whoever knows what the value means, with its place in the file.
template <typename Read>
auto at(const YamlValue& value, Read read) {
  try {
    return read();
  } catch (const UsageError& error) {
    value.fail(error.what());
  } catch (const Error& error) {
    value.fail(error.what());
  }
}

std::vector<Input> files_of(const YamlValue& file) {
  const std::string path = file.as_path().string();
  std::vector<Input> inputs = at(file, [&] { return resolve_input(path); });
  for (const Input& input : inputs)
    if (input.kind != InputKind::kFile) file.fail("is no file. Is it a device, or a uri?");
  return inputs;
}

Input fragment_of(const YamlValue& pipeline) {
  const std::string text = pipeline.as_text();
  return at(pipeline, [&] {
    Pipeline().add_fragment(text);
    return Input{InputKind::kFragment, text, text};
  });
}

// What the input opens: exactly one of four keys says so. Files may be several; of an input that is
// not enabled nothing need be there.
std::vector<Input> read_source(YamlMap& map, bool enabled) {
  std::vector<Input> inputs;
  std::optional<YamlValue> first;
  const auto take = [&](const char* key, auto open) {
    const auto value = map.find(key);
    if (!value) return;
    if (first) value->fail("\"" + first->key() + "\" is set already, expected one of the two.");
    first = value;
    if (enabled) inputs = open(*value);
  };
  using Inputs = std::vector<Input>;
  take("uri", [](const YamlValue& value) {
    const std::string text = value.as_text();
    return at(value, [&] { return Inputs{input_at(text)}; });
  });
  take("device", [](const YamlValue& value) {
    return Inputs{{InputKind::kCamera, value.as_text(), value.as_text()}};
  });
  take("file", files_of);
  take("pipeline", [](const YamlValue& value) { return Inputs{fragment_of(value)}; });
  if (!first) map.fail("expected uri, device, file or pipeline, which says what to open.");
  return inputs;
}

class SiteReader {
 public:
  SiteReader(const YamlValue& file, const FaceStages& shipped) : map_(file), shipped_(shipped) {}

  RunPlan read() {
    plan_.keeps_older = true;
    read_defaults();
    const auto inputs = map_.find("inputs");
    if (!inputs) map_.fail("the key inputs is missing: a list of cameras and files.");
    for (const YamlValue& input : inputs->as_list()) read_input(input);
    if (plan_.streams.empty()) inputs->fail("no input is enabled.");
    map_.reject_unknown();
    return std::move(plan_);
  }

 private:
  // What inputs inherit, so that it is known before they are read.
  void read_defaults() {
    defaults_.stages = shipped_;
    if (const auto gallery = map_.find("gallery")) read_galleries(*gallery);
    if (const auto device = map_.find("device")) read_device(*device);
    if (const auto stages = map_.find("stages")) read_stages(*stages, defaults_.stages);
    if (const auto tracker = map_.find("tracker")) {
      defaults_.stages.tracker = read_properties(*tracker);
      defaults_.stages.places.tracker = tracker->where() + ": tracker";
    }
    tracks_ = read_bool(map_, "tracking");
    if (const auto interval = map_.find("interval"))
      defaults_.tracking.interval = interval->as_int(0, kLargestInterval);
    if (const auto threshold = map_.find("threshold"))
      defaults_.threshold = static_cast<float>(threshold->as_number(0, 1));
    if (const auto analytics = map_.find("analytics")) defaults_.analytics = analytics->as_path();
    if (const auto restarts = map_.find("restarts")) read_restarts(*restarts, defaults_.restarts);
    if (const auto parallel = map_.find("parallel"))
      plan_.files_at_once = parallel->as_int(1, kMostFilesAtOnce);
    if (const auto outputs = map_.find("outputs")) read_outputs(*outputs);
  }

  // One, or a list of them.
  void read_galleries(const YamlValue& value) {
    const std::vector<YamlValue> locations =
        value.is_list() ? value.as_list() : std::vector<YamlValue>{value};
    for (const YamlValue& location : locations) {
      const bool is_url = is_database_url(location.as_text());
      plan_.galleries.push_back(is_url ? location.as_text() : location.as_path().string());
      try {
        require_gallery(plan_.galleries.back());
      } catch (const Error& error) {
        location.fail(error.what());
      }
    }
  }

  void read_device(const YamlValue& value) {
    const std::string device = value.as_text();
    if (!is_device_name(device))
      value.fail("found \"" + device + "\", expected auto, cpu or cuda:0 (the number of a GPU).");
    defaults_.stages.device = device;
  }

  void read_outputs(const YamlValue& value) {
    YamlMap map(value);
    if (const auto record = map.find("record")) plan_.record = record->as_path().string() + "/";
    if (const auto json = map.find("json")) plan_.json = path_or(*json, "-");
    if (const auto stats = map.find("stats")) plan_.stats = path_or(*stats, "-");
    if (const auto interval = map.find("stats-interval"))
      plan_.stats_interval = std::chrono::seconds(interval->as_int(0, kLongestInterval));
    if (const auto wall = map.find("wall")) {
      const std::string target = path_or(*wall, "window");
      plan_.wall = target == "window" ? "" : target;
    }
    if (const auto metrics = map.find("metrics")) {
      const std::string text = metrics->as_text();
      plan_.metrics = at(*metrics, [&] { return MetricsAddress::parse(text); });
    }
    map.reject_unknown();
  }

  void read_input(const YamlValue& value) {
    YamlMap map(value);
    StreamPlan stream = defaults_;
    const auto name = map.find("name");
    if (!name) map.fail("the key name is missing: events and recordings carry it.");
    if (!names_.insert(name->as_text()).second)
      name->fail("found \"" + name->as_text() + "\", which another input has already.");
    const bool enabled = read_bool(map, "enabled").value_or(true);
    const std::vector<Input> inputs = read_source(map, enabled);
    const auto live = read_bool(map, "live"), tracks = read_bool(map, "tracking");
    if (const auto interval = map.find("interval"))
      stream.tracking.interval = interval->as_int(0, kLargestInterval);
    stream.record = read_bool(map, "record").value_or(true);
    if (const auto threshold = map.find("threshold"))
      stream.threshold = static_cast<float>(threshold->as_number(0, 1));
    if (const auto stages = map.find("stages")) read_stages(*stages, stream.stages);
    if (const auto analytics = map.find("analytics")) stream.analytics = analytics->as_path();
    if (const auto restarts = map.find("restarts")) read_restarts(*restarts, stream.restarts);
    map.reject_unknown();
    if (!enabled) return;
    for (const Input& input : inputs) {
      stream.input = input;
      stream.input.name = name->as_text();
      if (inputs.size() > 1)
        stream.input.name += "/" + std::filesystem::path(input.text).filename().string();
      stream.live = live.value_or(is_live(input));
      stream.tracking.tracks =
          tracks.value_or(tracks_.value_or(stream.live || !stream.analytics.empty()));
      plan_.streams.push_back(stream);
    }
  }

  static std::optional<bool> read_bool(YamlMap& map, const char* key) {
    const auto value = map.find(key);
    return value ? std::optional(value->as_bool()) : std::nullopt;
  }

  YamlMap map_;
  FaceStages shipped_;
  StreamPlan defaults_;
  std::optional<bool> tracks_;
  RunPlan plan_;
  std::set<std::string> names_;
};

}  // namespace

RunPlan read_site(const std::filesystem::path& path, const FaceStages& shipped) {
  return SiteReader(YamlValue::read(path), shipped).read();
}

}  // namespace sightline
