// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A plugin of its own, so that nobody needs Python who does not use it. Python is started by the
// element, not by looking at the plugin.

#include <gst/gst.h>

#include "elements/python/gstsightpython.h"
#include "elements/python/python_family.h"
#include "postprocess/foreign_families.h"

static gboolean plugin_init(GstPlugin* plugin) {
  sightline::register_foreign_families("python", sightline::python::make_family);
  return gst_element_register(plugin, "sightpython", GST_RANK_NONE, GST_TYPE_SIGHT_PYTHON);
}

#define PACKAGE "sightline"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, sightlinepython,
                  "Python functions on video and its results", plugin_init, SIGHTLINE_VERSION,
                  "LGPL", "Sightline", "unknown origin")
