// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Building GStreamer pipelines: elements with what to install where one is missing, links, and
// errors from the bus as Error.

#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>

#include "app/gst_pointer.h"

namespace sightline {

// Initialises GStreamer and makes it know Sightline's elements. Throws Error if they can't be
// loaded. To be called once, before anything else of GStreamer.
void prepare_gstreamer(const std::filesystem::path& plugin);

// A pipeline that stops when it goes.
class Pipeline {
 public:
  Pipeline();
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  GstElement* get() const { return pipeline_.get(); }
  GstBus* bus() const { return bus_.get(); }

  // A new element in the pipeline, which owns it; without a name it gets one. Throws
  // Error(kNotFound) that names the Debian package which brings it.
  GstElement* add(const char* factory, const char* name = nullptr);
  // The elements that `description` names in gst-launch's words, with what its end gives as "src".
  // Throws Error(kInput) with GStreamer's complaint.
  GstElement* add_fragment(const std::string& description);

  void link(std::initializer_list<GstElement*> elements);
  // Behind `last`, frames are in system memory wherever they were: gives an element that is linked
  // to it and brings them there, or `last` where no element can, and no decoder gives others.
  GstElement* download_behind(GstElement* last);
  // If the state can't be reached, throws the error that is on the bus, as throw_pending_error().
  GstStateChangeReturn set_state(GstState state, const std::string& subject);

  // Throws the oldest error on the bus, if there is one, as Error: "`subject`: what was wrong".
  void throw_pending_error(const std::string& subject) const;

 private:
  ElementPtr pipeline_;
  BusPtr bus_;
};

// The text of an error or warning message for people, with GStreamer's details where they say more,
// and what to do about it where that is known.
std::string describe(GstMessage* message);

// The Debian package that brings an element; empty if that is not known.
std::string package_of(const std::string& factory);

// Links the first video pad that `source` (a decodebin or the like) gives to `sink`, and posts an
// error on the bus if there is none. Sound is not decoded.
void link_video_pad(GstElement* source, GstElement* sink);

// Formats that sightinfer takes, as caps.
CapsPtr readable_caps();

}  // namespace sightline
