// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Every key of a stage's configuration file: nvinfer's, with what becomes of each, and our own. The
// table says what is refused and what is without meaning, and is what `sightline config` and
// docs/nvinfer-keys.md are made from.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sightline {

enum class KeyUse {
  kApplied,      // nvinfer's, and it does here what it does there
  kRefused,      // nvinfer's, and `text` says what to use instead
  kMeaningless,  // nvinfer's, for hardware or builders that are not here: named once and passed
                 // over
  kOwn           // not nvinfer's
};

struct ConfigKey {
  std::string_view group;  // "property" or "class-attrs"
  std::string_view name;
  KeyUse use;
  std::string_view nvinfer;  // nvinfer's default; empty for our own keys
  std::string_view own;      // what holds here where the key is missing
  std::string_view text;     // a sentence without its full stop
};

std::span<const ConfigKey> config_keys();
// Of "class-attrs-all" and "class-attrs-3" those of "class-attrs". Null if there is no such key.
const ConfigKey* find_config_key(std::string_view group, std::string_view name);

std::string_view name_of(KeyUse use);  // "applied", "refused", "no meaning here", "own"

// docs/nvinfer-keys.md.
std::string describe_config_keys();

}  // namespace sightline
