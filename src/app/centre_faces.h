// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The face nearest the centre of each of many pictures, each looked at once.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/face_pipeline.h"

namespace sightline {

class CentreFaces {
 public:
  // Looks at every file once, however often it is listed; `root` comes before relative names. What
  // can't be read is reported and has no face.
  CentreFaces(const FaceStages& stages, const std::vector<std::string>& files,
              const std::string& root, const std::string& title);

  // The embedding of a listed file; null if no face was found in it.
  const std::vector<float>* embedding(const std::string& file) const;

  const std::optional<ModelFingerprint>& model() const { return model_; }
  int unreadable() const { return unreadable_; }

 private:
  std::map<std::string, std::vector<float>> embeddings_;
  std::optional<ModelFingerprint> model_;
  int unreadable_ = 0;
};

}  // namespace sightline
