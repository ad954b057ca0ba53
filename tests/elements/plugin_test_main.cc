// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The main program of tests of elements. It loads the plugin from the build folder and the few of
// GStreamer's own that tests use; no registry is read or written, so that nothing installed and no
// other test interferes.

#include <cstdio>

#include <gst/gst.h>
#include <gtest/gtest.h>

static bool load(const char* file) {
  GError* error = nullptr;
  GstPlugin* plugin = gst_plugin_load_file(file, &error);
  if (plugin != nullptr) {
    gst_object_unref(plugin);
    return true;
  }
  std::fprintf(stderr, "%s: %s\n", file, error->message);
  g_error_free(error);
  return false;
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init(&argc, &argv);
  if (!load(PLUGIN) || !load(GSTREAMER_PLUGINS "/libgstcoreelements.so") ||
      !load(GSTREAMER_PLUGINS "/libgstvideotestsrc.so"))
    return 1;
  return RUN_ALL_TESTS();
}
