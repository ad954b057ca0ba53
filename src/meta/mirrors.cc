// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/mirrors.h"

#include "meta/frame.h"
#include "meta/frame_meta.h"
#include "meta/relation_mirror.h"
#include "meta/roi_mirror.h"
#include "meta/tensor_meta.h"

namespace sightline {

void update_mirrors(GstBuffer* buffer) {
  const SightFrame* frame = peek_frame(buffer);
  if (frame == nullptr) return;
  const bool regions = frame->mirrored, relations = frame->relations.wanted;
  const bool tensors = frame->tensor_mirror.wanted;
  if (regions) mirror_objects(buffer);
  if (relations) mirror_relations(buffer);
  if (tensors) mirror_tensors(buffer);
}

}  // namespace sightline
