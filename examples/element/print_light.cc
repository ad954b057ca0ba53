// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Prints what lightmeter found: print-light PIPELINE, of which the last element is named "end".

#include <cstdio>

#include <gst/gst.h>

#include "light.h"

namespace {

GstPadProbeReturn print(GstPad*, GstPadProbeInfo* info, gpointer) {
  const SightFrame* frame = sight_buffer_get_frame(GST_PAD_PROBE_INFO_BUFFER(info));
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (const LightReading* light = light_of(object))
      std::printf("%s\t%.3f\t%.3f\n", sight_object_get_label(object),
                  static_cast<double>(light->brightness), static_cast<double>(light->strength));
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  g_autoptr(GError) error = nullptr;
  g_autoptr(GstElement) pipeline = gst_parse_launch(argc == 2 ? argv[1] : "", &error);
  g_autoptr(GstElement) end =
      GST_IS_BIN(pipeline) ? gst_bin_get_by_name(GST_BIN(pipeline), "end") : nullptr;
  if (end == nullptr) {
    std::fprintf(stderr, "%s\n", error ? error->message : "no element is named end");
    return 1;
  }
  g_autoptr(GstPad) pad = gst_element_get_static_pad(end, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, print, nullptr, nullptr);
  g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  g_autoptr(GstMessage) last = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, GstMessageType(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  if (GST_MESSAGE_TYPE(last) == GST_MESSAGE_EOS) return 0;
  gst_message_parse_error(last, &error, nullptr);
  std::fprintf(stderr, "%s\n", error->message);
  return 1;
}
