// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/deepstream_app.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <glib.h>

#include "core/config_file.h"
#include "core/error.h"
#include "core/text_file.h"
#include "core/yaml_document.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

// Keys of groups that need no word: what they ask for is so here, or is of no account.
const std::map<std::string, std::set<std::string>> kNeedNothing = {
    {"source",
     {"gpu-id", "cudadec-memtype", "nvbuf-memory-type", "latency", "camera-width", "camera-height",
      "camera-fps-n", "camera-fps-d", "num-extra-surfaces", "select-rtp-protocol", "source-id",
      "num-decode-surfaces"}},
    {"gie", {"gpu-id", "nvbuf-memory-type"}},
    {"tracker",
     {"gpu-id", "tracker-width", "tracker-height", "ll-lib-file", "display-tracking-id",
      "enable-batch-process", "enable-past-frame", "compute-hw"}},
    {"sink", {"gpu-id", "nvbuf-memory-type", "qos", "sync", "link-to-demux"}},
    {"source-list", {"num-source-bins", "max-batch-size", "http-ip", "http-port"}},
};

constexpr const char* kTriton =
    "Triton servers are not asked; name the model's ONNX file in a configuration of your own";

// What other groups are for, and what there is in their place.
struct Group {
  const char* prefix;
  const char* why;
};
constexpr Group kGroups[] = {
    {"streammux",
     "frames of all streams meet in the engine, as they are: nothing is scaled or muxed"},
    {"osd", "boxes and labels are drawn wherever pictures are written or shown"},
    {"application", ""},
    {"tests", "files are played once"},
    {"pre-process",
     "a stage without a network makes tensors (infer-dims without onnx-file): add "
     "one to stages, and input-tensor-from-meta to the next"},
    {"secondary-pre-process",
     "a stage without a network makes tensors (infer-dims without "
     "onnx-file): add one to stages"},
    {"message-converter", "events are lines of JSON (outputs: json); send them on as you like"},
    {"message-consumer", "nothing is received from a broker"},
    {"dewarper", "fisheye pictures are not straightened"},
    {"ds-example", "an example's element"},
    {"segvisual", "sightoverlay draws masks"},
    {"replay", "not there"},
    {"visionencoder", "a network with model-family = embedding"},
    {"text-embedder", "not there"},
    {"img-save", "outputs: json, and sightline enroll for faces"},
    {"source-attr-all", ""},
    {"source-list", ""},
    {"tiled-display", ""},
};

std::string yaml_quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

// "file:///a%20b" names "/a b".
std::string unescaped(const std::string& path) {
  char* const text = g_uri_unescape_string(path.c_str(), nullptr);
  std::string result = text == nullptr ? path : text;
  g_free(text);
  return result;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
    while (!field.empty() && blank(field.back())) field.pop_back();
    while (!field.empty() && blank(field.front())) field.erase(0, 1);
    fields.push_back(field);
  }
  return fields;
}

bool is_readable(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_on(const std::optional<ConfigValue>& value) { return value && value->text() != "0"; }

class Migration {
 public:
  Migration(const fs::path& path, const fs::path& folder)
      : path_(path),
        folder_(fs::absolute(folder)),
        file_(ConfigFile::read(path, ConfigFile::Repeats::kLastCounts)) {}

  MigratedApp run() {
    std::vector<std::string> groups = file_.groups();
    // Its streams are numbers of inputs, which have names here.
    std::stable_partition(groups.begin(), groups.end(),
                          [](const auto& group) { return group != "nvds-analytics"; });
    for (const std::string& group : groups) read_group(group);
    if (inputs_.empty())
      throw Error(ErrorCode::kConfig, path_.string() +
                                          ": no source is enabled: expected [source0] "
                                          "with enable=1, type and uri");
    if (networks_.empty())
      throw Error(ErrorCode::kConfig,
                  path_.string() +
                      ": no network is enabled: expected [primary-gie] with enable=1 "
                      "and config-file" +
                      (asks_triton_ ? std::string(", plugin-type=0. ") + kTriton : ""));
    order_networks();
    result_.site = site();
    return std::move(result_);
  }

 private:
  using Lines = std::vector<std::string>;

  struct Network {
    bool is_primary;
    std::string id, of;  // its own, and of the network whose objects it looks at
    Lines lines;
  };

  std::optional<ConfigValue> find(const std::string& group, const char* key) {
    used_.insert(group + '/' + key);
    return file_.find(group, key);
  }
  void leave(const std::string& where, const std::string& what, const std::string& why) {
    result_.not_covered.push_back({where, what, why});
  }
  void leave(const std::string& group, const char* key, const std::string& why) {
    if (const auto value = find(group, key))
      leave(value->where(), "[" + group + "] " + key + " = " + value->text(), why);
  }
  // Every key that was not asked for is named.
  void leave_rest(const std::string& group, const std::string& kind) {
    const auto needless = kNeedNothing.find(kind);
    for (const std::string& key : file_.keys(group)) {
      if (used_.contains(group + '/' + key)) continue;
      if (needless != kNeedNothing.end() && needless->second.contains(key)) continue;
      leave(group, key.c_str(), "there is no such setting");
    }
  }

  void read_group(const std::string& group) {
    if (group == "source-list") return read_source_list();
    if (group == "source" && file_.find(group, "csv-file-path")) return read_source_table();
    if (group == "tiled-display") return read_tiling();
    if (group == "source-attr-all") return;
    if (group == "application") return read_application();
    const auto enable = find(group, "enable");
    if (enable && !is_on(enable)) return;
    if (group == "primary-gie" || group.starts_with("secondary-gie")) return read_network(group);
    if (group == "tracker") return read_tracker();
    if (group == "nvds-analytics") return read_analytics();
    if (group.starts_with("sink")) return read_sink(group);
    if (group.starts_with("source")) return read_source(group);
    for (const Group& other : kGroups)
      if (group.starts_with(other.prefix)) {
        const auto keys = file_.keys(group);
        leave(keys.empty() ? file_.name() : file_.peek(group, keys.front())->where(),
              "[" + group + "]", other.why);
        return;
      }
    leave(file_.name(), "[" + group + "]", "no such group is known");
  }

  // --- inputs

  void read_source(const std::string& group) {
    const auto type = find(group, "type");
    const int kind = type ? type->as_int(1, 9) : 2;
    Lines lines = {"name: " + yaml_quoted(group)};
    if (kind == 1) {
      const auto node = find(group, "camera-v4l2-dev-node");
      lines.push_back("device: " +
                      yaml_quoted("/dev/video" + (node ? node->text() : std::string("0"))));
    } else if (kind == 2 || kind == 3 || kind == 4) {
      const auto uri = find(group, "uri");
      if (!uri) throw Error(ErrorCode::kConfig, file_.name() + ": [" + group + "]: uri is missing");
      lines.push_back(source_of(uri->text()));
    } else {
      leave(group, "type", "only cameras (1), addresses and files (2, 3) and RTSP (4) are read");
      return;
    }
    const auto count = find(group, "num-sources");
    const int copies = count ? count->as_int(1, 1024) : 1;
    read_restarts(group, lines);
    leave(group, "drop-frame-interval",
          "frames are not dropped before decoding; interval: looks at "
          "every so many");
    for (const char* key : {"smart-record", "smart-rec-dir-path", "smart-rec-cache"})
      leave(group, key, "outputs: record writes everything; there are no recordings of events");
    for (int i = 0; i < copies; ++i) {
      inputs_.push_back(lines);
      if (copies > 1)
        inputs_.back().front() = "name: " + yaml_quoted(group + "-" + std::to_string(i));
    }
    leave_rest(group, "source");
  }

  // A line a source, under a line with the names of their keys.
  void read_source_table() {
    const ConfigValue table = *find("source", "csv-file-path");
    const fs::path path = table.as_path();
    const std::optional<std::string> text = read_text_file(path);
    if (!text) table.fail("cannot read " + path.string());
    std::istringstream stream(*text);
    std::vector<std::string> keys;
    std::size_t number = 0, sources = 0;
    for (std::string line; std::getline(stream, line);) {
      ++number;
      const std::vector<std::string> fields = fields_of(line);
      if (fields.empty() || fields.front().starts_with('#')) continue;
      if (keys.empty()) {
        keys = fields;
        continue;
      }
      const std::string group = "source" + std::to_string(sources++);
      for (std::size_t i = 0; i < std::min(keys.size(), fields.size()); ++i)
        if (!fields[i].empty())
          file_.set(group, keys[i], fields[i], path.string() + ":" + std::to_string(number));
      const auto enable = find(group, "enable");
      if (!enable || is_on(enable)) read_source(group);
    }
    leave_rest("source", "source");
  }

  void read_source_list() {
    const auto list = find("source-list", "list");
    if (!list) return leave_rest("source-list", "source-list");
    const auto ids = find("source-list", "sensor-id-list"),
               names = find("source-list", "sensor-name-list");
    const std::vector<std::string> labels = names ? names->as_strings()
                                            : ids ? ids->as_strings()
                                                  : std::vector<std::string>();
    Lines restarts;
    if (file_.has_group("source-attr-all")) read_restarts("source-attr-all", restarts);
    std::size_t i = 0;
    for (const std::string& uri : list->as_strings()) {
      Lines lines = {
          "name: " + yaml_quoted(i < labels.size() ? labels[i] : "source" + std::to_string(i)),
          source_of(uri)};
      lines.insert(lines.end(), restarts.begin(), restarts.end());
      inputs_.push_back(std::move(lines));
      ++i;
    }
    leave("source-list", "use-nvmultiurisrcbin", "all inputs are opened alike");
    leave_rest("source-list", "source-list");
  }

  std::string source_of(const std::string& uri) const {
    constexpr std::string_view kFile = "file:";
    if (!uri.starts_with(kFile)) {
      if (uri.find("://") != std::string::npos) return "uri: " + yaml_quoted(uri);
      return "file: " + yaml_quoted(relative(path_.parent_path() / uri));
    }
    std::string path = uri.substr(kFile.size());
    if (path.starts_with("//")) path = path.substr(2);
    return "file: " + yaml_quoted(relative(path_.parent_path() / unescaped(path)));
  }

  void read_restarts(const std::string& group, Lines& lines) {
    const auto attempts = find(group, "rtsp-reconnect-attempts");
    if (attempts)
      lines.push_back("restarts: {maximum: " +
                      (attempts->as_int(-1, 1 << 20) < 0 ? "none" : attempts->text()) + "}");
    leave(group, "rtsp-reconnect-interval-sec",
          "a camera that fails is opened again after 1 s, then 2, 4 … 30 s");
  }

  // --- networks

  void read_network(const std::string& group) {
    const auto plugin = find(group, "plugin-type");
    if (plugin && plugin->text() != "0") {
      leave(group, "plugin-type", kTriton);
      asks_triton_ = true;
      return;
    }
    const auto config = find(group, "config-file");
    if (!config)
      throw Error(ErrorCode::kConfig, file_.name() + ": [" + group + "]: config-file is missing");
    Lines lines = {"config: " + yaml_quoted(relative(config->as_path())), "compat: deepstream"};
    Lines properties;
    const auto take = [&](const char* key, const char* property) {
      if (const auto value = find(group, key)) {
        std::string text = value->text();
        if (std::string_view(property) == "infer-on-class-ids")
          std::ranges::replace(text, ';', ':');
        while (text.ends_with(':')) text.pop_back();
        properties.push_back(std::string(property) + ": " + yaml_quoted(text));
      }
    };
    take("gie-unique-id", "unique-id");
    take("operate-on-gie-id", "infer-on-gie-id");
    take("operate-on-class-ids", "infer-on-class-ids");
    take("interval", "interval");
    take("batch-size", "batch-size");
    take("process-mode", "process-mode");
    take("input-tensor-meta", "input-tensor-meta");
    if (group != "primary-gie") properties.push_back("process-mode: secondary");
    if (!properties.empty()) lines.push_back("properties:");
    for (const std::string& property : properties) lines.push_back("  " + property);
    leave(group, "model-engine-file",
          "a TensorRT plan belongs to the machine that made it; the "
          "network of onnx-file is run");
    leave(group, "labelfile-path", "name it in the network's own configuration");
    leave(group, "raw-output-dir", "raw-output-file-write writes to the current folder");
    for (const std::string& key : file_.keys(group))
      if (key.starts_with("bbox-border-color") || key.starts_with("bbox-bg-color"))
        leave(group, key.c_str(),
              "border-color and bg-color of [class-attrs-N] in the network's own "
              "configuration");
    leave_rest(group, "gie");
    const auto id = file_.peek(group, "gie-unique-id"), of = file_.peek(group, "operate-on-gie-id");
    networks_.push_back(
        {group == "primary-gie", id ? id->text() : "", of ? of->text() : "", std::move(lines)});
  }

  // The primary network first, and each behind the one whose objects it looks at.
  void order_networks() {
    std::ranges::stable_sort(networks_, std::greater{}, &Network::is_primary);
    std::vector<Network> ordered;
    while (!networks_.empty()) {
      const auto waits = [&](const Network& network) {
        return std::ranges::any_of(networks_, [&](const Network& other) {
          return &other != &network && !other.id.empty() && other.id == network.of;
        });
      };
      auto next = std::ranges::find_if_not(networks_, waits);
      if (next == networks_.end()) next = networks_.begin();  // they wait for each other
      ordered.push_back(std::move(*next));
      networks_.erase(next);
    }
    networks_ = std::move(ordered);
  }

  // --- tracker

  void read_tracker() {
    tracks_ = true;
    tracker_ = {"algorithm: bytetrack"};
    if (const auto config = find("tracker", "ll-config-file")) {
      for (const std::string& name : config->as_strings()) {
        const fs::path path = path_.parent_path() / name;
        if (is_readable(path))
          read_tracker_config(path);
        else
          leave("tracker", "ll-config-file",
                "there is no " + path.string() + "; sighttrack's defaults hold");
      }
    }
    leave_rest("tracker", "tracker");
  }

  // The library's own YAML.
  void read_tracker_config(const fs::path& path) {
    YamlMap file(YamlValue::read(path));
    for (const char* section : {"BaseConfig", "TargetManagement", "DataAssociator",
                                "StateEstimator", "TrajectoryManagement", "VisualTracker", "ReID",
                                "Segmenter", "PoseEstimator", "ObjectModelProjection"})
      if (const auto value = file.find(section); value && value->is_map()) {
        YamlMap keys(*value);
        read_tracker_section(section, keys);
      }
  }

  void read_tracker_section(const std::string& section, YamlMap& keys) {
    for (const YamlValue& value : keys.values()) {
      const std::string name = value.key();
      const std::string text = value.is_map() || value.is_list() ? "…" : value.as_scalar();
      const auto take = [&](const std::string& property) { tracker_.push_back(property); };
      const auto number = [&](double scale) {
        std::ostringstream words;
        words << value.as_number(0, 1e9) * scale;
        return words.str();
      };
      if (name == "minDetectorConfidence") {
        take("low-confidence: " + number(1));
        if (value.as_number(0, 1) > 0.5) take("high-confidence: " + number(1));
      } else if (name == "probationAge") {
        take("min-hits: " + std::to_string(std::max(value.as_int(0, 1000), 1)));
      } else if (name == "maxShadowTrackingAge") {
        take("max-lost: " + number(kFrameMilliseconds));
        leave(
            value.where(), section + "." + name,
            "frames became milliseconds at 25 frames a second: set tracker: max-lost for another");
      } else if (name == "maxTargetsPerStream") {
        take("max-tracks: " + std::to_string(value.as_int(1, 100000)));
      } else if (name == "checkClassMatch") {
        take(std::string("mix-classes: ") + (text == "0" ? "true" : "false"));
      } else if (section == "StateEstimator" && name == "stateEstimatorType" && text == "0") {
        tracker_.front() = "algorithm: iou";
      } else {
        leave(value.where(), section + "." + name + " = " + text, reason_of_tracker(section));
      }
    }
  }

  static std::string reason_of_tracker(const std::string& section) {
    if (section == "VisualTracker")
      return "tracks are found by their boxes, not by correlation filters";
    if (section == "ReID")
      return "looks come from a network of yours: tracker: use-embeddings, behind a stage with "
             "model-family = embedding";
    return "sighttrack decides this by itself; docs/tracking.md says how";
  }

  // --- analytics

  void read_analytics() {
    const auto name = find("nvds-analytics", "config-file");
    if (!name) return;
    if (!is_readable(name->as_path()))
      return leave("nvds-analytics", "config-file", "there is no " + name->as_path().string());
    tracks_ = true;
    const ConfigFile rules = ConfigFile::read(name->as_path(), ConfigFile::Repeats::kLastCounts);
    std::string text = "# From " + name->as_path().filename().string() + "\n";
    for (const std::string& group : rules.groups()) {
      text += "\n[" + group_of_stream(group) + "]\n";
      bool has_mode = false;
      for (const std::string& key : rules.keys(group)) {
        const ConfigValue value = rules.get(group, key);
        if (group == "property" && !kAnalyticsKeys.contains(key)) {
          leave(value.where(), "[property] " + key,
                "how results are drawn is a matter of sightoverlay");
          continue;
        }
        has_mode = has_mode || key == "mode";
        text += key + " = " + value.text() + "\n";
      }
      if (group.starts_with("line-crossing") && !has_mode) text += "mode = balanced\n";
    }
    result_.analytics = text;
  }

  // "line-crossing-stream-0" is of the first input.
  std::string group_of_stream(const std::string& group) const {
    constexpr std::string_view kStream = "-stream-";
    const auto at = group.find(kStream);
    if (at == std::string::npos) return group;
    const std::string number = group.substr(at + kStream.size());
    const bool digits =
        !number.empty() && std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
    const std::size_t index = digits && number.size() < 6 ? std::stoul(number) : inputs_.size();
    if (index >= inputs_.size()) return group;
    std::string name = inputs_[index].front().substr(std::string("name: ").size());
    return group.substr(0, at) + std::string(kStream) + name.substr(1, name.size() - 2);
  }

  // --- outputs

  void read_application() {
    if (is_on(find("application", "enable-perf-measurement"))) {
      outputs_["stats"] = yaml_quoted("-");
      if (const auto every = find("application", "perf-measurement-interval-sec"))
        outputs_["stats-interval"] = every->text();
    }
    for (const char* key :
         {"gie-kitti-output-dir", "kitti-track-output-dir", "reid-track-output-dir",
          "terminated-track-output-dir", "shadow-track-output-dir"})
      if (const auto value = find("application", key)) {
        outputs_["json"] = yaml_quoted("events.jsonl");
        leave("application", key, "results are lines of JSON in events.jsonl, not KITTI files");
      }
    leave("application", "global-gpu-id", "device: cuda:N says which GPU");
    leave_rest("application", "application");
  }

  void read_tiling() {
    if (!is_on(file_.peek("tiled-display", "enable"))) return;
    for (const char* key : {"rows", "columns", "width", "height"})
      leave("tiled-display", key, "the wall chooses its grid and its size by the inputs");
  }

  void read_sink(const std::string& group) {
    const auto type = find(group, "type");
    const int kind = type ? type->as_int(1, 6) : 1;
    const bool tiled = is_on(file_.peek("tiled-display", "enable"));
    switch (kind) {
      case 1:
        break;
      case 2:
      case 5:
        outputs_["wall"] = "window";
        break;
      case 3: {
        const auto name = find(group, "output-file");
        const std::string path = relative(name ? name->as_path() : path_.parent_path() / "out.mp4");
        if (tiled)
          outputs_["wall"] = yaml_quoted(fs::path(path).replace_extension(".mp4").string());
        else
          outputs_["record"] = yaml_quoted(fs::path(path).parent_path().empty()
                                               ? std::string(".")
                                               : fs::path(path).parent_path().string());
        for (const char* key : {"codec", "bitrate", "container", "enc-type", "profile"})
          leave(group, key, "recordings are H.264 in MP4");
        break;
      }
      case 4:
        leave(group, "type", "nothing is served by RTSP; outputs: wall or record writes clips");
        return;
      default:
        outputs_["json"] = yaml_quoted("events.jsonl");
        leave(group, "type",
              "events are lines of JSON in events.jsonl; hand them to a broker with "
              "its own client");
        return;
    }
    if (kind != 1) leave_rest(group, "sink");
  }

  std::string relative(const fs::path& path) const {
    return fs::absolute(path)
        .lexically_normal()
        .lexically_relative(folder_.lexically_normal())
        .string();
  }

  std::string site() const {
    std::string text =
        "# Made by sightline migrate of " + path_.filename().string() + "\n\ninputs:\n";
    const auto item = [&](const Lines& lines) {
      for (std::size_t i = 0; i < lines.size(); ++i)
        text += (i == 0 ? "  - " : "    ") + lines[i] + "\n";
    };
    for (const Lines& input : inputs_) item(input);
    text += "\nstages:\n";
    for (const Network& network : networks_) item(network.lines);
    text += std::string("\ntracking: ") + (tracks_ ? "true" : "false") + "\n";
    if (tracks_ && !tracker_.empty()) {
      text += "tracker:\n";
      for (const std::string& line : tracker_) text += "  " + line + "\n";
    }
    if (!result_.analytics.empty()) text += std::string("analytics: ") + kMigratedAnalytics + "\n";
    text += "parallel: " + std::to_string(std::min<std::size_t>(inputs_.size(), 64)) + "\n";
    if (!outputs_.empty()) text += "\noutputs:\n";
    for (const auto& [key, value] : outputs_) text += "  " + key + ": " + value + "\n";
    if (!result_.not_covered.empty()) text += "\n# Not covered:\n";
    for (const NotCovered& it : result_.not_covered)
      text += "# " + it.where + ": " + it.what + ": " + it.why + "\n";
    return text;
  }

  static constexpr double kFrameMilliseconds = 40;
  const std::set<std::string> kAnalyticsKeys = {"enable", "config-width", "config-height"};

  const fs::path path_, folder_;
  ConfigFile file_;
  std::set<std::string> used_;
  std::vector<Lines> inputs_;
  std::vector<Network> networks_;
  bool asks_triton_ = false;
  Lines tracker_;
  bool tracks_ = false;
  std::map<std::string, std::string> outputs_;
  MigratedApp result_;
};

}  // namespace

MigratedApp migrate_deepstream_app(const fs::path& file, const fs::path& folder) {
  return Migration(file, folder).run();
}

}  // namespace sightline
