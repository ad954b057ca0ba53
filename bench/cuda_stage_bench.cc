// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Stages on frames in CUDA memory, beside the same networks in a bare loop of ONNX Runtime's CUDA
// provider whose input lies on the GPU, taking turns in one process. No decoder: frames come from
// memory.
//
//   cuda_stage_bench PLUGIN EMBED.onnx DETECT.onnx [--yolo YOLO.onnx] [--seconds S] [--rounds N]
//
// With --bare it shows instead what the provider's options are worth to bare sessions.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "bare_cuda.h"
#include "command_line.h"
#include "cuda_video.h"
#include "engine/device_writer.h"
#include "engine/engine.h"
#include "memory_stream.h"

namespace sightline::bench {
namespace {

struct Options {
  std::string plugin, embed, detect, yolo;
  double seconds = 2;
  int rounds = 3;
  bool bare = false;
};

// A configuration in a folder that goes with this.
class Config {
 public:
  Config(const std::string& name, const std::string& model, const std::string& keys)
      : path_(std::filesystem::temp_directory_path() /
              (name + "-" + std::to_string(getpid()) + ".ini")) {
    std::ofstream(path_) << "[property]\nonnx-file = " << std::filesystem::absolute(model).string()
                         << "\n"
                         << keys;
  }
  ~Config() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

constexpr char kEmbedKeys[] =
    "process-mode = secondary\nmodel-family = embedding\noffsets = 122.782;117.001;104.298\n"
    "net-scale-factor = 0.00390625\ncrop = aligned\nalignment = dlib-150\n"
    "scaling-filter = area\nbatch-size = 64\n";
constexpr char kDetectKeys[] =
    "model-family = ultra-light\nlabels = face\noffsets = 127;127;127\n"
    "net-scale-factor = 0.0078125\nmaintain-aspect-ratio = 1\nsymmetric-padding = 1\n"
    "batch-size = 64\n[class-attrs-all]\npre-cluster-threshold = 0.8\nnms-iou-threshold = 0.35\n";

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double figure(const GstStructure* stats, const char* name) {
  double value = 0;
  guint64 whole = 0;
  if (gst_structure_get_double(stats, name, &value)) return value;
  return gst_structure_get_uint64(stats, name, &whole) ? static_cast<double>(whole) : 0;
}

struct Rate {
  double frames = 0;  // a second
  double cpu = 0;     // cores that are busy
  std::string engine;
};

Rate run_stage(const CudaVideo& video, int streams, const std::string& config, double seconds) {
  std::vector<std::unique_ptr<MemoryStream>> running;
  for (int i = 0; i < streams; ++i)
    running.push_back(std::make_unique<MemoryStream>(
        video.frames(), "sightinfer name=stage device=cuda:0 config-file=" + config));
  for (const auto& stream : running) stream->wait_for(20);
  const double cpu = cpu_seconds();
  Rate rate;
  rate.frames = frames_per_second(running, seconds);
  rate.cpu = (cpu_seconds() - cpu) / seconds;
  const Ptr<GstElement> stage = running.front()->element("stage");
  GstStructure* stats = nullptr;
  gchar* engine = nullptr;
  g_object_get(stage.get(), "stats", &stats, "engine", &engine, nullptr);
  char text[200];
  std::snprintf(text, sizeof text, "batches filled to %.0f %% in the mean, a run %.2f ms (p50)",
                100 * figure(stats, "batch-fill"), 1000 * figure(stats, "run-p50"));
  rate.engine = std::string(text) + "; " + engine;
  gst_structure_free(stats);
  g_free(engine);
  return rate;
}

void compare(const char* title, const std::string& model, const std::string& config, int streams,
             int faces, const Options& options) {
  const CudaVideo video(0, faces);
  const double per_frame = std::max(faces, 1);
  std::vector<double> bare, stage, ratio;
  Rate last;
  for (int round = 0; round < options.rounds; ++round) {
    bare.push_back(bare_cuda_rate(model, options.seconds));
    last = run_stage(video, streams, config, options.seconds);
    stage.push_back(last.frames * per_frame);
    ratio.push_back(stage.back() / bare.back());
  }
  std::printf(
      "%s: bare session by 64: %.0f items/s; %d streams through the stage: %.0f items/s, "
      "%.0f frames/s; ratio %.3f (median of %d); %.2f cores busy\n  %s\n",
      title, median(bare), streams, median(stage), median(stage) / per_frame, median(ratio),
      options.rounds, last.cpu, last.engine.c_str());
}

// Items that are there already: what the engine alone does.
class Nothing final : public DeviceItem {};
class WritesNothing final : public DeviceWriter {
 public:
  void write(std::span<DeviceItem* const>, cuda::Address, std::size_t,
             const cuda::Stream&) override {}
};

struct Variant {
  const char* name;
  bool channels_last = false;
  bool half = false;
};

double engine_rate(const std::string& model, const Variant& variant, int batch, double seconds) {
  EngineOptions wanted;
  wanted.model = model;
  wanted.channels_last = variant.channels_last;
  wanted.half_precision = variant.half;
  wanted.device = "cuda:0";
  wanted.batch_size = batch;
  const auto engine = Engine::open(wanted);
  const auto writer = std::make_shared<WritesNothing>();
  const auto item = std::make_shared<Nothing>();
  const auto submit = [&](int count) {
    std::vector<std::future<void>> done;
    std::vector<Request> requests(static_cast<std::size_t>(count));
    for (Request& request : requests) {
      const auto promise = std::make_shared<std::promise<void>>();
      done.push_back(promise->get_future());
      request.writer = writer;
      request.item = item;
      request.keep_large_outputs = true;
      request.on_result = [promise](RunResult&&) { promise->set_value(); };
    }
    engine->submit(std::move(requests));
    return done;
  };
  const auto begin = Clock::now();
  std::uint64_t items = 0;
  auto ahead = submit(batch);
  while (std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
    auto next = submit(batch);
    for (auto& one : ahead) one.get();
    items += ahead.size();
    ahead = std::move(next);
  }
  for (auto& one : ahead) one.get();
  return static_cast<double>(items) / std::chrono::duration<double>(Clock::now() - begin).count();
}

void measure_engine(const std::string& model, const Options& options) {
  const std::string name = std::filesystem::path(model).stem().string();
  for (const int batch : {1, 16})
    std::printf("%s, bare session, float32, batch %d: %.0f items/s\n", name.c_str(), batch,
                bare_cuda_rate(model, options.seconds, {batch}));
  for (const Variant& variant : {Variant{"float32"}, Variant{"float32, channels last", true},
                                 Variant{"float16", false, true}}) {
    double one = 0;
    for (const int batch : {1, 4, 16, 64}) {
      const double rate = engine_rate(model, variant, batch, options.seconds);
      if (batch == 1) one = rate;
      std::printf("%s, engine alone, %s, batch %d: %.0f items/s, %.2f times batch 1\n",
                  name.c_str(), variant.name, batch, rate, rate / one);
    }
  }
}

// What the provider's own options are worth.
void measure_bare(const std::string& model, const Options& options) {
  for (const bool half : {false, true})
    for (const bool channels_last : {false, true})
      for (const char* search : {"HEURISTIC", "EXHAUSTIVE"}) {
        double rate = 0;
        std::string problem;
        try {
          rate = bare_cuda_rate(model, options.seconds, {64, half, channels_last, search});
        } catch (const std::exception& error) {
          problem = error.what();
        }
        std::printf("%s, bare by 64, float%d, %s, %s: %.0f items/s %s\n",
                    std::filesystem::path(model).stem().c_str(), half ? 16 : 32,
                    channels_last ? "nhwc" : "nchw", search, rate, problem.c_str());
      }
}

void measure(const Options& options) {
  load_plugin(options.plugin);
  if (options.bare) {
    for (const std::string& model : {options.embed, options.detect, options.yolo})
      if (!model.empty()) measure_bare(model, options);
    return;
  }
  const Config embed("embed", options.embed, kEmbedKeys);
  const Config detect("detect", options.detect, kDetectKeys);
  compare("embeddings, 16 faces a frame", options.embed, embed.path(), 8, 16, options);
  compare("face detector", options.detect, detect.path(), 32, 0, options);
  compare("face detector", options.detect, detect.path(), 1, 0, options);
  for (const std::string& model : {options.detect, options.yolo})
    if (!model.empty()) measure_engine(model, options);
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  Options options;
  return CommandLine("cuda_stage_bench",
                     "PLUGIN EMBED.onnx DETECT.onnx [--yolo YOLO.onnx] [--seconds S] [--rounds N] "
                     "[--bare]")
      .word(options.plugin)
      .word(options.embed)
      .word(options.detect)
      .option("--yolo", options.yolo)
      .option("--seconds", options.seconds)
      .option("--rounds", options.rounds)
      .flag("--bare", options.bare)
      .run(argc, argv, [&] { measure(options); });
}
