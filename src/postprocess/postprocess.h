// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Output tensors of one item → results. One file a model family; each registers itself under its
// names.
//
// Coordinates are pixels of the network's input tensor (continuous, origin top left); who made the
// region maps them to the frame.

#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "core/geometry.h"
#include "core/tensor.h"

namespace sightline {

// How likely each pixel of a part of the input is the object's.
struct Mask {
  Tensor values;  // float32 [height, width]
  Rect area;      // what it covers
};

struct Detection {
  Rect box;
  float confidence = 0;
  int class_id = 0;
  std::string label;             // from the label file or the configuration, else "class N"
  std::vector<Point> landmarks;  // in the model's order
  int row = -1;                  // the row or anchor of the output that it came from
  std::vector<float> landmark_confidences{};      // one a landmark, or none
  std::optional<std::array<Point, 4>> corners{};  // of an oriented box, clockwise from its top left
  std::optional<Mask> mask{};
};

struct Classification {
  std::string attribute;  // the head: "age", "expression"
  std::string label;
  int class_id = 0;
  float confidence = 0;
};

struct Results {
  std::vector<Detection> detections;  // after suppression, by falling confidence
  std::vector<Point> landmarks;       // of the region as a whole
  std::vector<Classification> classifications;
  std::vector<Tensor> tensors;  // embeddings and raw tensors, to be attached as they are
};

// The network as its postprocessor sees it: shapes are those of one item, without the batch
// dimension.
struct NetworkShape {
  struct Output {
    std::string name;
    ElementType type;
    Shape shape;
  };
  Size input;
  std::vector<Output> outputs;
  int channels = 3;  // of the input
};

struct ScreenPart;

enum class NetworkRole { kDetector, kClassifier, kLandmarks, kEmbedding, kSegmentation, kRaw };

class Postprocessor {
 public:
  virtual ~Postprocessor() = default;
  virtual NetworkRole role() const = 0;
  // `outputs` are in the order of NetworkShape::outputs. Const and thread-safe. Results with
  // numbers that are not finite are dropped, never passed on (but raw tensors are as they are).
  // Boxes are not empty, and may reach beyond the input. Throws Error(kModel) if a tensor is not
  // what the shape said.
  virtual Results decode(std::span<const Tensor> outputs) const = 0;
  // What remains of a detection with this box, in pixels of the *frame*: nothing if its size is not
  // within detected-min-w … -max-h of its class or it reaches beyond roi-top-offset or
  // roi-bottom-offset, where crop-objects-to-roi-boundary cuts the box instead. To be asked by who
  // has mapped the box to the frame. All of it for what detects nothing.
  virtual std::optional<Rect> admitted(int /*class_id*/, const Rect& box, Size /*frame*/) const {
    return box;
  }
  // Which part of the outputs decode() needs, where that can be told number by number
  // (screening.h). Empty: all of it.
  virtual std::vector<ScreenPart> screening() const;
};

// The postprocessor for `model-family` (or, without it, for nvinfer's network-type) with the keys
// of groups [property], [class-attrs-all] and [class-attrs-N] that this room owns. Throws
// Error(kConfig), or Error(kModel) that states the outputs found and expected if the network does
// not fit the family.
std::unique_ptr<Postprocessor> make_postprocessor(const ConfigFile& config,
                                                  const NetworkShape& network);

// Which family decodes a network whose configuration does not name one: the only one that
// recognises its outputs by shapes, names and what the configuration says of classes. Nothing if
// there is none, or if the configuration says it by another key (network-type other than that of a
// detector, a library of parsers). Throws Error(kConfig) if there are several.
std::optional<std::string> recognise_family(const ConfigFile& config, const NetworkShape& network);

// The key that names a function for DeepStream, of those that may be there the one that belongs to
// network-type. Throws Error(kConfig) if there are several, and no network-type.
std::optional<std::string> deepstream_parser_key(const ConfigFile& config);

struct FamilyInfo {
  std::string name;
  std::string description;  // a line: outputs it expects and what it gives
};
std::vector<FamilyInfo> postprocess_families();

}  // namespace sightline
