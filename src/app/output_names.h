// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which file each recording is written to: what --out names, or in the folder that it names.

#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "app/input.h"

namespace sightline {

// For any thread.
class OutputNames {
 public:
  // `out` is a file or a folder (one that is there, or a name that ends in /), which is made;
  // empty: nothing is recorded. `dated`: names in the folder say when the recording began, so that
  // none of an earlier day is replaced.
  OutputNames(const std::string& out, bool dated);

  // Throws UsageError if the inputs need a folder, or the file's name has another ending than
  // theirs.
  static void require_fitting(const std::string& out, const std::vector<Input>& inputs);

  // What take() would give for these inputs, in this order, without making a folder.
  static std::vector<std::filesystem::path> of(const std::string& out, bool dated,
                                               const std::vector<Input>& inputs);

  // The next file of an input; another one each time. Empty: nothing is recorded.
  std::filesystem::path take(const Input& input);
  // Nothing came of it: the name is free again.
  void give_back(const std::filesystem::path& path);

 private:
  OutputNames() = default;

  std::filesystem::path unused(const std::filesystem::path& folder, const std::string& stem,
                               const std::string& ending);

  std::filesystem::path out_;
  bool folder_ = false;
  bool dated_ = false;
  std::mutex mutex_;
  std::set<std::filesystem::path> used_;
};

}  // namespace sightline
