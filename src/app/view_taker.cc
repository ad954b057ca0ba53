// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/view_taker.h"

namespace sightline {

std::string ViewTaker::offer(GstBuffer* buffer, GstCaps* caps, Clock::time_point now) {
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  const std::vector<Face> faces = faces_of(frame);
  std::string objection = collector_.offer(faces, now);
  if (!objection.empty()) return objection;
  model_ = embedding_model_of(frame);
  // A copy, since the decoder or the camera may have few buffers.
  const BufferPtr copy(gst_buffer_copy_deep(buffer));
  taken_.push_back({faces.front(), SamplePtr(gst_sample_new(copy.get(), caps, nullptr, nullptr))});
  return "";
}

std::vector<FaceView> ViewTaker::views(const std::string& source) const {
  std::vector<FaceView> views;
  for (const Taken& taken : taken_)
    views.push_back(view_of(taken.face, taken.picture.get(), source));
  return views;
}

}  // namespace sightline
