// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A stage's configuration as the rooms read it: the file, over it what an element's properties say,
// under it another program's defaults, and what is to be told of keys that nothing reads.

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "postprocess/postprocess.h"

namespace sightline {

// Whose defaults hold where a file says nothing.
enum class Compat { kOwn, kDeepStream };

// What properties of an element put above the file: keys of [property].
class ModelOverrides {
 public:
  struct Value {
    std::string text;
    std::string property;  // for complaints
  };

  Compat compat = Compat::kOwn;

  // An empty `property` stands for one with the key's name.
  void set(const std::string& key, std::string text, const std::string& property = {});
  void unset(const std::string& key) { values_.erase(key); }
  const Value* find(const std::string& key) const;
  const std::map<std::string, Value>& values() const { return values_; }

 private:
  std::map<std::string, Value> values_;
};

struct Configuration {
  ConfigFile file;
  Compat compat = Compat::kOwn;
  std::vector<std::string> notes;     // for whoever wants to know
  std::vector<std::string> warnings;  // what was asked for and is not done

  // With compat = deepstream, whether by `overrides` or the file's own key, nvinfer's defaults are
  // laid under the file. Throws Error: the file cannot be read, or a key is refused.
  static Configuration read(const std::filesystem::path& path, const ModelOverrides& overrides);

  // Sets model-family where the file does not: to the family that recognises the network's outputs,
  // which is noted, or with nvinfer's defaults to its own detector's. Throws Error(kConfig) if
  // several recognise them.
  void choose_family(const NetworkShape& network);

  // To be called when everything was asked for. Throws Error(kConfig) for a key that nobody knows.
  // With nvinfer's rules such keys are passed over, with a warning, and those of nvinfer's that are
  // for another kind of network with a note.
  void reject_unknown();

 private:
  void read_as_nvinfers();
  void lay_over(const ModelOverrides& overrides);
  void refuse();
  void pass_over();
  void pass_over_parsers();
  void translate();
  void lay_nvinfer_defaults();
  void pass_over_idle_parsers();
  void replace_grouping();
  void refuse_idle_keys() const;
};

}  // namespace sightline
