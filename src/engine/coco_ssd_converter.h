// SPDX-License-Identifier: LGPL-2.1-or-later
//
// SSDLite with MobileNet v2 on COCO, as TensorFlow.js's coco-ssd has it, becomes an ONNX file with
// an open batch. The same files give the same bytes.

#pragma once

#include <filesystem>
#include <span>

namespace sightline {

// `model` is the package's model.json, `weights` are the files that it names, in its order.
//
// "input" float32 [N,3,height,width] (300 × 300), RGB, (x − 127.5) / 127.5; "scores" float32
// [N,anchors,81], 0 to 1, the first one the background, then COCO's 80 classes in the order that
// everybody has (the network's numbers go up to 90, with gaps, which are left out); "boxes" float32
// [N,anchors,4], left, top, right, bottom, 0 to 1 of the input. Nothing is suppressed.
//
// Throws Error(kNotFound): an input file is missing; Error(kModel): it is another network, naming
// the node; Error(kFailed): `onnx_out` cannot be written. What was there before stays until the new
// file is whole.
void convert_coco_ssd(const std::filesystem::path& model,
                      std::span<const std::filesystem::path> weights,
                      const std::filesystem::path& onnx_out);

}  // namespace sightline
