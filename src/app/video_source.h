// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The beginning of a pipeline that opens an input and decodes it.

#pragma once

#include <string>

#include "app/input.h"
#include "app/pipeline.h"

namespace sightline {

class VideoSource {
 public:
  // Adds the elements. Throws Error.
  VideoSource(Pipeline& pipeline, const Input& input, bool live);
  VideoSource(const VideoSource&) = delete;
  VideoSource& operator=(const VideoSource&) = delete;

  GstElement* last() const { return last_; }  // gives upright frames in a format for sightinfer
  PadPtr decoded() const;                     // takes frames as they come from the decoder

  // Whether the input, or its decoder, is what a message speaks of.
  bool is_subject_of(GstMessage* message) const;
  // Frames never wait, as those of a live input must not: while there is no room for the next, a
  // newer one takes its place. What `live` says from the beginning.
  void let_the_newest_win() const;
  // Nothing comes any more: what has been decoded so far ends the stream.
  void end() const;
  // How long the input is; 0 where nobody knows.
  GstClockTime duration() const;

 private:
  GstElement* add_decoder(Pipeline& pipeline, const Input& input);

  GstElement* source_ = nullptr;   // the first element
  GstElement* decoder_ = nullptr;  // where its pads appear
  GstElement* queue_ = nullptr;    // between decoding and the networks
  GstElement* last_ = nullptr;
};

// Whether a message comes from an element or from within it.
bool is_inside(GstMessage* message, GstElement* element);

}  // namespace sightline
