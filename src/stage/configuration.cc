// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/configuration.h"

#include <algorithm>
#include <array>
#include <limits>

#include "stage/config_keys.h"

namespace sightline {

namespace {

constexpr const char* kProperty = "property";
constexpr const char* kClasses = "class-attrs-all";
constexpr const char* kInt8Mode =
    "the network runs in the types of its ONNX file: quantise that (QDQ nodes) for int8";
constexpr const char* kHalfMode =
    "on a GPU the network computes in float16, as with precision = fp16; on the CPU in the types "
    "of its ONNX file";
constexpr std::array kParserKeys = {"custom-lib-path", "parse-bbox-func-name",
                                    "parse-bbox-instance-mask-func-name",
                                    "parse-classifier-func-name", "parse-segmentation-func-name"};
// What says of a model that it is of a kind that is not read; other refused keys only go along.
constexpr std::array kForeignModels = {"tlt-encoded-model", "model-file", "uff-file"};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Compat read_compat(const ConfigFile& file, Compat asked) {
  const auto value = file.find(kProperty, "compat");
  if (!value) return asked;
  const auto wish =
      value->as_one_of<Compat>({{"own", Compat::kOwn}, {"deepstream", Compat::kDeepStream}});
  return asked == Compat::kDeepStream ? asked : wish;
}

bool is_secondary(const ConfigFile& file) {
  const auto mode = file.peek(kProperty, "process-mode");
  return mode && (mode->text() == "2" || mode->text() == "secondary");
}

bool is_classifier(const ConfigFile& file) {
  const auto type = file.peek(kProperty, "network-type");
  return type && (type->text() == "1" || type->text() == "classifier");
}

bool is_detector(const ConfigFile& file) {
  const auto type = file.peek(kProperty, "network-type");
  return type && (type->text() == "0" || type->text() == "detector");
}

// What stands before a remark, where `text` is a whole number with one behind it: "2  # NMS". Lists
// ("0 ;1") have none.
std::optional<std::string> number_before_remark(const std::string& text) {
  const auto end = text.find_first_not_of("+-0123456789");
  if (end == 0 || end == std::string::npos) return std::nullopt;
  const auto remark = text.find_first_not_of(" \t", end);
  if (remark == end || remark == std::string::npos) return std::nullopt;
  const bool is_list = text[remark] == ';' && text.find_first_of("0123456789", remark) ==
                                                  text.find_first_not_of("; \t", remark);
  if (is_list || (text[remark] != '#' && text[remark] != ';')) return std::nullopt;
  return text.substr(0, end);
}

// Of a library; a library alone names none.
bool names_a_parser(const ConfigFile& file) {
  return file.peek(kProperty, "parser") ||
         std::any_of(kParserKeys.begin() + 1, kParserKeys.end(),
                     [&](const char* key) { return file.peek(kProperty, key).has_value(); });
}

}  // namespace

void ModelOverrides::set(const std::string& key, std::string text, const std::string& property) {
  values_[key] = {std::move(text), property.empty() ? key : property};
}

const ModelOverrides::Value* ModelOverrides::find(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

Configuration Configuration::read(const std::filesystem::path& path,
                                  const ModelOverrides& overrides) {
  // nvinfer's reader takes the last of two; a mistake that it lets pass is none of its user's.
  const auto repeats = overrides.compat == Compat::kDeepStream ? ConfigFile::Repeats::kLastCounts
                                                               : ConfigFile::Repeats::kRefused;
  Configuration configuration{ConfigFile::read(path, repeats), Compat::kOwn, {}, {}};
  configuration.compat = read_compat(configuration.file, overrides.compat);
  if (configuration.compat == Compat::kDeepStream) configuration.read_as_nvinfers();
  configuration.lay_over(overrides);
  configuration.refuse();
  configuration.pass_over();
  configuration.pass_over_parsers();
  configuration.translate();
  if (configuration.compat == Compat::kDeepStream) {
    configuration.lay_nvinfer_defaults();
    configuration.pass_over_idle_parsers();
  }
  return configuration;
}

// The rooms are told whose rules hold. Of a number, nvinfer takes what stands before a blank.
void Configuration::read_as_nvinfers() {
  if (const auto rules = file.peek(kProperty, "compat"); !rules || rules->text() != "deepstream")
    file.set(kProperty, "compat", "deepstream", file.name() + ": as nvinfer reads it");
  for (const std::string& group : file.groups())
    for (const std::string& key : file.keys(group)) {
      const ConfigValue value = *file.peek(group, key);
      if (const auto number = number_before_remark(value.text()))
        file.set(group, key, *number, value.where());
    }
}

void Configuration::lay_over(const ModelOverrides& overrides) {
  for (const auto& [key, value] : overrides.values())
    file.set(kProperty, key, value.text, file.name() + ": the property " + value.property);
}

// Where the file says what to do instead, such as what to run, what it says of another form of the
// same may be there.
void Configuration::refuse() {
  if (!file.peek(kProperty, "onnx-file"))
    for (const char* model : kForeignModels)
      if (const auto value = file.peek(kProperty, model))
        value->fail(std::string(find_config_key(kProperty, model)->text));
  for (const ConfigKey& key : config_keys()) {
    if (key.use != KeyUse::kRefused) continue;
    const auto value = file.find(key.group, key.name);
    if (!value || (value->text() == "0" && key.nvinfer == "0")) continue;
    const std::string why(key.text);
    if (!file.peek(kProperty, "onnx-file")) value->fail(why);
    warnings.push_back(value->where() + ": " + std::string(key.name) + " is passed over: " + why);
  }
}

void Configuration::pass_over() {
  std::vector<std::string> names;
  for (const ConfigKey& key : config_keys())
    if (key.use == KeyUse::kMeaningless && file.find(key.group, key.name))
      names.emplace_back(key.name);
  if (!names.empty())
    notes.push_back(file.name() + ": without meaning here, and passed over: " + joined(names));
}

// Who adds model-family to a file of nvinfer's need not have its library.
void Configuration::pass_over_parsers() {
  const auto family = file.peek(kProperty, "model-family");
  if (!family) return;
  for (const char* key : kParserKeys)
    if (const auto value = file.find(kProperty, key))
      warnings.push_back(value->where() + ": " + key + " is passed over: model-family = " +
                         family->text() + " says how the outputs are read");
}

// nvinfer asks a library for the function that belongs to network-type, and for nothing else.
void Configuration::pass_over_idle_parsers() {
  if (file.peek(kProperty, "model-family") || file.peek(kProperty, "parser")) return;
  const std::string function = deepstream_parser_key(file).value_or("");
  for (const std::string key : kParserKeys) {
    const auto value = file.peek(kProperty, key);
    if (!value || key == function || (key == kParserKeys.front() && !function.empty())) continue;
    warnings.push_back(value->where() + ": " + key + " is passed over: " +
                       (key == kParserKeys.front()
                            ? "no function of it is named for this network-type"
                            : "it is for another network-type"));
    file.remove(kProperty, key);
  }
}

// Old forms of keys become the new ones.
void Configuration::translate() {
  if (const auto old = file.find(kProperty, "is-classifier")) {
    const bool classifier = old->as_bool();
    if (!file.peek(kProperty, "network-type"))
      file.set(kProperty, "network-type", classifier ? "1" : "0", old->where());
  }
  if (const auto old = file.find(kProperty, "enable-dbscan"))
    if (old->as_bool() && !file.peek(kProperty, "cluster-mode"))
      file.set(kProperty, "cluster-mode", "1", old->where());
  if (const auto mode = file.find(kProperty, "network-mode"))
    if (const int number = mode->as_int(0, 3); number != 0)
      notes.push_back(mode->where() + ": network-mode = " + mode->text() + ": " +
                      (number == 1 ? kInt8Mode : kHalfMode));
}

void Configuration::lay_nvinfer_defaults() {
  const std::string origin = "nvinfer's default";
  std::vector<std::string> laid;
  const auto lay = [&](const char* key, const std::string& text) {
    if (file.peek(kProperty, key)) return;
    file.set_default(kProperty, key, text, origin);
    laid.push_back(std::string(key) + " = " + text);
  };
  lay("gie-unique-id", "15");
  lay("batch-size", "1");
  if (!file.peek(kProperty, "model-family") && !file.peek(kProperty, "parser"))
    lay("network-type", "0");
  lay("scaling-filter", "nearest");
  lay("pad-value", "0");
  lay("crop-rounding", "even");
  lay("unlabelled-classes", "drop");
  lay("output-instance-mask", "0");
  if (is_secondary(file) && is_classifier(file)) {
    lay("secondary-reinfer-interval", std::to_string(std::numeric_limits<int>::max()));
    lay("reinfer-sharper", "0");
    lay("reinfer-frontal", "0");
  }
  replace_grouping();
  notes.push_back(
      file.name() +
      ": compat=deepstream: where the file says nothing, nvinfer's defaults hold: " + joined(laid));
}

void Configuration::choose_family(const NetworkShape& network) {
  constexpr const char* kFamily = "model-family";
  if (file.peek(kProperty, kFamily) || names_a_parser(file)) return;
  std::string family, why;
  if (const auto recognised = recognise_family(file, network)) {
    family = *recognised;
    why = "the network's outputs are those of " + family;
  } else if (compat == Compat::kDeepStream && is_detector(file) &&
             !file.peek(kProperty, "custom-lib-path")) {
    family = "detectnet-v2";
    why = "a detector is " + family + ", as for nvinfer";
  } else {
    return;
  }
  file.set_default(kProperty, kFamily, family, why);
  notes.push_back(file.name() + ": model-family is not set: " + why);
  pass_over_parsers();
}

// nvinfer is built without OpenCV; then its mode 0, which is also its default, is this.
void Configuration::replace_grouping() {
  const auto mode = file.peek(kProperty, "cluster-mode");
  if (mode && mode->text() != "0") return;
  const std::string origin = "nvinfer's cluster-mode 0, without OpenCV";
  if (mode)
    file.set(kProperty, "cluster-mode", "2", origin);
  else
    file.set_default(kProperty, "cluster-mode", "2", origin);
  std::vector<std::string> groups = file.groups();
  std::erase_if(groups,
                [](const std::string& group) { return !group.starts_with("class-attrs-"); });
  if (std::ranges::find(groups, kClasses) == groups.end()) groups.emplace_back(kClasses);
  for (const std::string& group : groups)
    for (const auto& [key, text] :
         {std::pair{"nms-iou-threshold", "0.5"}, std::pair{"topk", "20"}}) {
      if (file.peek(group, key))
        file.set(group, key, text, origin);
      else if (group == kClasses)
        file.set_default(group, key, text, origin);
    }
  notes.push_back(file.name() + ": compat=deepstream: cluster-mode = 0 is nms with " +
                  "nms-iou-threshold = 0.5 and topk = 20, as in nvinfer's own builds");
}

void Configuration::reject_unknown() {
  if (compat == Compat::kDeepStream) {
    std::vector<std::string> names;
    const std::vector<std::string> groups = file.groups();
    for (const std::string& group : groups)
      for (const std::string& name : file.keys(group)) {
        const ConfigKey* const key = find_config_key(group, name);
        if (key == nullptr || key->use == KeyUse::kOwn) continue;
        if (file.asked().contains({group, name})) continue;
        file.find(group, name);
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      }
    if (!names.empty()) notes.push_back(file.name() + ": of no effect here: " + joined(names));
  }
  refuse_idle_keys();
  notes.insert(notes.end(), file.remarks().begin(), file.remarks().end());
  if (compat == Compat::kDeepStream)
    for (const std::string& complaint : file.unknown())
      warnings.push_back(complaint + (complaint.ends_with('?') ? "" : ".") +
                         " It is passed over, as by nvinfer");
  else
    file.reject_unknown();
}

// A key that exists, but that nobody of this configuration reads.
void Configuration::refuse_idle_keys() const {
  for (const std::string& group : file.groups())
    for (const std::string& name : file.keys(group))
      if (find_config_key(group, name) != nullptr && !file.asked().contains({group, name}))
        file.peek(group, name)->fail("has no effect for this kind of network. Leave it out");
}

}  // namespace sightline
