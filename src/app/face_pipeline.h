// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Many pictures through one face pipeline: while the networks look at one, the next ones are
// decoded.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/face.h"
#include "app/face_stages.h"
#include "app/gst_pointer.h"

namespace sightline {

// What was seen in one picture.
struct PictureFaces {
  std::string file;
  std::string error;  // not empty: the picture could not be read, and the rest is empty
  Size size;
  std::vector<Face> faces;
  std::optional<ModelFingerprint> model;  // of the embeddings; none where nothing was embedded
  SamplePtr picture;
};

class FacePipeline {
 public:
  // Loads the networks. Throws Error that says what is missing.
  explicit FacePipeline(const FaceStages& stages);
  ~FacePipeline();

  // Calls `seen` for each picture, in order. Throws Error if a network fails; a picture that can't
  // be read is no reason.
  void look_at(std::span<const std::string> files, const std::function<void(PictureFaces&&)>& seen);

  // How long the networks have run so far, each for itself: the median of its runs times how many
  // there were.
  double network_seconds() const;

 private:
  struct Decoded;
  class Decoder;

  PictureFaces push(Decoded&& decoded);
  void pull(PictureFaces& result);
  SamplePtr await_result(const std::string& file);  // null: the pipeline has ended

  Pipeline pipeline_;
  std::vector<GstElement*> networks_;
  GstElement* source_;
  GstElement* sink_;
};

}  // namespace sightline
