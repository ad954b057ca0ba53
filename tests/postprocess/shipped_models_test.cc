// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The configuration files in models/, with the outputs that their networks have (read from the
// ONNX files): each key is known, and the family fits.

#include <filesystem>
#include <set>

#include "engine/engine.h"
#include "fixtures.h"
#include "stage/frame_parts.h"
#include "stage/model.h"
#include "stage/reinfer_rule.h"

namespace sightline {
namespace {

using test::network_of;

struct Shipped {
  std::string file;
  Size input;
  Channels channels;
  Layout layout;
  std::vector<std::pair<std::string, Shape>> outputs;
  NetworkRole role;
};

const std::vector<Shipped> kShipped = {
    {"face-detect.ini",
     {320, 240},
     Channels::kRgb,
     Layout::kNchw,
     {{"scores", {4420, 2}}, {"boxes", {4420, 4}}},
     NetworkRole::kDetector},
    {"face-detect-tiles.ini",
     {320, 240},
     Channels::kRgb,
     Layout::kNchw,
     {{"scores", {4420, 2}}, {"boxes", {4420, 4}}},
     NetworkRole::kDetector},
    {"coco-detect.ini",
     {300, 300},
     Channels::kRgb,
     Layout::kNchw,
     {{"scores", {1917, 81}}, {"boxes", {1917, 4}}},
     NetworkRole::kDetector},
    {"face-attributes.ini",
     {112, 112},
     Channels::kRgb,
     Layout::kNchw,
     {{"age", {1}}, {"gender", {2}}},
     NetworkRole::kClassifier},
    {"face-detect-blazeface.ini",
     {256, 256},
     Channels::kRgb,
     Layout::kNhwc,
     {{"Identity:0", {512, 1}},
      {"Identity_1:0", {384, 1}},
      {"Identity_2:0", {512, 16}},
      {"Identity_3:0", {384, 16}}},
     NetworkRole::kDetector},
    {"face-detect-retinaface.ini",
     {640, 640},
     Channels::kRgb,
     Layout::kNchw,
     {{"face_rpn_cls_prob_reshape_stride32", {4, 20, 20}},
      {"face_rpn_bbox_pred_stride32", {8, 20, 20}},
      {"face_rpn_landmark_pred_stride32", {20, 20, 20}},
      {"face_rpn_cls_prob_reshape_stride16", {4, 40, 40}},
      {"face_rpn_bbox_pred_stride16", {8, 40, 40}},
      {"face_rpn_landmark_pred_stride16", {20, 40, 40}},
      {"face_rpn_cls_prob_reshape_stride8", {4, 80, 80}},
      {"face_rpn_bbox_pred_stride8", {8, 80, 80}},
      {"face_rpn_landmark_pred_stride8", {20, 80, 80}}},
     NetworkRole::kDetector},
    {"face-landmarks.ini",
     {64, 64},
     Channels::kGray,
     Layout::kNchw,
     {{"output", {136}}},
     NetworkRole::kLandmarks},
    {"face-embed.ini",
     {150, 150},
     Channels::kRgb,
     Layout::kNchw,
     {{"embedding", {128}}},
     NetworkRole::kEmbedding},
    {"face-embed-512.ini",
     {112, 112},
     Channels::kRgb,
     Layout::kNchw,
     {{"output", {512}}},
     NetworkRole::kEmbedding},
};

TEST(ShippedModels, EachFileIsUnderstoodAndFitsItsNetwork) {
  for (const Shipped& shipped : kShipped) {
    SCOPED_TRACE(shipped.file);
    const auto config =
        ConfigFile::read(std::filesystem::path(SIGHTLINE_MODELS_DIR) / shipped.file);
    EngineOptions::from_config(config);
    TensorSpec input;
    input.size = shipped.input;
    input.channels = shipped.channels;
    const auto crop = Model::CropSpec::from_config(config, input);
    EXPECT_EQ(crop.spec.channels, shipped.channels);
    EXPECT_EQ(crop.spec.layout, shipped.layout);
    NetworkShape network{shipped.input, {}};
    for (const auto& [name, shape] : shipped.outputs)
      network.outputs.push_back({name, ElementType::kFloat32, shape});
    const auto postprocessor = make_postprocessor(config, network);
    EXPECT_EQ(postprocessor->role(), shipped.role);
    const bool whole_frames = config.get("property", "process-mode").text() == "primary";
    EXPECT_EQ(whole_frames, shipped.role == NetworkRole::kDetector);
    ReinferRule::from_config(config);
    FrameParts::from_config(config);
    for (const char* key :
         {"operate-on-class-ids", "operate-on-labels", "mirror-average", "second-look"})
      config.find("property", key);
    config.reject_unknown();
  }
}

TEST(ShippedModels, NoneIsForgottenHere) {
  std::set<std::string> known, found;
  for (const Shipped& shipped : kShipped) known.insert(shipped.file);
  for (const auto& entry : std::filesystem::directory_iterator(SIGHTLINE_MODELS_DIR))
    if (entry.path().extension() == ".ini") found.insert(entry.path().filename().string());
  EXPECT_EQ(found, known);
}

}  // namespace
}  // namespace sightline
