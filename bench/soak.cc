// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Live streams that come and go for a long time, each through every stage: detection, landmarks,
// embedding, gallery, JSON. Prints what the process holds every minute, and fails if memory grows,
// a thread or a file stays, or a stream starves.
//
//   soak PLUGIN MODELS_FOLDER PICTURE GALLERY [--minutes M] [--streams N] [--fps F] [--growth MB]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gst/gst.h>

#include "command_line.h"
#include "memory_stream.h"
#include "process_status.h"

namespace sightline::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Options {
  std::string plugin, models, picture, gallery;
  double minutes = 30;
  int streams = 8;
  int fps = 5;         // of each stream
  double growth = 16;  // MB between the first and the last quarter that count as none
};

std::string description(const Options& options) {
  std::string text = "filesrc location=\"" + options.picture +
                     "\" ! decodebin ! videoconvert ! videoscale add-borders=true ! "
                     "video/x-raw,format=NV12,width=1280,height=720 ! imagefreeze is-live=true ! "
                     "video/x-raw,framerate=" +
                     std::to_string(options.fps) + "/1";
  for (const std::string stage : {"face-detect", "face-landmarks", "face-embed"})
    text += " ! sightinfer name=" + stage + " config-file=" + options.models + "/" + stage + ".ini";
  return text + " ! sightmatch gallery=\"" + options.gallery +
         "\" ! sightjson location=/dev/null ! fakesink name=out sync=false async=false";
}

// One that plays. Frames are counted where they end.
class LiveStream {
 public:
  explicit LiveStream(const std::string& text) : pipeline_(parse_pipeline(text)) {
    const Ptr<GstElement> out(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "out"));
    GstPad* pad = gst_element_get_static_pad(out.get(), "sink");
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo*, gpointer frames) {
          ++*static_cast<std::atomic<long>*>(frames);
          return GST_PAD_PROBE_OK;
        },
        &frames_, nullptr);
    gst_object_unref(pad);
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
      throw_error_of(pipeline_.get());
      throw std::runtime_error("the pipeline does not start");
    }
  }
  ~LiveStream() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  long frames() const { return frames_; }
  Clock::duration age() const { return Clock::now() - begin_; }
  void throw_error() const { throw_error_of(pipeline_.get()); }

  // Lets the frames under way arrive before it stops. imagefreeze ends for nobody, so the end is
  // put in behind it.
  void end() {
    const Ptr<GstElement> first(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "face-detect"));
    GstPad* pad = gst_element_get_static_pad(first.get(), "sink");
    gst_pad_send_event(pad, gst_event_new_eos());
    gst_object_unref(pad);
    const Ptr<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    const Ptr<GstMessage> message(gst_bus_timed_pop_filtered(
        bus.get(), 30 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    if (message == nullptr) throw std::runtime_error("a stream did not end within 30 s");
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return;
    GError* error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    const std::string text = error->message;
    g_error_free(error);
    throw std::runtime_error(text);
  }

 private:
  const Clock::time_point begin_ = Clock::now();
  std::atomic<long> frames_ = 0;
  const Ptr<GstElement> pipeline_;
};

// The places of a scene, of which one now and then is empty for a moment.
class Scene {
 public:
  explicit Scene(const Options& options)
      : text_(description(options)), places_(static_cast<std::size_t>(options.streams)) {}

  // A random stream leaves, by its end or in mid-stream, or the one that is missing comes back.
  void change() {
    if (const auto empty = std::find(places_.begin(), places_.end(), nullptr);
        empty != places_.end()) {
      *empty = std::make_unique<LiveStream>(text_);
      ++come_;
      return;
    }
    std::unique_ptr<LiveStream>& place = places_[random_() % places_.size()];
    check(*place);
    // An end that overtook the beginning of a stream would be taken back by it.
    if (random_() % 2 == 0 && place->frames() > 0) place->end();
    frames_ += place->frames();
    place.reset();
  }
  void fill() {
    while (std::find(places_.begin(), places_.end(), nullptr) != places_.end()) change();
  }
  void leave() {
    for (auto& place : places_) {
      if (place == nullptr) continue;
      frames_ += place->frames();
      place.reset();
    }
  }

  void check() const {
    for (const auto& place : places_)
      if (place != nullptr) check(*place);
  }
  Clock::duration pause() { return std::chrono::milliseconds(200 + random_() % 1800); }
  int playing() const {
    return static_cast<int>(places_.size()) -
           static_cast<int>(std::count(places_.begin(), places_.end(), nullptr));
  }
  long come() const { return come_; }
  long frames() const {
    long all = frames_;
    for (const auto& place : places_)
      if (place != nullptr) all += place->frames();
    return all;
  }

 private:
  // However busy the machine is, a stream gets a frame through now and then, unless others keep it
  // from the networks.
  static void check(const LiveStream& stream) {
    constexpr double kSecondsToStart = 10, kSecondsPerFrame = 5;
    stream.throw_error();
    const double age = std::chrono::duration<double>(stream.age()).count();
    if (static_cast<double>(stream.frames()) < (age - kSecondsToStart) / kSecondsPerFrame)
      throw std::runtime_error("a stream starves: " + std::to_string(stream.frames()) +
                               " frames in " + std::to_string(std::lround(age)) + " s");
  }

  const std::string text_;
  std::mt19937 random_{1};
  std::vector<std::unique_ptr<LiveStream>> places_;
  long come_ = 0, frames_ = 0;
};

struct Held {
  int threads = 0, files = 0;

  static Held now() {
    g_thread_pool_stop_unused_threads();
    return {thread_count(), open_file_count()};
  }
};

// Once through everything, so that what GStreamer and GLib start once and keep is there.
Held after_one_stream(const Options& options) {
  Scene scene(options);
  scene.fill();
  std::this_thread::sleep_for(3s);
  scene.leave();
  std::this_thread::sleep_for(1s);
  return Held::now();
}

// What the process holds with nothing playing; threads that are ending may take a moment.
Held at_rest(const Held& before) {
  Held held = Held::now();
  for (int i = 0; i < 100 && (held.threads > before.threads || held.files > before.files); ++i) {
    std::this_thread::sleep_for(100ms);
    held = Held::now();
  }
  return held;
}

void print_minute(double minutes, const Scene& scene) {
  std::printf(
      "minute %5.1f: %6.1f MB resident, %3d threads, %3d files; %d streams play, %ld came so far, "
      "%ld frames\n",
      minutes, resident_megabytes(), thread_count(), open_file_count(), scene.playing(),
      scene.come(), scene.frames());
}

// Resident memory every second, in MB.
std::vector<double> play(const Options& options, Scene& scene) {
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  auto next_change = begin;
  std::vector<double> memory;
  int minute = 0;
  scene.fill();
  while (elapsed() < 60 * options.minutes) {
    std::this_thread::sleep_for(20ms);
    scene.check();
    if (Clock::now() >= next_change) {
      scene.change();
      next_change = Clock::now() + scene.pause();
    }
    if (elapsed() >= static_cast<double>(memory.size())) memory.push_back(resident_megabytes());
    if (elapsed() >= 60 * minute) print_minute(minute++, scene);
  }
  print_minute(elapsed() / 60, scene);
  return memory;
}

// The first tenth is left out: caches and pools fill.
double growth(const std::vector<double>& memory) {
  const auto warm = memory.begin() + static_cast<std::ptrdiff_t>(memory.size() / 10);
  const auto quarter = std::max<std::ptrdiff_t>((memory.end() - warm) / 4, 1);
  return median({memory.end() - quarter, memory.end()}) - median({warm, warm + quarter});
}

// Throws if something grew.
void run(const Options& options) {
  load_plugin(options.plugin);
  const Held before = after_one_stream(options);
  std::printf("nothing plays: %.1f MB resident, %d threads, %d files\n", resident_megabytes(),
              before.threads, before.files);
  Scene scene(options);
  const double grown = growth(play(options, scene));
  const long come = scene.come();
  scene.leave();
  const Held after = at_rest(before);
  std::printf("nothing plays: %.1f MB resident, %d threads, %d files\n", resident_megabytes(),
              after.threads, after.files);
  const bool fine =
      grown <= options.growth && after.threads <= before.threads && after.files <= before.files;
  std::printf(
      "%s: %ld streams came, %ld frames; memory %+.1f MB from the first quarter to the last (bound "
      "%.0f), "
      "%+d threads, %+d files, peak %.1f MB\n",
      fine ? "flat" : "FAILED", come, scene.frames(), grown, options.growth,
      after.threads - before.threads, after.files - before.files, peak_megabytes());
  if (!fine) throw std::runtime_error("something grew");
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  Options options;
  return CommandLine("soak",
                     "PLUGIN MODELS_FOLDER PICTURE GALLERY [--minutes M] [--streams N] [--fps F] "
                     "[--growth MB]")
      .word(options.plugin)
      .word(options.models)
      .word(options.picture)
      .word(options.gallery)
      .option("--minutes", options.minutes)
      .option("--streams", options.streams)
      .option("--fps", options.fps)
      .option("--growth", options.growth)
      .run(argc, argv, [&] { run(options); });
}
