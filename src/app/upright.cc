// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/upright.h"

#include <initializer_list>

#include "app/gst_pointer.h"
#include "stage/gst_cuda.h"

namespace sightline {

namespace {

// Puts the elements between `pad` and what it is linked to. In the thread that pushes from `pad`.
void insert_behind(GstPad* pad, std::initializer_list<const char*> factories) {
  const ElementPtr element(gst_pad_get_parent_element(pad));
  auto* bin = GST_BIN(GST_OBJECT_PARENT(element.get()));
  const PadPtr behind(gst_pad_get_peer(pad));
  gst_pad_unlink(pad, behind.get());
  PadPtr last(GST_PAD(gst_object_ref(pad)));
  for (const char* factory : factories) {
    GstElement* added = gst_element_factory_make(factory, nullptr);
    if (added == nullptr) {
      GST_ELEMENT_ERROR(element.get(), CORE, MISSING_PLUGIN,
                        ("Its frames lie on their side, and %s, which it takes to turn them, is "
                         "not installed.",
                         factory),
                        (nullptr));
      break;
    }
    if (g_str_equal(factory, "videoflip"))
      gst_util_set_object_arg(G_OBJECT(added), "video-direction", "auto");
    gst_bin_add(bin, added);
    const PadPtr sink(gst_element_get_static_pad(added, "sink"));
    gst_pad_link(last.get(), sink.get());
    gst_element_sync_state_with_parent(added);
    last.reset(gst_element_get_static_pad(added, "src"));
  }
  gst_pad_link(last.get(), behind.get());
}

// The tag is dropped: it goes to the new elements behind stream and caps, when these are sent anew.
GstPadProbeReturn on_event(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  if (!asks_for_turning(GST_PAD_PROBE_INFO_EVENT(info))) return GST_PAD_PROBE_OK;
  gst_pad_remove_probe(pad, GST_PAD_PROBE_INFO_ID(info));
  const CapsPtr caps(gst_pad_get_current_caps(pad));
  if (caps != nullptr && are_in_cuda_memory(caps.get()))
    insert_behind(pad, {"cudadownload", "videoflip"});
  else
    insert_behind(pad, {"videoflip"});
  return GST_PAD_PROBE_DROP;
}

}  // namespace

bool asks_for_turning(GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_TAG) return false;
  GstTagList* tags = nullptr;
  gst_event_parse_tag(event, &tags);
  char* raw = nullptr;
  if (!gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &raw)) return false;
  const TextPtr orientation(raw);
  return !g_str_equal(orientation.get(), "rotate-0");
}

void turn_upright_behind(GstElement* element) {
  const PadPtr pad(gst_element_get_static_pad(element, "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, nullptr, nullptr);
}

}  // namespace sightline
