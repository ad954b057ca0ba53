// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/display.h"

#include <utility>

#include <gst/video/navigation.h>

#include "core/error.h"

namespace sightline {

namespace {

using OnKey = std::function<void(const std::string&)>;

// Where there is no display, DirectFB's sink does not fail but crash.
void leave_out_directfb() {
  if (const FactoryPtr directfb{gst_element_factory_find("dfbvideosink")})
    gst_plugin_feature_set_rank(GST_PLUGIN_FEATURE(directfb.get()), GST_RANK_NONE);
}

// Without a display autovideosink takes a sink that shows nothing, which would look like success.
bool shows_something(GstElement* window) {
  if (gst_element_set_state(window, GST_STATE_READY) == GST_STATE_CHANGE_FAILURE) return false;
  if (GST_BIN_NUMCHILDREN(window) == 0) return false;
  auto* chosen = GST_ELEMENT(GST_BIN_CHILDREN(window)->data);
  const std::string kind = GST_OBJECT_NAME(gst_element_get_factory(chosen));
  return kind != "fakesink" && kind != "fakevideosink";
}

GstPadProbeReturn take_key(GstPad*, GstPadProbeInfo* info, gpointer on_key) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  const gchar* key = nullptr;
  if (GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION &&
      gst_navigation_event_get_type(event) == GST_NAVIGATION_EVENT_KEY_PRESS &&
      gst_navigation_event_parse_key_event(event, &key))
    (*static_cast<OnKey*>(on_key))(key);
  return GST_PAD_PROBE_OK;
}

}  // namespace

Display add_display(Pipeline& pipeline, GstElement* last, const std::string& otherwise,
                    OnKey on_key) {
  leave_out_directfb();
  GstElement* queue = pipeline.add("queue");
  GstElement* converter = pipeline.add("videoconvert");
  GstElement* caption = pipeline.add("textoverlay");
  GstElement* window = pipeline.add("autovideosink");
  g_object_set(caption, "shaded-background", TRUE, nullptr);
  pipeline.link({last, queue});
  pipeline.link({pipeline.download_behind(queue), converter, caption, window});
  if (!shows_something(window))
    throw Error(
        ErrorCode::kDevice,
        "there is no display to show video on. Run it in a graphical session, " + otherwise);
  if (on_key) {
    const PadPtr pad(gst_element_get_static_pad(caption, "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, take_key,
                      new OnKey(std::move(on_key)),
                      [](gpointer it) { delete static_cast<OnKey*>(it); });
  }
  return {window, caption};
}

}  // namespace sightline
