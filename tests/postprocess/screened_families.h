// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network of each family whose outputs are screened, with random outputs.

#pragma once

#include <random>
#include <string>
#include <vector>

#include "fixtures.h"

namespace sightline::test {

struct ScreenedFamily {
  struct Output {
    std::string name;
    Shape shape;
    float low, high;  // of its numbers
    bool are_scores;  // squared, so that few are high; one in 64 is not finite
  };
  std::string name;
  std::string keys;  // of [class-attrs-all] and other groups
  Size input;
  std::vector<Output> outputs;

  std::string config() const { return "[property]\nmodel-family = " + family() + "\n" + keys; }
  // "yolov8" of "yolov8, by rows".
  std::string family() const { return name.substr(0, name.find(',')); }

  std::vector<Tensor> random_outputs(std::mt19937& random) const {
    std::vector<Tensor> tensors;
    for (const Output& output : outputs) {
      std::vector<float> numbers = random_numbers(random, element_count(output.shape), 0, 1);
      for (float& number : numbers) {
        if (output.are_scores) number *= number * number;
        number = output.low + number * (output.high - output.low);
        if (output.are_scores && random() % 64 == 0)
          number = random() % 2 == 0 ? kNan : random() % 2 == 0 ? kInfinity : -kInfinity;
      }
      tensors.push_back(Tensor::copy_of(output.name, output.shape, numbers));
    }
    return tensors;
  }
};

inline const std::vector<ScreenedFamily>& screened_families() {
  const std::string usual = "[class-attrs-all]\npre-cluster-threshold = 0.7\n";
  const std::string several =
      usual + "[class-attrs-1]\npre-cluster-threshold = 0.4\n[class-attrs-2]\nthreshold = 0.9\n";
  static const std::vector<ScreenedFamily> all = {
      {"ultra-light",
       several,
       {64, 48},
       {{"scores", {300, 4}, 0, 1, true}, {"boxes", {300, 4}, 0, 1, false}}},
      {"retinaface",
       usual,
       {64, 48},
       {{"s32", {4, 2, 2}, 0, 1, true},
        {"b32", {8, 2, 2}, -1, 1, false},
        {"p32", {20, 2, 2}, -1, 1, false},
        {"s16", {4, 3, 4}, 0, 1, true},
        {"b16", {8, 3, 4}, -1, 1, false},
        {"p16", {20, 3, 4}, -1, 1, false},
        {"s8", {4, 6, 8}, 0, 1, true},
        {"b8", {8, 6, 8}, -1, 1, false},
        {"p8", {20, 6, 8}, -1, 1, false}}},
      {"scrfd",
       usual,
       {64, 48},
       {{"score_8", {96, 1}, 0, 1, true},
        {"score_16", {24, 1}, 0, 1, true},
        {"score_32", {8, 1}, 0, 1, true},
        {"bbox_8", {96, 4}, 0, 3, false},
        {"bbox_16", {24, 4}, 0, 3, false},
        {"bbox_32", {8, 4}, 0, 3, false},
        {"kps_8", {96, 10}, -2, 2, false},
        {"kps_16", {24, 10}, -2, 2, false},
        {"kps_32", {8, 10}, -2, 2, false}}},
      {"yunet",
       usual,
       {64, 48},
       {{"cls_8", {48, 1}, 1.2f, -0.2f, true},
        {"cls_16", {12, 1}, 1.2f, -0.2f, true},
        {"cls_32", {4, 1}, 1.2f, -0.2f, true},
        {"obj_8", {48, 1}, -0.2f, 1.2f, true},
        {"obj_16", {12, 1}, -0.2f, 1.2f, true},
        {"obj_32", {4, 1}, -0.2f, 1.2f, true},
        {"bbox_8", {48, 4}, -1, 1, false},
        {"bbox_16", {12, 4}, -1, 1, false},
        {"bbox_32", {4, 4}, -1, 1, false},
        {"kps_8", {48, 10}, -2, 2, false},
        {"kps_16", {12, 10}, -2, 2, false},
        {"kps_32", {4, 10}, -2, 2, false}}},
      {"blazeface",
       usual,
       {128, 128},
       {{"s1", {512, 1}, -4, 4, true},
        {"s2", {384, 1}, -4, 4, true},
        {"r1", {512, 16}, -20, 20, false},
        {"r2", {384, 16}, -20, 20, false}}},
      {"detectnet-v2",
       several,
       {128, 96},
       {{"coverage", {3, 6, 8}, 0, 1, true}, {"boxes", {12, 6, 8}, 0, 1, false}}},
      {"rt-detr, apart",
       several,
       {64, 48},
       {{"logits", {200, 3}, -4, 4, true}, {"boxes", {200, 4}, 0.1f, 0.6f, false}}},
      {"rt-detr, joined", several, {64, 48}, {{"out", {200, 7}, 0, 1, true}}},
      {"yolov8, by columns", several, {64, 48}, {{"out", {7, 200}, 0, 1, true}}},
      {"yolov8, by rows", several, {64, 48}, {{"out", {200, 7}, 0, 1, true}}},
      {"yolov5, by rows", several, {64, 48}, {{"out", {300, 8}, 0, 1, true}}},
      {"yolov5, by columns", several, {64, 48}, {{"out", {8, 300}, 0, 1, true}}},
      {"yolov8-pose", usual, {64, 48}, {{"out", {5 + 9, 200}, 0, 1, true}}},
      {"yolov8-obb", several, {64, 48}, {{"out", {4 + 3 + 1, 200}, 0, 1, true}}},
  };
  return all;
}

}  // namespace sightline::test
