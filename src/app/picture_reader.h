// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A picture on disk as a video frame, decoded by the same elements that decode clips.

#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/gst_pointer.h"

namespace sightline {

// Keeps the elements for the next picture: finding and linking them anew takes several times as
// long as decoding a portrait. One for each thread.
class PictureReader {
 public:
  PictureReader();
  ~PictureReader();

  // One frame with its caps, upright, in the format that the decoder gives, or converted if
  // sightinfer does not take that. Throws Error that names the file: not there, empty, no picture,
  // broken, too small, too large.
  SamplePtr read(const std::string& path);

 private:
  class Row;

  Row* row_for(const std::string& type);

  std::map<std::string, std::unique_ptr<Row>> rows_;  // by content type
};

}  // namespace sightline
