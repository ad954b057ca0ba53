// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which family decodes a network: the one that `model-family` names, or the one that nvinfer's
// `network-type` stands for.

#include <algorithm>
#include <optional>

#include "postprocess/family.h"

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

// Of a role that has one family.
const Family& only_family(NetworkRole role) {
  for (const Family& family : families())
    if (family.role == role) return family;
  throw Error(ErrorCode::kFailed, "no model-family is built in for this network-type");
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

// nvinfer has one type for all that is neither a detector nor a classifier.
enum class NetworkType { kDetector, kClassifier, kOther };

NetworkType type_of(NetworkRole role) {
  if (role == NetworkRole::kDetector) return NetworkType::kDetector;
  if (role == NetworkRole::kClassifier) return NetworkType::kClassifier;
  return NetworkType::kOther;
}

NetworkType read_type(const ConfigValue& value) {
  for (const std::string_view segmentation : {"2", "3"})
    if (value.text() == segmentation) value.fail("segmentation networks are not built in");
  return value.as_one_of<NetworkType>({{"0", NetworkType::kDetector},
                                       {"detector", NetworkType::kDetector},
                                       {"1", NetworkType::kClassifier},
                                       {"classifier", NetworkType::kClassifier},
                                       {"100", NetworkType::kOther},
                                       {"other", NetworkType::kOther}});
}

const Family& choose_family(const ConfigFile& config) {
  const auto name = config.find("property", "model-family");
  const auto type = config.find("property", "network-type");
  if (name) {
    const Family* family = find_family(name->text());
    if (family == nullptr) name->fail("no such family. Known: " + names_of(std::nullopt));
    if (type && read_type(*type) != type_of(family->role))
      type->fail("model-family = " + name->text() + " is of another type. Leave one of them out");
    return *family;
  }
  if (!type)
    throw Error(ErrorCode::kConfig,
                config.name() + ": neither model-family nor network-type is set in [property]. " +
                    "Families: " + names_of(std::nullopt));
  switch (read_type(*type)) {
    case NetworkType::kClassifier:
      return only_family(NetworkRole::kClassifier);
    case NetworkType::kOther:
      return only_family(NetworkRole::kRaw);
    case NetworkType::kDetector:
      break;
  }
  type->fail("a detector needs model-family, which says how its outputs are decoded. Known: " +
             names_of(NetworkRole::kDetector));
}

}  // namespace

FamilyRegistration::FamilyRegistration(Family family) { families().push_back(std::move(family)); }

std::unique_ptr<Postprocessor> make_postprocessor(const ConfigFile& config,
                                                  const NetworkShape& network) {
  const Family& family = choose_family(config);
  if (network.input.width <= 0 || network.input.height <= 0)
    throw Error(ErrorCode::kModel, config.name() + ": the network's input is " +
                                       std::to_string(network.input.width) + " × " +
                                       std::to_string(network.input.height) +
                                       " pixels, expected a known size: set infer-dims");
  return family.make(config, network);
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
