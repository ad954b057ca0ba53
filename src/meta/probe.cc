// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sightline/probe.h"

#include "sightline/frame.h"

namespace {

struct Probe {
  SightBufferFunction function;
  gpointer user_data;
  GDestroyNotify destroy;
};

void free_probe(gpointer data) {
  auto* probe = static_cast<Probe*>(data);
  if (probe->destroy != nullptr) probe->destroy(probe->user_data);
  delete probe;
}

GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  const auto& probe = *static_cast<Probe*>(data);
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const GstPadProbeReturn result = probe.function(pad, buffer, probe.user_data);
  sight_buffer_get_frame(buffer);  // seals it
  if (result == GST_PAD_PROBE_HANDLED) {
    gst_buffer_unref(buffer);
    GST_PAD_PROBE_INFO_DATA(info) = nullptr;
  }
  return result;
}

}  // namespace

gulong sight_pad_add_probe(GstPad* pad, SightBufferFunction function, gpointer user_data,
                           GDestroyNotify destroy) {
  g_return_val_if_fail(GST_IS_PAD(pad) && function != nullptr, 0);
  return gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer,
                           new Probe{function, user_data, destroy}, free_probe);
}
