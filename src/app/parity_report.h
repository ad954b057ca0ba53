// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One frame through a stage, beside the same by plain code: the scalar reference in double
// precision, the network alone with one thread and one item a run, and what its outputs mean.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gst/video/video.h>

#include "engine/session.h"
#include "stage/model.h"

namespace sightline {

// The largest differences. Of boxes in pixels of the frame; of the rest absolute.
struct ParityReport {
  std::size_t looks = 0;
  double input = 0;                      // of the input tensors, in the network's own numbers
  double input_pixels = 0;               // likewise, in steps of a pixel's value
  std::vector<double> outputs;           // one an output
  std::vector<double> relative_outputs;  // likewise, of the output's largest value
  double box = 0, confidence = 0;
  std::size_t boxes = 0;      // that both have
  std::size_t unmatched = 0;  // that one of the two has alone

  void take_larger(const ParityReport& other);
};

class ParityReference {
 public:
  // Throws Error.
  explicit ParityReference(std::shared_ptr<const Model> model,
                           const std::filesystem::path& network);

  const std::vector<TensorInfo>& outputs() const { return session_->outputs(); }

  // `buffer` left a stage with this model and `stage_id`, which attaches inputs and outputs. Throws
  // Error: it has not.
  ParityReport compare(GstBuffer* buffer, const GstVideoInfo& info, guint stage_id) const;

 private:
  struct Plain;  // what one look gives

  Plain look(const FrameView& frame, const Look& look) const;
  void compare_tensors(const SightFrame* frame, const SightObject* object, guint stage_id,
                       std::size_t index, const Plain& plain, ParityReport& report) const;
  void compare_boxes(const SightFrame* frame, guint stage_id, const std::vector<Plain>& plain,
                     ParityReport& report) const;

  std::shared_ptr<const Model> model_;
  std::unique_ptr<const Session> session_;
};

}  // namespace sightline
