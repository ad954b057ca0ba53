// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a model family makes itself known. A family is one file that defines a Postprocessor and a
// FamilyRegistration of namespace scope; nothing else has to name it.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postprocess/postprocess.h"

namespace sightline {

struct Family {
  std::vector<std::string> names;  // of `model-family`; the first is the one that is listed
  NetworkRole role;
  std::string description;  // a line: the outputs it expects and what it gives
  std::unique_ptr<Postprocessor> (*make)(const ConfigFile& config, const NetworkShape& network);
  // Whether these outputs are this family's and, as far as is known, no other's. Null: that cannot
  // be told.
  bool (*recognises)(const ConfigFile& config, const NetworkShape& network) = nullptr;
};

template <typename Decoder>
std::unique_ptr<Postprocessor> make_family(const ConfigFile& config, const NetworkShape& network) {
  return std::make_unique<Decoder>(config, network);
}

// For `recognises`: whether `find`, which looks for a family's outputs, does not complain.
template <typename Find>
bool finds(Find&& find) {
  try {
    static_cast<void>(find());
    return true;
  } catch (const Error&) {
    return false;
  }
}

struct FamilyRegistration {
  explicit FamilyRegistration(Family family);
};

}  // namespace sightline
