// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a pipeline keeps resident: every stage over a picture with faces, again and again, from
// 1080p NV12 frames that are drawn on. Memory that grows with the frames is a leak, whatever the
// leak checkers say.
//
//   memory_bench PLUGIN MODELS_FOLDER PICTURE GALLERY [--frames N]

#include <atomic>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "command_line.h"
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

struct Options {
  std::string plugin, models, picture, gallery;
  int frames = 20000;
};

[[noreturn]] void fail(GError* error) {
  const std::string text = error->message;
  g_error_free(error);
  throw std::runtime_error(text);
}

std::string description(const Options& options) {
  std::string text = "filesrc location=" + options.picture +
                     " ! decodebin ! videoconvert ! videoscale add-borders=true ! "
                     "video/x-raw,format=NV12,width=1920,height=1080 ! imagefreeze num-buffers=" +
                     std::to_string(options.frames);
  for (const char* stage : {"face-detect", "face-landmarks", "face-embed"})
    text += " ! sightinfer config-file=" + options.models + "/" + stage + ".ini";
  return text + " ! sightmatch gallery=" + options.gallery +
         " ! sightoverlay ! fakesink name=out sync=false";
}

// Until its end. Throws what went wrong.
void play(GstElement* pipeline, double& resident_at_the_end) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  resident_at_the_end = resident_megabytes();
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, nullptr);
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  if (error != nullptr) fail(error);
}

void measure(const Options& options) {
  gst_init(nullptr, nullptr);
  GError* error = nullptr;
  if (gst_plugin_load_file(options.plugin.c_str(), &error) == nullptr) fail(error);
  GstElement* pipeline = gst_parse_launch(description(options).c_str(), &error);
  if (pipeline == nullptr) fail(error);
  Counter counter;
  GstElement* out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
  GstPad* pad = gst_element_get_static_pad(out, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count, &counter, nullptr);
  gst_object_unref(pad);
  gst_object_unref(out);
  double late = 0;
  play(pipeline, late);
  gst_object_unref(pipeline);
  std::printf("frame %ld less frame 2000: %+.1f MB; peak %.1f MB\n", counter.frames,
              late - counter.early, peak_megabytes());
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kLeastFrames = 4000;  // the last are compared with number 2,000
  Options options;
  return sightline::bench::CommandLine(
             "memory_bench", "PLUGIN MODELS_FOLDER PICTURE GALLERY [--frames N]  (N: 4000 or more)")
      .word(options.plugin)
      .word(options.models)
      .word(options.picture)
      .word(options.gallery)
      .option("--frames", options.frames, kLeastFrames)
      .run(argc, argv, [&] { measure(options); });
}
