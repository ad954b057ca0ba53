// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/centre_faces.h"

#include <filesystem>
#include <set>

#include "app/progress.h"
#include "app/report.h"

namespace sightline {

CentreFaces::CentreFaces(const FaceStages& stages, const std::vector<std::string>& files,
                         const std::string& root, const std::string& title) {
  const std::set<std::string> unique(files.begin(), files.end());
  const std::vector<std::string> names(unique.begin(), unique.end());
  std::vector<std::string> paths;
  for (const std::string& name : names)
    paths.push_back((std::filesystem::path(root) / name).string());

  ProgressBar progress(title);
  FacePipeline pipeline(stages);
  std::size_t done = 0;
  pipeline.look_at(paths, [&](PictureFaces&& picture) {
    const std::string& name = names[done++];
    progress.update(static_cast<double>(done) / static_cast<double>(names.size()), name);
    if (!picture.error.empty()) {
      report_error(picture.error);
      ++unreadable_;
      return;
    }
    const Face* face = nearest_to_centre(picture.faces, picture.size);
    if (face != nullptr && !face->embedding.empty()) embeddings_[name] = face->embedding;
    if (picture.model) model_ = picture.model;
  });
}

const std::vector<float>* CentreFaces::embedding(const std::string& file) const {
  const auto found = embeddings_.find(file);
  return found == embeddings_.end() ? nullptr : &found->second;
}

}  // namespace sightline
