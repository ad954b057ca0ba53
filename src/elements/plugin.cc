// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The plugin: one line an element.

#include <gst/gst.h>

#include "elements/gstsightanalytics.h"
#include "elements/gstsightinfer.h"
#include "elements/gstsightjson.h"
#include "elements/gstsightmatch.h"
#include "elements/gstsightoverlay.h"
#include "elements/gstsightreplay.h"
#include "elements/gstsighttrack.h"

static gboolean plugin_init(GstPlugin* plugin) {
  const auto add = [&](const char* name, GType type) {
    return gst_element_register(plugin, name, GST_RANK_NONE, type) != FALSE;
  };
  return add("sightanalytics", GST_TYPE_SIGHT_ANALYTICS) &&
         add("sightinfer", GST_TYPE_SIGHT_INFER) &&  //
         add("sightjson", GST_TYPE_SIGHT_JSON) &&    //
         add("sightmatch", GST_TYPE_SIGHT_MATCH) &&  //
         add("sightoverlay", GST_TYPE_SIGHT_OVERLAY) && add("sightreplay", GST_TYPE_SIGHT_REPLAY) &&
         add("sighttrack", GST_TYPE_SIGHT_TRACK);
}

#define PACKAGE "sightline"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, sightline,
                  "Neural networks on video: find, recognise, draw and publish", plugin_init,
                  SIGHTLINE_VERSION, "LGPL", "Sightline", "unknown origin")
