// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/foreign_plugins.h"

#include <gst/gst.h>

#include "postprocess/foreign_families.h"

namespace sightline {

void load_foreign_families(const ConfigFile& config) {
  if (foreign_scheme(config) != "python" || find_foreign_families("python") != nullptr) return;
  if (GstPlugin* plugin = gst_plugin_load_by_name("sightlinepython")) gst_object_unref(plugin);
}

}  // namespace sightline
