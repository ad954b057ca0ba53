// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Many streams of 1080p H.264 through the whole chain on one GPU: decoded, faces found, aligned,
// every one of them embedded and searched for among many persons, in every frame; beside the
// decoder alone, in turns.
//
//   gpu_chain PLUGIN MODELS CLIP.h264 [--streams 32] [--seconds 6] [--rounds 3] [--persons 10000]
//             [--fps 30] [--decoder nvh264dec] [--stages PROPERTIES] [--live-only] [--soak SECONDS]
//
// --stages sets properties of each sightinfer, such as "max-in-flight=4"; --rounds 0 leaves the
// comparison with the decoder out, --live-only all but live streams.
//
// MODELS is the folder of face-detect.ini and the others. With LD_PRELOAD=cuda_copies.so it says
// what came to the host, too.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <cuda.h>
#include <dlfcn.h>
#include <sightline/frame.h>
#include <unistd.h>

#include <gst/app/gstappsink.h>

#include "clip.h"
#include "command_line.h"
#include "core/cuda.h"
#include "cuda_copies.h"
#include "gallery/gallery.h"
#include "memory_stream.h"
#include "process_status.h"
#include "stage/gst_cuda.h"
#include "stage/model.h"

namespace sightline::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::array kStages = {"face-detect", "face-landmarks", "face-embed"};

struct Options {
  std::string plugin, models, clip;
  std::string decoder = "nvh264dec";
  std::string stages;  // properties of each sightinfer
  int streams = 32;
  double seconds = 6;
  int rounds = 3;
  int persons = 10000;
  double fps = 30;
  double soak = 0;  // seconds; 0: none
  bool live_only = false;
};

// So many persons whom nobody resembles, for the network of this configuration.
class Strangers {
 public:
  Strangers(const std::string& embed_config, int persons)
      : path_(std::filesystem::temp_directory_path() /
              ("gpu-chain-" + std::to_string(getpid()) + ".db")) {
    ModelOverrides overrides;
    overrides.set("device", "cuda:0");
    const ModelFingerprint model = Model::load(embed_config, overrides)->fingerprint();
    const auto gallery = Gallery::open(path_, Gallery::Mode::kCreate);
    gallery->require_model(model);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    gallery->begin();
    for (int i = 0; i < persons; ++i) {
      std::vector<float> embedding(static_cast<std::size_t>(model.dimensions));
      for (float& value : embedding) value = normal(random);
      const Person person = gallery->add_person("person " + std::to_string(i));
      gallery->add_embedding(person.id, embedding, "made up", {});
    }
    gallery->commit();
  }
  ~Strangers() {
    for (const char* ending : {"", "-wal", "-shm"})
      std::filesystem::remove(path_.string() + ending);
  }
  Strangers(const Strangers&) = delete;
  Strangers& operator=(const Strangers&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::string chain(const Options& options, const Strangers& strangers) {
  std::string text;
  for (const std::string stage : kStages)
    text += "sightinfer name=" + stage + " device=cuda:0 config-file=\"" + options.models + "/" +
            stage + ".ini\" " + options.stages + " ! ";
  return text + "sightmatch name=match gallery=\"" + strangers.path() + "\"";
}

// Memory in use on the first GPU, of all processes.
double gpu_megabytes() {
  static const auto ask = reinterpret_cast<decltype(&cuMemGetInfo)>(
      dlsym(dlopen("libcuda.so.1", RTLD_NOW), "cuMemGetInfo_v2"));
  const auto device = cuda::Device::open(0);
  const cuda::Current current(*device);
  std::size_t free = 0, all = 0;
  if (ask == nullptr || ask(&free, &all) != CUDA_SUCCESS) return 0;
  return static_cast<double>(all - free) / (1 << 20);
}

// cuda_copies.so, where it is there.
struct Counter {
  decltype(&sightline_cuda_copies) read = nullptr;
  decltype(&sightline_forget_cuda_copies) forget = nullptr;
  decltype(&sightline_print_cuda_copies) print = nullptr;

  Counter() {
    find(read, "sightline_cuda_copies");
    find(forget, "sightline_forget_cuda_copies");
    find(print, "sightline_print_cuda_copies");
  }
  template <typename F>
  static void find(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(RTLD_DEFAULT, name));
  }
  explicit operator bool() const { return read != nullptr; }
};

double figure(const GstStructure* stats, const char* name) {
  double value = 0;
  guint64 whole = 0;
  if (gst_structure_get_double(stats, name, &value)) return value;
  return gst_structure_get_uint64(stats, name, &whole) ? static_cast<double>(whole) : 0;
}

using Streams = std::vector<std::unique_ptr<MemoryStream>>;

// What an engine has run.
struct Runs {
  double runs = 0, items = 0;
};

Runs runs_of(GstElement* stage) {
  GstStructure* stats = nullptr;
  g_object_get(stage, "stats", &stats, nullptr);
  const Runs found{figure(stats, "runs"), figure(stats, "items")};
  gst_structure_free(stats);
  return found;
}

void print_stages(const MemoryStream& stream) {
  for (const char* name : kStages) {
    const Ptr<GstElement> stage = stream.element(name);
    GstStructure* stats = nullptr;
    gchar* engine = nullptr;
    g_object_get(stage.get(), "stats", &stats, "engine", &engine, nullptr);
    std::printf("  %-15s p50 in it %.1f ms, a run %.2f ms, batches filled to %.0f %%; %s\n", name,
                1e3 * figure(stats, "latency-p50"), 1e3 * figure(stats, "run-p50"),
                100 * figure(stats, "batch-fill"), engine);
    gst_structure_free(stats);
    g_free(engine);
  }
}

std::uint64_t frames_of(const Streams& streams) {
  std::uint64_t frames = 0;
  for (const auto& stream : streams) frames += stream->frames();
  return frames;
}

struct Run {
  double frames = 0;  // a second
  double cores = 0;   // busy
  double faces = 0;   // a frame
  double gpu_megabytes = 0;
  CudaCopies copies;  // for each of the next, after the warm-up; none without cuda_copies.so
  std::uint64_t copied_frames = 0;
};

// Counts the faces of one stream, which shows what all show.
class FaceCount {
 public:
  explicit FaceCount(const MemoryStream& stream) : match_(stream.element("match")) {
    if (match_ == nullptr) return;
    GstPad* const pad = gst_element_get_static_pad(match_.get(), "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &FaceCount::look, this, nullptr);
    gst_object_unref(pad);
  }
  double a_frame() const {
    return frames_ == 0 ? 0 : static_cast<double>(embedded_) / static_cast<double>(frames_);
  }

 private:
  static GstPadProbeReturn look(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto* const count = static_cast<FaceCount*>(self);
    ++count->frames_;
    const SightFrame* frame = sight_buffer_get_frame(GST_PAD_PROBE_INFO_BUFFER(info));
    const guint objects = frame != nullptr ? sight_frame_get_n_objects(frame) : 0;
    for (guint i = 0; i < objects; ++i)
      if (sight_object_get_identity(sight_frame_get_object(frame, i)) != nullptr)
        ++count->embedded_;
    return GST_PAD_PROBE_OK;
  }

  Ptr<GstElement> match_;
  std::atomic<std::uint64_t> frames_ = 0, embedded_ = 0;
};

constexpr std::uint64_t kWarmUp = 40;  // frames of each stream

// Decoders of all streams work in the context of the networks.
void share_context(GstElement* pipeline) { GpuContext::open(0)->announce(pipeline); }

Run run(const Frames& video, const std::string& elements, const Options& options,
        const std::function<void(GstElement*)>& prepare,
        const std::function<void(const Streams&)>& before_its_end = {}) {
  std::optional<FaceCount> faces;  // outlives the streams
  Streams streams;
  for (int i = 0; i < options.streams; ++i)
    streams.push_back(std::make_unique<MemoryStream>(video, elements, prepare));
  faces.emplace(*streams.front());
  for (const auto& stream : streams) stream->wait_for(kWarmUp);
  const Counter counter;
  Run result;
  const std::uint64_t before = frames_of(streams);
  if (counter) counter.forget();
  const double cpu = cpu_seconds();
  result.frames = frames_per_second(streams, options.seconds);
  result.cores = (cpu_seconds() - cpu) / options.seconds;
  if (counter) counter.read(&result.copies);
  result.copied_frames = frames_of(streams) - before;
  result.faces = faces->a_frame();
  result.gpu_megabytes = gpu_megabytes();
  if (before_its_end) before_its_end(streams);
  for (const auto& stream : streams) stream->stop();
  return result;
}

void print(const char* what, const Run& run) {
  std::printf("%-28s %7.0f frames/s, %5.1f cores busy, %6.0f MB on the GPU", what, run.frames,
              run.cores, run.gpu_megabytes);
  if (run.faces > 0) std::printf(", %.2f faces a frame", run.faces);
  std::printf("\n");
}

void print_copies(const Run& run) {
  const Counter counter;
  if (!counter || run.copied_frames == 0) return;
  const auto a_frame = [&](std::uint64_t number) {
    return static_cast<double>(number) / static_cast<double>(run.copied_frames);
  };
  std::printf(
      "  a frame: %.1f KB to the host (asked: 64) in %.2f copies of at most %.1f KB, %.1f KB to "
      "the "
      "GPU\n",
      1e-3 * a_frame(run.copies.to_host), a_frame(run.copies.copies_to_host),
      1e-3 * static_cast<double>(run.copies.largest_to_host), 1e-3 * a_frame(run.copies.to_device));
  counter.print();
}

// The chain beside the decoder alone.
void compare(const Clip& clip, const Options& options, const std::string& chain) {
  std::vector<double> decoder, whole, ratios;
  for (int round = 0; round < options.rounds; ++round) {
    const Run plain = run(clip.frames(), options.decoder, options, {});
    print("decoder alone", plain);
    const Run shared = run(clip.frames(), options.decoder, options, share_context);
    print("decoder alone, one context", shared);
    const double alone = std::max(plain.frames, shared.frames);
    const bool last = round + 1 == options.rounds;
    const Run all = run(clip.frames(), options.decoder + " ! " + chain, options, share_context,
                        [last](const Streams& streams) {
                          if (last) print_stages(*streams.front());
                        });
    if (last) print_copies(all);
    print("whole chain", all);
    decoder.push_back(alone);
    whole.push_back(all.frames);
    ratios.push_back(all.frames / alone);
  }
  std::printf("decoder %.0f frames/s, chain %.0f frames/s, ratio %.3f (asked: 0.95)\n\n",
              median(decoder), median(whole), median(ratios));
}

// Decoded frames that stay where they are, so that no decoder limits what follows.
class DecodedFrames {
 public:
  DecodedFrames(const Clip& clip, const Options& options) : context_(GpuContext::open(0)) {
    MemoryStream decoder(clip.frames(), options.decoder + " ! identity name=decoded",
                         share_context);
    const Ptr<GstElement> decoded = decoder.element("decoded");
    GstPad* const pad = gst_element_get_static_pad(decoded.get(), "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &DecodedFrames::keep, this, nullptr);
    decoder.wait_for(kEvery * kMost + kEvery);
    GstCaps* caps = gst_pad_get_current_caps(pad);
    gst_object_unref(pad);
    decoder.stop();
    if (caps == nullptr) throw std::runtime_error("the decoder gave no caps");
    caps = gst_caps_make_writable(caps);
    gst_structure_remove_field(gst_caps_get_structure(caps, 0), "framerate");
    gchar* const text = gst_caps_to_string(caps);
    caps_ = text;
    g_free(text);
    gst_caps_unref(caps);
  }

  Frames frames() const {
    return {caps_, [this](std::uint64_t number) {
              return kept_[static_cast<std::size_t>(number % kept_.size())].get();
            }};
  }

 private:
  static constexpr std::size_t kEvery = 5, kMost = 120;  // of the clip's frames

  static GstPadProbeReturn keep(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto* const frames = static_cast<DecodedFrames*>(self);
    if (frames->seen_++ % kEvery == 0 && frames->kept_.size() < kMost)
      frames->kept_.emplace_back(gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
    return GST_PAD_PROBE_OK;
  }

  const std::shared_ptr<const GpuContext> context_;
  std::size_t seen_ = 0;
  std::vector<Ptr<GstBuffer>> kept_;
  std::string caps_;
};

void measure_pool(const Clip& clip, const Options& options, const std::string& chain) {
  const DecodedFrames decoded(clip, options);
  print("chain, decoded before",
        run(decoded.frames(), chain, options, share_context,
            [](const Streams& streams) { print_stages(*streams.front()); }));
  // What each stage takes away.
  std::string part;
  std::size_t begin = 0;
  for (std::size_t end; begin < chain.size(); begin = end + 3) {
    end = std::min(chain.find(" ! ", begin), chain.size());
    part += (part.empty() ? "" : " ! ") + chain.substr(begin, end - begin);
    if (end == chain.size()) break;
    const auto stages = 1 + std::count(part.begin(), part.end(), '!');
    print(("  its first " + std::to_string(stages)).c_str(),
          run(decoded.frames(), part, options, share_context));
  }
  std::printf("\n");
}

// A camera: a frame is pushed when its time has come, and followed until it is through.
class LiveStream {
 public:
  LiveStream(const Clip& clip, const std::string& elements)
      : clip_(clip),
        pipeline_(parse_pipeline("appsrc name=in is-live=true format=time max-bytes=0 caps=\"" +
                                 clip.caps() + ",framerate=30/1\" ! " + elements +
                                 " ! fakesink name=out sync=false async=false")),
        in_(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in")) {
    const Ptr<GstElement> out(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "out"));
    GstPad* const pad = gst_element_get_static_pad(out.get(), "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &LiveStream::arrive, this, nullptr);
    gst_object_unref(pad);
    share_context(pipeline_.get());
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
      throw_error_of(pipeline_.get());
      throw std::runtime_error("the pipeline does not start");
    }
  }
  ~LiveStream() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  // What the engines of its stages, if it has them, have run.
  std::vector<Runs> runs() const {
    std::vector<Runs> found;
    for (const char* name : kStages)
      if (const Ptr<GstElement> stage(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
          stage != nullptr)
        found.push_back(runs_of(stage.get()));
    return found;
  }

  void push(double fps) {
    const Frames units = clip_.frames();
    GstBuffer* const buffer = gst_buffer_copy(units.frame(pushed_));
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) =
        static_cast<GstClockTime>(static_cast<double>(pushed_) / fps * GST_SECOND);
    ++pushed_;
    {
      const std::lock_guard lock(mutex_);
      under_way_.push_back({GST_BUFFER_PTS(buffer), Clock::now()});
    }
    gst_app_src_push_buffer(GST_APP_SRC(in_.get()), buffer);
  }

  std::vector<double> take_latencies() {  // seconds
    throw_error_of(pipeline_.get());
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }

 private:
  struct Pushed {
    GstClockTime pts;
    Clock::time_point at;
  };

  static GstPadProbeReturn arrive(GstPad*, GstPadProbeInfo* info, gpointer stream) {
    auto* const self = static_cast<LiveStream*>(stream);
    const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    const auto now = Clock::now();
    const std::lock_guard lock(self->mutex_);
    auto& waiting = self->under_way_;
    while (!waiting.empty() && waiting.front().pts < pts) waiting.pop_front();  // lost
    if (waiting.empty()) return GST_PAD_PROBE_OK;
    self->latencies_.push_back(std::chrono::duration<double>(now - waiting.front().at).count());
    waiting.pop_front();
    return GST_PAD_PROBE_OK;
  }

  const Clip& clip_;
  std::uint64_t pushed_ = 0;
  std::mutex mutex_;  // guards the next two
  std::deque<Pushed> under_way_;
  std::vector<double> latencies_;
  const Ptr<GstElement> pipeline_;
  const Ptr<GstElement> in_;
};

double at_share(std::vector<double> values, double share) {
  const auto index = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[static_cast<std::size_t>(index)];
}

// Whose processor time it is.
void print_threads(const std::map<std::string, double>& before, double seconds, int streams) {
  std::vector<std::pair<double, std::string>> shares;
  for (const auto& [name, cpu] : cpu_seconds_by_name()) {
    const auto found = before.find(name);
    shares.emplace_back(cpu - (found == before.end() ? 0 : found->second), name);
  }
  std::sort(shares.rbegin(), shares.rend());
  for (const auto& [cpu, name] : shares)
    if (const double share = 100 * cpu / seconds / streams; share >= 0.01)
      std::printf("  %-16s %.2f %% of a core a stream\n", name.c_str(), share);
}

void measure_live(const char* what, const Clip& clip, const Options& options,
                  const std::string& elements) {
  const double empty = gpu_megabytes();
  std::vector<std::unique_ptr<LiveStream>> streams;
  for (int i = 0; i < options.streams; ++i)
    streams.push_back(std::make_unique<LiveStream>(clip, elements));
  const auto frames = static_cast<int>(options.seconds * options.fps);
  const int warm_up = static_cast<int>(3 * options.fps);
  const auto begin = Clock::now() + 50ms;
  double cpu = 0;
  std::map<std::string, double> threads;
  std::vector<Runs> runs;
  Clock::time_point measured_from;
  for (int frame = -warm_up; frame < frames; ++frame) {
    if (frame == 0) {
      for (const auto& stream : streams) stream->take_latencies();
      cpu = cpu_seconds();
      threads = cpu_seconds_by_name();
      runs = streams.front()->runs();
      measured_from = Clock::now();
    }
    for (int i = 0; i < options.streams; ++i) {
      const double due = (frame + warm_up + static_cast<double>(i) / options.streams) / options.fps;
      std::this_thread::sleep_until(
          begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(due)));
      streams[static_cast<std::size_t>(i)]->push(options.fps);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - measured_from).count();
  cpu = cpu_seconds() - cpu;
  print_threads(threads, seconds, options.streams);
  const std::vector<Runs> runs_now = streams.front()->runs();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const double number = std::max(runs_now[i].runs - runs[i].runs, 1.0);
    std::printf("  %-16s %.0f runs a second of %.1f items\n", kStages[i], number / seconds,
                (runs_now[i].items - runs[i].items) / number);
  }
  const double used = gpu_megabytes();
  std::this_thread::sleep_for(500ms);
  std::vector<double> all;
  for (const auto& stream : streams) {
    const std::vector<double> own = stream->take_latencies();
    all.insert(all.end(), own.begin(), own.end());
  }
  if (all.empty()) throw std::runtime_error("no frame came through in time");
  std::printf(
      "%s, %d live streams at %.0f frames/s: %zu of %d frames; latency p50 %.1f ms, p95 %.1f ms, "
      "p99 %.1f ms, max %.1f ms (asked: p99 60); %.2f %% of a core a stream (asked: 3); %.0f MB on "
      "the "
      "GPU, %.0f of them of the streams, %.1f a stream\n\n",
      what, options.streams, options.fps, all.size(), frames * options.streams,
      1e3 * at_share(all, 0.5), 1e3 * at_share(all, 0.95), 1e3 * at_share(all, 0.99),
      1e3 * at_share(all, 1), 100 * cpu / seconds / options.streams, used, used - empty,
      (used - empty) / options.streams);
}

// Full load for long. Throws if memory grows.
void soak(const Clip& clip, const Options& options, const std::string& elements) {
  constexpr double kMostHost = 48, kMostGpu = 64;  // megabytes, after the first quarter
  Streams streams;
  for (int i = 0; i < options.streams; ++i)
    streams.push_back(std::make_unique<MemoryStream>(clip.frames(), elements, share_context));
  for (const auto& stream : streams) stream->wait_for(kWarmUp);
  constexpr int kParts = 16;
  double host = 0, gpu = 0;
  for (int part = 1; part <= kParts; ++part) {
    const double rate = frames_per_second(streams, options.soak / kParts);
    const double host_now = resident_megabytes(), gpu_now = gpu_megabytes();
    std::printf("soak, %4.0f s: %.0f frames/s, %.1f MB on the host, %.0f MB on the GPU\n",
                part * options.soak / kParts, rate, host_now, gpu_now);
    if (part == kParts / 4) host = host_now, gpu = gpu_now;
    if (part == kParts && (host_now > host + kMostHost || gpu_now > gpu + kMostGpu))
      throw std::runtime_error("memory grew under load");
  }
  for (const auto& stream : streams) stream->stop();
  std::printf("soak: flat\n\n");
}

void measure(const Options& options) {
  load_plugin(options.plugin);
  const Clip clip(options.clip);
  // One context for all, before the first decoder makes one of its own.
  const auto context = GpuContext::open(0);
  const Strangers strangers(options.models + "/face-embed.ini", options.persons);
  const std::string elements = chain(options, strangers);
  // Loads the networks once for all that follows.
  std::vector<std::shared_ptr<const Model>> kept;
  ModelOverrides overrides;
  overrides.set("device", "cuda:0");
  for (const std::string stage : kStages)
    kept.push_back(Model::load(options.models + "/" + stage + ".ini", overrides));
  std::printf("%s, %d streams, clip of %zu frames, %.1f Mbit/s at 30 frames/s, %d persons\n",
              cuda::Device::open(0)->info().name.c_str(), options.streams, clip.size(),
              30e-6 * clip.bits_a_frame(), options.persons);
  if (options.soak > 0) return soak(clip, options, options.decoder + " ! " + elements);
  if (options.rounds > 0 && !options.live_only) compare(clip, options, elements);
  measure_live("decoder alone", clip, options, options.decoder);
  measure_live("chain", clip, options, options.decoder + " ! " + elements);
  if (options.live_only) return;
  measure_pool(clip, options, elements);
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  Options options;
  return CommandLine("gpu_chain",
                     "PLUGIN MODELS CLIP.h264 [--streams N] [--seconds S] [--rounds N] "
                     "[--persons N] [--fps F] [--decoder ELEMENT] [--stages PROPERTIES] "
                     "[--live-only] [--soak SECONDS]")
      .word(options.plugin)
      .word(options.models)
      .word(options.clip)
      .option("--streams", options.streams)
      .option("--seconds", options.seconds)
      .option("--rounds", options.rounds, 0)
      .option("--persons", options.persons)
      .option("--fps", options.fps)
      .option("--decoder", options.decoder)
      .option("--stages", options.stages)
      .flag("--live-only", options.live_only)
      .option("--soak", options.soak)
      .run(argc, argv, [&] { measure(options); });
}
