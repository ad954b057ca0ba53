// SPDX-License-Identifier: LGPL-2.1-or-later

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "core/error.h"
#include "preprocess/preprocess.h"

namespace sightline {
namespace {

TensorSpec read(const std::string& keys, const std::filesystem::path& directory = {}) {
  TensorSpec defaults;
  defaults.size = {2, 2};
  defaults.type = ElementType::kFloat16;
  const ConfigFile config = ConfigFile::parse("[property]\n" + keys, "model.ini", directory);
  const TensorSpec spec = TensorSpec::from_config(config, defaults);
  config.reject_unknown();
  return spec;
}

std::string complaint(const std::string& keys, const std::filesystem::path& directory = {}) {
  try {
    read(keys, directory);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfig);
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << keys;
  return {};
}

// A folder that is gone with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("spec-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(TensorSpec, KeysLeftOutKeepTheDefaults) {
  const TensorSpec spec = read("");
  EXPECT_EQ(spec.size, (Size{2, 2}));
  EXPECT_EQ(spec.type, ElementType::kFloat16);
  EXPECT_EQ(spec.channels, Channels::kRgb);
  EXPECT_EQ(spec.filter, Filter::kBilinear);
  EXPECT_EQ(spec.scale, 1);
  EXPECT_EQ(spec.bytes_per_item(), 24u);
}

TEST(TensorSpec, NumbersAndWordsMeanTheSame) {
  EXPECT_EQ(read("model-color-format = 0").channels, Channels::kRgb);
  EXPECT_EQ(read("model-color-format = 1").channels, Channels::kBgr);
  EXPECT_EQ(read("model-color-format = 2").channels, Channels::kGray);
  EXPECT_EQ(read("model-color-format = bgr").channels, Channels::kBgr);
  EXPECT_EQ(read("network-input-order = 1").layout, Layout::kNhwc);
  EXPECT_EQ(read("network-input-order = nhwc").layout, Layout::kNhwc);
  EXPECT_EQ(read("scaling-filter = 0").filter, Filter::kNearest);
  EXPECT_EQ(read("scaling-filter = 1").filter, Filter::kBilinear);
  EXPECT_EQ(read("scaling-filter = 6").filter, Filter::kNearest);  // what nvinfer's default does
  EXPECT_EQ(read("scaling-filter = area").filter, Filter::kArea);
  EXPECT_EQ(read("scaling-filter = 3").filter, Filter::kArea);  // super-sampling
  EXPECT_EQ(read("scaling-filter = 5").filter, Filter::kArea);  // the nicest there is
  EXPECT_EQ(read("normalization = per-image").normalization, Normalization::kPerImage);
}

TEST(TensorSpec, NumbersAreOneForAllOrOneAChannel) {
  const TensorSpec spec =
      read("net-scale-factor = 0.5\noffsets = 1;2;3\nstd = 2\npad-value = 4;5;6");
  EXPECT_EQ(spec.scale, 0.5f);
  EXPECT_EQ(spec.mean, (std::array<float, 3>{1, 2, 3}));
  EXPECT_EQ(spec.deviation, (std::array<float, 3>{2, 2, 2}));
  EXPECT_EQ(spec.pad_value, (std::array<float, 3>{4, 5, 6}));
  EXPECT_EQ(read("model-color-format = gray\noffsets = 7").mean[0], 7);
}

TEST(TensorSpec, WrongValuesAreRefusedWithFileAndLine) {
  for (const char* keys :
       {"model-color-format = 3", "model-color-format = RGB!", "network-input-order = 2",
        "scaling-filter = 2", "scaling-filter = 4", "scaling-filter = lanczos", "normalization = 1",
        "net-scale-factor = 0", "net-scale-factor = x", "offsets = 1;2",
        "offsets =", "offsets = 1;2;3;4", "std = 0", "std = 1;-1;1", "pad-value = 256",
        "pad-value = -1", "mean-file = nowhere.ppm", "mean-file ="})
    EXPECT_TRUE(complaint(keys).starts_with("model.ini:2: ")) << complaint(keys);
  EXPECT_NE(complaint("scaling-filter = 4").find("not offered"), std::string::npos);
  EXPECT_TRUE(complaint("model-color-format = gray\noffsets = 1;2;3").starts_with("model.ini:3: "));
}

TEST(TensorSpec, KeysThatWouldHaveNoEffectAreRefused) {
  for (const char* key : {"offsets = 1", "std = 2", "net-scale-factor = 3", "mean-file = m.ppm"})
    EXPECT_NE(complaint("normalization = per-image\n" + std::string(key)).find("no effect"),
              std::string::npos);
  EXPECT_NE(complaint("offsets = 1\nmean-file = m.ppm").find("remove one"), std::string::npos);
}

TEST(TensorSpec, AMeanFileIsAPpmOfTheNetworksSize) {
  const Folder folder;
  folder.write("text.ppm", "P3\n# a comment\n2 2\n255\n1 2 3 4 5 6\n7 8 9 10 11 12\n");
  folder.write("binary.ppm",
               std::string("P6 2 2 255\n\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\xff"));
  const std::vector<float> expected = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  EXPECT_EQ(read("mean-file = text.ppm", folder.path()).mean_image, expected);
  EXPECT_EQ(read("mean-file = binary.ppm", folder.path()).mean_image.back(), 255);
  const std::vector<float> bgr = {3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10};
  EXPECT_EQ(read("model-color-format = bgr\nmean-file = text.ppm", folder.path()).mean_image, bgr);
}

TEST(TensorSpec, ABrokenMeanFileIsRefused) {
  const Folder folder;
  const std::pair<const char*, const char*> broken[] = {
      {"P3 3 2 255 1 2 3", "3×2"},
      {"P3 2 2 255 1 2 3", "too early"},
      {"P6 2 2 255\n123", "too early"},
      {"P3 2 2 255 1 2 3 4 5 6 7 8 9 10 11 256", "none"},
      {"P3 2 2 65535 1", "255"},
      {"P5 2 2 255\n1234", "no PPM"},
      {"P", "cannot be read"},
      {"P3", "expected the network's"},
      {"P3 2 2 255 1 2 3 4 5 6 7 8 9 10 11 x", "none"},
      {"P3 99999999999 2 255", "expected the network's"}};
  for (const auto& [content, part] : broken) {
    folder.write("mean.ppm", content);
    EXPECT_NE(complaint("mean-file = mean.ppm", folder.path()).find(part), std::string::npos)
        << complaint("mean-file = mean.ppm", folder.path());
  }
  folder.write("mean.ppm", "P3 2 2 255 1 2 3 4 5 6 7 8 9 10 11 12");
  EXPECT_NE(
      complaint("model-color-format = gray\nmean-file = mean.ppm", folder.path()).find("gray"),
      std::string::npos);
}

}  // namespace
}  // namespace sightline
