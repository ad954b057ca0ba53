// SPDX-License-Identifier: LGPL-2.1-or-later

#include "family_shapes.h"

#include <functional>
#include <map>

namespace sightline::fuzz {

namespace {

using Outputs = std::vector<NetworkShape::Output>;

std::int64_t small(Bytes& bytes, std::size_t most) {
  return 1 + static_cast<std::int64_t>(bytes.below(most));
}

NetworkShape::Output output(const std::string& name, Shape shape) {
  return {name, ElementType::kFloat32, std::move(shape)};
}

// [a,b] or [b,a].
Shape either_way(Bytes& bytes, std::int64_t a, std::int64_t b) {
  return bytes.one_in(2) ? Shape{a, b} : Shape{b, a};
}

std::int64_t along(int pixels, int stride) { return (std::int64_t{pixels} + stride - 1) / stride; }

Outputs blazeface(Bytes& bytes, Size) {
  if (bytes.one_in(2)) return {output("scores", {896, 1}), output("boxes", {896, 16})};
  return {output("s0", {512, 1}), output("s1", {384, 1}), output("r0", {512, 16}),
          output("r1", {384, 16})};
}

Outputs yolo_masks(Bytes& bytes, Size) {
  const std::int64_t weights = small(bytes, 6), side = small(bytes, 12);
  return {output("boxes", either_way(bytes, 60, 4 + small(bytes, 5) + weights)),
          output("prototypes", {weights, side, small(bytes, 12)})};
}

Outputs detr(Bytes& bytes, Size) {
  const std::int64_t boxes = small(bytes, 40), classes = small(bytes, 6);
  if (bytes.one_in(2)) return {output("joined", {boxes, 4 + classes})};
  return {output("scores", {boxes, classes}), output("boxes", {boxes, 4})};
}

Outputs grid_faces(Size input, std::int64_t anchors,
                   const std::map<std::string, std::int64_t>& kinds) {
  Outputs outputs;
  for (const int stride : {8, 16, 32})
    for (const auto& [name, columns] : kinds)
      outputs.push_back(
          output(name + "_" + std::to_string(stride),
                 {along(input.width, stride) * along(input.height, stride) * anchors, columns}));
  return outputs;
}

Outputs retinaface(Size input) {
  Outputs outputs;
  for (const int stride : {32, 16, 8})
    for (const std::int64_t channels : {4, 8, 20})
      outputs.push_back(
          output("o" + std::to_string(outputs.size()),
                 {channels, along(input.height, stride), along(input.width, stride)}));
  return outputs;
}

Outputs heads(Bytes& bytes) {
  Outputs outputs;
  const std::int64_t count = small(bytes, 4);
  for (std::int64_t i = 0; i < count; ++i)
    outputs.push_back(output("head" + std::to_string(i), {small(bytes, 9)}));
  return outputs;
}

const std::map<std::string, std::function<Outputs(Bytes&, Size)>> kFamilies = {
    {"ultra-light",
     [](Bytes& bytes, Size) {
       const std::int64_t boxes = small(bytes, 60);
       return Outputs{output("scores", {boxes, 1 + small(bytes, 5)}), output("boxes", {boxes, 4})};
     }},
    {"blazeface", blazeface},
    {"yolov8",
     [](Bytes& bytes, Size) {
       return Outputs{output("o", either_way(bytes, 60, 4 + small(bytes, 20)))};
     }},
    {"yolov5",
     [](Bytes& bytes, Size) {
       return Outputs{output("o", either_way(bytes, 60, 5 + small(bytes, 20)))};
     }},
    {"yolov8-seg", yolo_masks},
    {"yolov8-pose",
     [](Bytes& bytes, Size) {
       return Outputs{output("o", either_way(bytes, 60, 5 + 3 * small(bytes, 9)))};
     }},
    {"yolov8-obb",
     [](Bytes& bytes, Size) {
       return Outputs{output("o", either_way(bytes, 60, 5 + small(bytes, 9)))};
     }},
    {"yolov10",
     [](Bytes& bytes, Size) {
       return Outputs{output("o", {small(bytes, 60), 6})};
     }},
    {"rt-detr", detr},
    {"detectnet-v2",
     [](Bytes& bytes, Size) {
       const std::int64_t classes = small(bytes, 4), height = small(bytes, 6),
                          width = small(bytes, 6);
       return Outputs{output("cov", {classes, height, width}),
                      output("bbox", {4 * classes, height, width})};
     }},
    {"tf-ssd",
     [](Bytes& bytes, Size) {
       const std::int64_t boxes = small(bytes, 60);
       return Outputs{output("boxes", {boxes, 4}), output("scores", {boxes}),
                      output("classes", {boxes}), output("num", {})};
     }},
    {"scrfd",
     [](Bytes&, Size input) {
       return grid_faces(input, 2, {{"score", 1}, {"bbox", 4}, {"kps", 10}});
     }},
    {"yunet",
     [](Bytes&, Size input) {
       return grid_faces(input, 1, {{"cls", 1}, {"obj", 1}, {"bbox", 4}, {"kps", 10}});
     }},
    {"retinaface", [](Bytes&, Size input) { return retinaface(input); }},
    {"landmarks",
     [](Bytes& bytes, Size) {
       const std::int64_t points = small(bytes, 70);
       return Outputs{output("o", bytes.one_in(2) ? Shape{2 * points} : Shape{points, 2})};
     }},
    {"embedding", [](Bytes& bytes, Size) { return Outputs{output("o", {small(bytes, 200)})}; }},
    {"classifier", [](Bytes& bytes, Size) { return heads(bytes); }},
    {"segmentation",
     [](Bytes& bytes, Size) {
       return Outputs{output("o", {small(bytes, 9), small(bytes, 9), small(bytes, 9)})};
     }},
    {"db",
     [](Bytes& bytes, Size) {
       const std::int64_t height = small(bytes, 40), width = small(bytes, 40);
       return Outputs{
           output("o", bytes.one_in(2) ? Shape{height, width} : Shape{1, height, width})};
     }},
    {"ctc",
     [](Bytes& bytes, Size) {
       return Outputs{output("o", {small(bytes, 20), 12})};
     }},
    {"raw", [](Bytes& bytes, Size) { return heads(bytes); }},
};

}  // namespace

NetworkShape shape_of(const std::string& family, Bytes& bytes) {
  NetworkShape network;
  const auto side = [&] { return static_cast<int>(32 * small(bytes, 3)); };
  network.input = {side(), side()};
  if (family == "blazeface") network.input = {128, 128};
  network.outputs = kFamilies.at(family)(bytes, network.input);
  if (bytes.one_in(8))
    network.outputs[bytes.below(network.outputs.size())].shape = {small(bytes, 9), small(bytes, 9)};
  if (bytes.one_in(8))
    network.outputs[bytes.below(network.outputs.size())].type = ElementType::kFloat16;
  if (bytes.one_in(16)) network.outputs.pop_back();
  return network;
}

}  // namespace sightline::fuzz
