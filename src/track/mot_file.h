// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Tracks as text, in the format of MOTChallenge: a line a box,
//
//     frame,id,x,y,width,height,confidence,class,visibility
//
// Frames count from 1, boxes are pixels. What follows after height may be missing; a confidence of
// 0 in a truth means that the box is not to be judged. In results the last columns are often -1.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "track/sequence.h"

namespace sightline {

struct MotRow {
  std::int64_t frame = 1;
  std::int64_t identity = 0;
  Rect box;
  double confidence = 1;
  std::int64_t class_id = -1;  // -1: not said
  double visibility = -1;      // 0 to 1; -1: not said
};

// Throws Error(kNotFound) if the file cannot be read, Error(kInput) that names file and line if a
// line is not as above, a number is not finite or out of range, a box is empty, or an identity
// occurs twice in a frame. Empty lines are skipped.
std::vector<MotRow> read_mot_file(const std::filesystem::path& path);
std::vector<MotRow> parse_mot(const std::string& text, const std::string& name);

// A line for `row`, without a line feed.
std::string to_mot_line(const MotRow& row);

// Which boxes of a truth are judged.
struct MotSelection {
  std::int64_t class_id = -1;  // only these; -1: of all classes
  double min_visibility = 0;   // boxes that say that less can be seen are not judged
};

// Both as frames that can be compared: those in which either has a box, in order.
ComparedSequence compare(const std::vector<MotRow>& truth, const std::vector<MotRow>& result,
                         const MotSelection& selection = {});

}  // namespace sightline
