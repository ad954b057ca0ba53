// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a stage costs beside its network: the detector in a pipeline on 1080p NV12 frames from
// memory, against the same network in bare loops of ONNX Runtime (one run on all cores; one
// single-threaded run a core), taking turns in one process.
//
//   stage_bench PLUGIN CONFIG MODEL [--seconds S] [--rounds N]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <onnxruntime_cxx_api.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWidth = 1920, kHeight = 1080, kFrames = 24;

struct Options {
  std::string plugin, config, model;
  double seconds = 3;
  int rounds = 5;
};

// Runs a second with nothing but the network until `end`; returns how many.
std::uint64_t loop(const Ort::Env& env, const std::string& model, int threads,
                   Clock::time_point begin, Clock::time_point end) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(threads);
  Ort::Session session(env, model.c_str(), options);
  Ort::AllocatorWithDefaultOptions allocator;
  const auto input = session.GetInputNameAllocated(0, allocator);
  std::vector<Ort::AllocatedStringPtr> names;
  std::vector<const char*> outputs;
  for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
    names.push_back(session.GetOutputNameAllocated(i, allocator));
    outputs.push_back(names.back().get());
  }
  const Ort::TypeInfo type = session.GetInputTypeInfo(0);
  std::vector<std::int64_t> shape = type.GetTensorTypeAndShapeInfo().GetShape();
  std::size_t count = 1;
  for (std::int64_t& dimension : shape)
    count *= static_cast<std::size_t>(dimension = std::max<std::int64_t>(dimension, 1));
  std::vector<float> values(count, 0.25f);
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  Ort::Value tensor = Ort::Value::CreateTensor<float>(memory, values.data(), values.size(),
                                                      shape.data(), shape.size());
  const char* input_name = input.get();
  const auto run = [&] {
    session.Run(Ort::RunOptions{}, &input_name, &tensor, 1, outputs.data(), outputs.size());
  };
  for (int i = 0; i < 20; ++i) run();
  std::this_thread::sleep_until(begin);
  std::uint64_t runs = 0;
  for (; Clock::now() < end; ++runs) run();
  return runs;
}

double bare(const Options& options, int loops, int threads) {
  const Ort::Env env(ORT_LOGGING_LEVEL_WARNING, "bench");
  const auto begin = Clock::now() + std::chrono::milliseconds(600);
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(options.seconds));
  std::atomic<std::uint64_t> runs{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < loops; ++i)
    workers.emplace_back([&] { runs += loop(env, options.model, threads, begin, end); });
  for (std::thread& worker : workers) worker.join();
  return static_cast<double>(runs) / options.seconds;
}

// Soft stripes with grain, of which no two are equal: pictures without faces, so that the network
// runs once a frame (noise makes this detector see faces, and look at them again).
std::vector<GstBuffer*> frames() {
  std::mt19937 random(1);
  std::vector<GstBuffer*> result;
  for (int i = 0; i < kFrames; ++i) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kWidth * kHeight * 3 / 2, nullptr);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (int y = 0; y < kHeight * 3 / 2; ++y)
      for (int x = 0; x < kWidth; ++x)
        map.data[y * kWidth + x] = static_cast<guint8>(
            118 + 40 * std::sin(0.011 * x + 0.3 * i) * std::cos(0.007 * y) + random() % 16);
    gst_buffer_unmap(buffer, &map);
    result.push_back(buffer);
  }
  return result;
}

// Pushes the frames in turn, on appsrc's own thread.
struct Source {
  const std::vector<GstBuffer*>& frames;
  std::size_t next = 0;

  static void push_next(GstAppSrc* in, guint, gpointer data) {
    auto* source = static_cast<Source*>(data);
    GstBuffer* frame = source->frames[source->next++ % source->frames.size()];
    gst_app_src_push_buffer(in, gst_buffer_copy(frame));  // shares the pixels
  }
};

void stop_on_error(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == nullptr) return;
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  std::fprintf(stderr, "%s\n", error->message);
  std::exit(1);
}

double in_pipeline(const Options& options, const std::vector<GstBuffer*>& source_frames) {
  GError* error = nullptr;
  const std::string description =
      "appsrc name=in max-buffers=1 max-bytes=0 format=time ! sightinfer config-file=" +
      options.config + " ! fakesink name=out sync=false signal-handoffs=true";
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  if (pipeline == nullptr) {
    std::fprintf(stderr, "%s\n", error->message);
    std::exit(1);
  }
  GstElement* in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  GstElement* out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
  std::atomic<std::uint64_t> done{0};
  g_signal_connect(out, "handoff",
                   G_CALLBACK(+[](GstElement*, GstBuffer*, GstPad*, gpointer count) {
                     ++*static_cast<std::atomic<std::uint64_t>*>(count);
                   }),
                   &done);
  GstCaps* caps =
      gst_caps_from_string("video/x-raw,format=NV12,width=1920,height=1080,framerate=0/1");
  g_object_set(in, "caps", caps, nullptr);
  gst_caps_unref(caps);
  Source source{source_frames};
  GstAppSrcCallbacks callbacks{};
  callbacks.need_data = &Source::push_next;
  gst_app_src_set_callbacks(GST_APP_SRC(in), &callbacks, &source, nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);

  while (done < 30) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop_on_error(pipeline);
  }
  const std::uint64_t before = done;
  const auto begin = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
  const double rate = static_cast<double>(done - before) /
                      std::chrono::duration<double>(Clock::now() - begin).count();
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(in);
  gst_object_unref(out);
  gst_object_unref(pipeline);
  return rate;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
      options.seconds = std::atof(argv[++i]);
    } else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
      options.rounds = std::atoi(argv[++i]);
    } else {
      words.emplace_back(argv[i]);
    }
  }
  if (words.size() != 3 || options.rounds < 1) {
    std::fprintf(stderr, "usage: stage_bench PLUGIN CONFIG MODEL [--seconds S] [--rounds N]\n");
    return 2;
  }
  options.plugin = words[0], options.config = words[1], options.model = words[2];
  gst_init(nullptr, nullptr);
  GError* error = nullptr;
  if (gst_plugin_load_file(options.plugin.c_str(), &error) == nullptr) {
    std::fprintf(stderr, "%s\n", error->message);
    return 1;
  }

  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const std::vector<GstBuffer*> source_frames = frames();
  std::vector<double> all, each, stage, ratio;
  for (int round = 0; round < options.rounds; ++round) {
    all.push_back(bare(options, 1, cores));
    stage.push_back(in_pipeline(options, source_frames));
    each.push_back(bare(options, cores, 1));
    ratio.push_back(stage.back() / std::max(all.back(), each.back()));
    std::printf(
        "round %d: bare, one run on %d cores %.1f/s; bare, %d runs on one core each %.1f/s; stage "
        "%.1f/s; ratio %.3f\n",
        round + 1, cores, all.back(), cores, each.back(), stage.back(), ratio.back());
  }
  std::printf(
      "median: bare, all cores %.1f/s; bare, side by side %.1f/s; stage on 1080p NV12 %.1f/s; "
      "stage / better bare %.3f\n",
      median(all), median(each), median(stage), median(ratio));
  for (GstBuffer* buffer : source_frames) gst_buffer_unref(buffer);
  return 0;
}
