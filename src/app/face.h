// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Faces as the face stages leave them in a frame's metadata.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "gallery/gallery.h"
#include "sightline/frame.h"
#include "stage/crop_quality.h"

namespace sightline {

// The `unique-id` of each stage of a face pipeline that the program builds.
enum FaceStageId : unsigned { kDetectStage = 1, kLandmarkStage = 2, kEmbedStage = 3 };

struct Face {
  Rect box;  // pixels of the frame
  float confidence = 0;
  std::vector<Point> landmarks;        // likewise
  std::vector<float> embedding;        // empty if the network gave none
  std::optional<CropQuality> quality;  // of what was embedded, if it was aligned by landmarks
};

// In the frame's order.
std::vector<Face> faces_of(const SightFrame* frame);

// The model of the embeddings; none if the frame did not come through an embedding network.
std::optional<ModelFingerprint> embedding_model_of(const SightFrame* frame);

// The face whose centre is nearest that of a frame of this size; null if there is none. LFW's
// custom for pictures with several faces.
const Face* nearest_to_centre(const std::vector<Face>& faces, Size frame);

// Cosine of two embeddings of equal length; 0 if one of them has no direction.
float cosine(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace sightline
