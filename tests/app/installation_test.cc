// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/installation.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "app/build_paths.h"
#include "app/model_catalogue.h"

namespace sightline {
namespace {

TEST(Installation, TheBuildFolderUsesTheSourceTree) {
  const Installation found = Installation::of(kBuildFolder);
  EXPECT_TRUE(std::filesystem::exists(found.models / "catalog.json"));
  EXPECT_EQ(found.plugin, std::filesystem::path(kBuildFolder) / "src/elements/libgstsightline.so");
}

TEST(Installation, AnInstalledProgramFindsItsFilesWhereverThePrefixWent) {
  for (const std::filesystem::path prefix : {"/usr", "/opt/moved/here"}) {
    const std::filesystem::path bin = prefix / "bin";
    const Installation found = Installation::of(bin);
    EXPECT_EQ(found.models, prefix / kDataFolder / "sightline/models");
    EXPECT_EQ(found.plugin, prefix / kLibFolder / "gstreamer-1.0/libgstsightline.so");
  }
}

TEST(Catalogue, EveryModelSaysWhereItComesFromAndHowToKnowIt) {
  const auto catalogue = read_catalogue(Installation::of(kBuildFolder).models);
  ASSERT_FALSE(catalogue.empty());
  for (const CatalogueModel& model : catalogue) {
    SCOPED_TRACE(model.name);
    EXPECT_EQ(model.sha256.size(), 64u);
    EXPECT_GT(model.bytes, 0u);
    EXPECT_FALSE(model.licence.empty() || model.origin.empty() || model.sources.empty());
    EXPECT_FALSE(model.is_default && !model.restriction.empty());
    const auto models = Installation::of(kBuildFolder).models;
    EXPECT_TRUE(std::filesystem::exists(models / model.package_list / "package-lock.json"));
    EXPECT_TRUE(std::filesystem::exists(models / (model.name + ".ini")));
    for (const ModelSource& source : model.sources) EXPECT_EQ(source.sha256.size(), 64u);
  }
}

}  // namespace
}  // namespace sightline
