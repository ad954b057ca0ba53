// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Good views of one person from the frames of a clip or a camera, with their pictures.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "app/enrolment.h"
#include "app/gst_pointer.h"
#include "app/view_collector.h"

namespace sightline {

class ViewTaker {
 public:
  using Clock = ViewCollector::Clock;

  // What speaks against this frame, which comes from the networks; empty: its face was taken.
  std::string offer(GstBuffer* buffer, GstCaps* caps, Clock::time_point now);

  std::size_t count() const { return collector_.count(); }
  bool complete() const { return collector_.complete(); }
  const std::optional<ModelFingerprint>& model() const { return model_; }

  // What was taken. Throws Error(kFailed) if a picture can't be encoded.
  std::vector<FaceView> views(const std::string& source) const;

 private:
  struct Taken {
    Face face;
    SamplePtr picture;
  };

  ViewCollector collector_;
  std::vector<Taken> taken_;
  std::optional<ModelFingerprint> model_;
};

}  // namespace sightline
