// SPDX-License-Identifier: LGPL-2.1-or-later
//
// References to GStreamer's and GLib's things, given back at the end of the scope.

#pragma once

#include <memory>

#include <gst/gst.h>

#include "sightline/frame.h"

namespace sightline {

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* pointer) const {
    release(pointer);
  }
};

template <typename T, auto release>
using Handle = std::unique_ptr<T, Release<release>>;

using ElementPtr = Handle<GstElement, gst_object_unref>;
using PadPtr = Handle<GstPad, gst_object_unref>;
using BusPtr = Handle<GstBus, gst_object_unref>;
using FactoryPtr = Handle<GstElementFactory, gst_object_unref>;
using MessagePtr = Handle<GstMessage, gst_message_unref>;
using BufferPtr = Handle<GstBuffer, gst_buffer_unref>;
using SamplePtr = Handle<GstSample, gst_sample_unref>;
using CapsPtr = Handle<GstCaps, gst_caps_unref>;
using ErrorPtr = Handle<GError, g_error_free>;
using TextPtr = Handle<char, g_free>;

}  // namespace sightline
