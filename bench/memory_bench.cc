// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a pipeline keeps resident: every stage over a picture with faces, again and again, from
// 1080p NV12 frames that are drawn on. Memory that grows with the frames is a leak, whatever the
// leak checkers say.
//
//   memory_bench PLUGIN MODELS_FOLDER PICTURE GALLERY [--frames N]

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "process_status.h"

namespace {

using sightline::bench::peak_megabytes;
using sightline::bench::resident_megabytes;

struct Counter {
  long frames = 0;
  double early = 0;  // resident at frame 2,000
};

GstPadProbeReturn count(GstPad*, GstPadProbeInfo*, gpointer data) {
  auto* counter = static_cast<Counter*>(data);
  ++counter->frames;
  if (counter->frames == 2000) counter->early = resident_megabytes();
  if (counter->frames == 200 || counter->frames % 2000 == 0)
    std::printf("frame %6ld: %.1f MB resident\n", counter->frames, resident_megabytes());
  return GST_PAD_PROBE_OK;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words;
  long frames = 20000;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--frames") == 0 && i + 1 < argc)
      frames = std::atol(argv[++i]);
    else
      words.emplace_back(argv[i]);
  }
  if (words.size() != 4 || frames < 4000) {
    std::fprintf(stderr,
                 "usage: memory_bench PLUGIN MODELS_FOLDER PICTURE GALLERY [--frames N]  (N: 4000 "
                 "or more)\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  gst_init(nullptr, nullptr);
  GError* error = nullptr;
  if (gst_plugin_load_file(words[0].c_str(), &error) == nullptr) {
    std::fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  std::string description = "filesrc location=" + words[2] +
                            " ! decodebin ! videoconvert ! videoscale add-borders=true ! "
                            "video/x-raw,format=NV12,width=1920,height=1080 ! imagefreeze "
                            "num-buffers=" +
                            std::to_string(frames);
  for (const char* stage : {"face-detect", "face-landmarks", "face-embed"})
    description += " ! sightinfer config-file=" + words[1] + "/" + stage + ".ini";
  description +=
      " ! sightmatch gallery=" + words[3] + " ! sightoverlay ! fakesink name=out sync=false";
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  if (pipeline == nullptr) {
    std::fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  Counter counter;
  GstElement* out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
  GstPad* pad = gst_element_get_static_pad(out, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count, &counter, nullptr);
  gst_object_unref(pad);
  gst_object_unref(out);

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const double late = resident_megabytes();
  const bool failed = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (failed) {
    gst_message_parse_error(message, &error, nullptr);
    std::fprintf(stderr, "%s\n", error->message);
  }
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  if (failed) return 1;
  std::printf("frame %ld less frame 2000: %+.1f MB; peak %.1f MB\n", counter.frames,
              late - counter.early, peak_megabytes());
  return 0;
}
