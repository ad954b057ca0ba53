// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/data_paths.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <stdlib.h>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;

TEST(DataPaths, AModelIsFoundBesideItsConfigurationOrInTheUsersFolder) {
  const fs::path root = fs::temp_directory_path() / ("sightline-paths-" + std::to_string(getpid()));
  fs::create_directories(root / "models");
  setenv("SIGHTLINE_MODELS", (root / "models").c_str(), 1);
  EXPECT_THROW(find_model(root / "a.onnx"), Error);
  std::ofstream(root / "models" / "a.onnx") << "x";
  EXPECT_EQ(find_model(root / "a.onnx"), root / "models" / "a.onnx");
  std::ofstream(root / "a.onnx") << "x";
  EXPECT_EQ(find_model(root / "a.onnx"), root / "a.onnx");
  unsetenv("SIGHTLINE_MODELS");
  fs::remove_all(root);
}

TEST(DataPaths, TheFolderFollowsTheXdgSpecification) {
  setenv("HOME", "/home/ada", 1);
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(user_models_directory(), "/data/sightline/models");
  setenv("XDG_DATA_HOME", "relative", 1);
  EXPECT_EQ(user_models_directory(), "/home/ada/.local/share/sightline/models");
  unsetenv("XDG_DATA_HOME");
  EXPECT_EQ(user_models_directory(), "/home/ada/.local/share/sightline/models");
}

}  // namespace
}  // namespace sightline
