// SPDX-License-Identifier: LGPL-2.1-or-later
//
// References to GStreamer's and GLib's things, given back at the end of the scope.

#pragma once

#include <memory>

#include <gst/gst.h>

namespace sightline {

// One way to give back each kind of thing.
struct Release {
  void operator()(gpointer object) const { gst_object_unref(object); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
  void operator()(GstIterator* iterator) const { gst_iterator_free(iterator); }
  void operator()(GError* error) const { g_error_free(error); }
  void operator()(GChecksum* checksum) const { g_checksum_free(checksum); }
  void operator()(char* text) const { g_free(text); }
};

template <typename T>
using Owned = std::unique_ptr<T, Release>;

using ElementPtr = Owned<GstElement>;
using PadPtr = Owned<GstPad>;
using BusPtr = Owned<GstBus>;
using FactoryPtr = Owned<GstElementFactory>;
using PluginPtr = Owned<GstPlugin>;
using MessagePtr = Owned<GstMessage>;
using BufferPtr = Owned<GstBuffer>;
using SamplePtr = Owned<GstSample>;
using CapsPtr = Owned<GstCaps>;
using StructurePtr = Owned<GstStructure>;
using ErrorPtr = Owned<GError>;
using ChecksumPtr = Owned<GChecksum>;
using TextPtr = Owned<char>;

}  // namespace sightline
