// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which family decodes a network: the one that `model-family` names, or the one that nvinfer's
// `network-type` stands for.

#include <algorithm>
#include <optional>

#include "postprocess/family.h"
#include "postprocess/foreign_families.h"
#include "postprocess/foreign_parsers.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

// Grows while the library is loaded, and is only read afterwards.
std::vector<Family>& families() {
  static std::vector<Family> registered;
  return registered;
}

const Family* find_family(std::string_view name) {
  for (const Family& family : families())
    if (std::find(family.names.begin(), family.names.end(), name) != family.names.end())
      return &family;
  return nullptr;
}

const Family& family_of(std::string_view name) {
  if (const Family* family = find_family(name)) return *family;
  throw Error(ErrorCode::kFailed, "model-family " + std::string(name) + " is not built in");
}

std::string names_of(std::optional<NetworkRole> role) {
  std::vector<std::string> names;
  for (const Family& family : families())
    if (!role || family.role == *role)
      names.insert(names.end(), family.names.begin(), family.names.end());
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// nvinfer's types. Objects with masks come from a detector here.
enum class NetworkType { kDetector, kClassifier, kSegmentation, kInstanceSegmentation, kOther };

bool is_of(NetworkType type, NetworkRole role) {
  switch (type) {
    case NetworkType::kDetector:
    case NetworkType::kInstanceSegmentation:
      return role == NetworkRole::kDetector;
    case NetworkType::kClassifier:
      return role == NetworkRole::kClassifier;
    case NetworkType::kSegmentation:
      return role == NetworkRole::kSegmentation;
    case NetworkType::kOther:
      break;
  }
  return role != NetworkRole::kDetector && role != NetworkRole::kClassifier &&
         role != NetworkRole::kSegmentation;
}

NetworkType read_type(const ConfigValue& value) {
  return value.as_one_of<NetworkType>(
      {{"0", NetworkType::kDetector},
       {"detector", NetworkType::kDetector},
       {"1", NetworkType::kClassifier},
       {"classifier", NetworkType::kClassifier},
       {"2", NetworkType::kSegmentation},
       {"segmentation", NetworkType::kSegmentation},
       {"3", NetworkType::kInstanceSegmentation},
       {"instance-segmentation", NetworkType::kInstanceSegmentation},
       {"100", NetworkType::kOther},
       {"other", NetworkType::kOther}});
}

std::string unrecognised(const NetworkShape& network) {
  return ", and the outputs are no family's beyond doubt: " + describe_outputs(network) +
         " (without the batch dimension). More are recognised with labels or "
         "num-detected-classes. ";
}

const Family& choose_family(const ConfigFile& config, const NetworkShape& network) {
  const auto name = config.find("property", "model-family");
  const auto type = config.find("property", "network-type");
  if (name) {
    const Family* family = find_family(name->text());
    if (family == nullptr) name->fail("no such family. Known: " + names_of(std::nullopt));
    if (type && !is_of(read_type(*type), family->role))
      type->fail("model-family = " + name->text() + " is of another type. Leave one of them out");
    return *family;
  }
  if (!type)
    throw Error(ErrorCode::kConfig,
                config.name() + ": neither model-family nor network-type is set in [property]" +
                    unrecognised(network) + "Families: " + names_of(std::nullopt));
  switch (read_type(*type)) {
    case NetworkType::kClassifier:
      return family_of("classifier");
    case NetworkType::kOther:
      return family_of("raw");
    case NetworkType::kSegmentation:
      return family_of("segmentation");
    case NetworkType::kDetector:
    case NetworkType::kInstanceSegmentation:
      break;
  }
  type->fail("a detector needs model-family, which says how its outputs are decoded" +
             unrecognised(network) + "Known: " + names_of(NetworkRole::kDetector));
}

struct ParserKey {
  const char* key;
  NetworkType type;
  DeepStreamParser kind;
};

constexpr ParserKey kParserKeys[] = {
    {"parse-bbox-func-name", NetworkType::kDetector, DeepStreamParser::kBoxes},
    {"parse-classifier-func-name", NetworkType::kClassifier, DeepStreamParser::kClassifier},
    {"parse-segmentation-func-name", NetworkType::kSegmentation, DeepStreamParser::kSegmentation},
    {"parse-bbox-instance-mask-func-name", NetworkType::kInstanceSegmentation,
     DeepStreamParser::kMasks},
};

// The key that counts: that of the network's type, or the only one. Null if there is none.
const ParserKey* choose_parser_key(const ConfigFile& config) {
  const auto type = config.find("property", "network-type");
  const ParserKey* chosen = nullptr;
  for (const ParserKey& parser : kParserKeys) {
    const auto value = config.peek("property", parser.key);
    if (!value || (type && read_type(*type) != parser.type)) continue;
    if (chosen != nullptr)
      value->fail(std::string(chosen->key) +
                  " is set, too: network-type says which of them counts, and is missing");
    chosen = &parser;
  }
  return chosen;
}

void require_known_input(const ConfigFile& config, const NetworkShape& network) {
  if (network.input.width <= 0 || network.input.height <= 0)
    throw Error(ErrorCode::kModel, config.name() + ": the network's input is " +
                                       std::to_string(network.input.width) + " × " +
                                       std::to_string(network.input.height) +
                                       " pixels, expected a known size: set infer-dims");
}

// Null unless the configuration names a parser of a library.
std::unique_ptr<Postprocessor> make_foreign_parser(const ConfigFile& config,
                                                   const NetworkShape& network) {
  if (const auto parser = config.find("property", "parser")) {
    if (config.find("property", "model-family"))
      parser->fail("model-family says already how the outputs are read. Leave one of them out");
    require_known_input(config, network);
    auto made = make_sight_parser(config, network, *parser);
    const auto type = config.find("property", "network-type");
    if (type && !is_of(read_type(*type), made->role()))
      type->fail("parser = " + parser->text() + " is of another type. Leave network-type out");
    return made;
  }
  if (config.peek("property", "model-family")) return nullptr;
  const ParserKey* const key = choose_parser_key(config);
  if (key == nullptr) return nullptr;
  require_known_input(config, network);
  return make_deepstream_parser(config, network, key->kind, config.get("property", key->key));
}

}  // namespace

FamilyRegistration::FamilyRegistration(Family family) { families().push_back(std::move(family)); }

std::unique_ptr<Postprocessor> make_postprocessor(const ConfigFile& config,
                                                  const NetworkShape& network) {
  if (auto parser = make_foreign_parser(config, network)) return parser;
  if (auto foreign = make_foreign_family(config, network)) return foreign;
  const Family& family = choose_family(config, network);
  require_known_input(config, network);
  return family.make(config, network);
}

std::optional<std::string> deepstream_parser_key(const ConfigFile& config) {
  const ParserKey* const key = choose_parser_key(config);
  return key == nullptr ? std::nullopt : std::optional<std::string>(key->key);
}

std::optional<std::string> recognise_family(const ConfigFile& config, const NetworkShape& network) {
  for (const char* key : {"model-family", "custom-lib-path"})
    if (config.peek("property", key)) return std::nullopt;
  std::optional<NetworkType> type;
  if (const auto value = config.find("property", "network-type")) type = read_type(*value);
  if (type && !is_of(*type, NetworkRole::kDetector)) return std::nullopt;
  std::vector<std::string> names;
  for (const Family& family : families())
    if (family.recognises != nullptr && (!type || is_of(*type, family.role)) &&
        family.recognises(config, network))
      names.push_back(family.names.front());
  if (names.empty()) return std::nullopt;
  if (names.size() > 1)
    throw Error(ErrorCode::kConfig, config.name() + ": the outputs could be those of " + names[0] +
                                        " and of " + names[1] +
                                        ". Say which with model-family in [property]");
  return names.front();
}

std::vector<FamilyInfo> postprocess_families() {
  std::vector<FamilyInfo> infos;
  for (const Family& family : families())
    for (const std::string& name : family.names) infos.push_back({name, family.description});
  std::sort(infos.begin(), infos.end(),
            [](const FamilyInfo& a, const FamilyInfo& b) { return a.name < b.name; });
  return infos;
}

}  // namespace sightline
