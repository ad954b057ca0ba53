// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The end of a pipeline that writes what it is given to a file: encoded, packed, whole or not at
// all.

#pragma once

#include <filesystem>
#include <string>

#include "app/output_file.h"
#include "app/pipeline.h"

namespace sightline {

class Recording {
 public:
  // Adds the elements for a file of this name: .mp4, .m4v, .mov and .mkv hold a clip, .jpg, .jpeg
  // and .png a picture. Throws UsageError for another name, Error if the file can't be written or
  // an encoder is missing.
  Recording(Pipeline& pipeline, const std::filesystem::path& target);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  GstElement* first() const { return first_; }
  const std::filesystem::path& target() const { return file_.target(); }

  // The pipeline has ended: what it wrote becomes the target.
  void finish() { file_.commit(); }

  // Throws UsageError unless the name's ending is known.
  static void require_known_ending(const std::filesystem::path& target);
  static bool has_known_ending(const std::filesystem::path& target);
  static bool holds_picture(const std::filesystem::path& target);

 private:
  OutputFile file_;
  GstElement* first_;
};

}  // namespace sightline
