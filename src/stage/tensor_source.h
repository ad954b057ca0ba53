// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Input tensors that another stage, or somebody's own element, has attached to a frame or object.

#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "core/tensor.h"
#include "meta/handles.h"
#include "preprocess/region.h"

namespace sightline {

// Which tensors a network takes.
struct TensorSource {
  std::string name;
  int stage_id = -1;  // -1: of any
  bool clip = true;   // detections to what the tensor shows

  // Reads input-tensor-from-meta, input-tensor-name, input-tensor-gie-id and
  // clip-object-outside-roi of [property]; nothing unless the first is on. Throws Error(kConfig).
  static std::optional<TensorSource> from_config(const ConfigFile& config,
                                                 const std::string& input_name);

  bool takes(const SightTensor* tensor) const;
};

// A tensor and the part of the frame that it shows.
struct GivenTensor {
  TensorHandle tensor;
  std::optional<Region> region;  // nothing: its maker did not say
};

// Those of `object`, or of the frame if it is null, in order. Throws Error(kInput) if one has
// another type or shape than `type` and `shape`, those of one item.
std::vector<GivenTensor> given_tensors(const TensorSource& source, const SightFrame* frame,
                                       const SightObject* object, ElementType type,
                                       const Shape& shape);

// Writes `tensor` to an input's memory.
std::function<void(std::span<std::byte>)> copy_of(const TensorHandle& tensor);

// What the tensors with this stage and name show, in their order, rides on the frame or object as
// user data "sightline-regions:<stage id>": a GstStructure with a field of the tensor's name, an
// array of 10 numbers a tensor: xx, xy, x0, yx, yy, y0 (tensor coordinates to the frame's, from 0
// to 1) and left, top, width, height of the tensor's content. So it holds after scaling, too. Those
// of other names stay. `object` may be null. Throws Error(kReadOnly).
void set_regions(SightFrame* frame, SightObject* object, guint stage_id, const std::string& name,
                 std::span<const Region> regions, Size tensor);
// What set_regions() wrote of the first of them, if it did; in pixels of the frame.
std::optional<Region> first_region(const SightFrame* frame, const SightObject* object,
                                   guint stage_id, const char* name);

}  // namespace sightline
