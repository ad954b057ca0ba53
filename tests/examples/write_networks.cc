// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Small networks for pipelines of the examples: write-networks FOLDER.

#include <filesystem>
#include <fstream>
#include <string>

#include "../engine/networks.h"

namespace {

constexpr std::int64_t kSide = 16;  // of what they see

// Two boxes, wherever it looks, of the classes 1 and 2 (0 is the background).
std::string boxes_file() {
  sightline::onnx::Builder network("boxes");
  network.input("image", sightline::ElementType::kFloat32, {-1, 3, kSide, kSide});
  const auto add = sightline::test::add_constant_output;
  add(network, "image", "scores", {2, 3}, {0.05f, 0.9f, 0.05f, 0.1f, 0.1f, 0.8f});
  add(network, "image", "boxes", {2, 4}, {0.125f, 0.25f, 0.5f, 0.75f, 0.625f, 0.25f, 0.875f, 1.0f});
  return network.file();
}

// The mean of each channel of what it sees.
std::string mean_file() {
  sightline::onnx::Builder network("mean");
  network.input("image", sightline::ElementType::kFloat32, {-1, 3, kSide, kSide});
  network.output("mean", sightline::ElementType::kFloat32, {-1, 3, 1, 1});
  network.node("GlobalAveragePool", {"image"}, {"mean"});
  return network.file();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder(argv[1]);
  std::ofstream(folder / "boxes.onnx", std::ios::binary) << boxes_file();
  std::ofstream(folder / "mean.onnx", std::ios::binary) << mean_file();
}
