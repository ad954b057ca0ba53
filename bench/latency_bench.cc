// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The latency that a stage adds to live streams that share an engine: from a frame's arrival at the
// stage to its leaving, against the time of one request in the engine's arrangement, which is what
// a request takes while the engine's other workers have one each. Once with the streams' phases
// spread evenly, once with all frames arriving at the same moment. Beside it, the same arrivals
// served first come, first served by as many threads with a bare network each: how much of a delay
// is the machine's own.
//
//   latency_bench PLUGIN CONFIG NETWORK [--seconds S] [--rounds N] [--streams N] [--load 0.5 |
//   --fps F]
//
// The streams' frame rate is what loads the engine as asked for, by what one stream reaches as fast
// as it goes; --fps sets it.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gst/video/video.h>

#include "bare_network.h"
#include "command_line.h"
#include "memory_stream.h"
#include "stage/mapped_frame.h"
#include "stage/model.h"

namespace sightline::bench {
namespace {

using namespace std::chrono_literals;

// The bounds of docs/performance.md, in times of one request; the engine sets no deadline of its
// own.
constexpr double kSpreadBound = 2;
constexpr double kTogetherBound = 8.5;

struct Options {
  std::string plugin, config, network;
  double seconds = 10;
  int rounds = 3;
  int streams = 8;
  double load = 0.5;
  double fps = 0;  // of each stream; 0: what makes the load
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double at_share(std::vector<double>& values, double share) {
  const auto index = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[static_cast<std::size_t>(index)];
}

// The times of requests that are made one after the other, each written as the stage does.
std::vector<double> request_times(const Model& model, const MemoryVideo& video) {
  constexpr int kRequests = 100;
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, static_cast<guint>(kVideoSize.width),
                            static_cast<guint>(kVideoSize.height));
  const Look look = model.look(kVideoSize, nullptr).value();
  std::vector<double> times;
  for (int i = 0; i < kRequests; ++i) {
    const MappedFrame frame(video.frame(static_cast<std::uint64_t>(i)), info);
    std::promise<RunResult> promise;
    std::vector<Request> requests(1);
    requests[0].write = [&](std::span<std::byte> item) {
      preprocess(frame.view(), look.regions, model.spec(), item);
    };
    requests[0].on_result = [&](RunResult&& result) { promise.set_value(std::move(result)); };
    const auto start = Clock::now();
    model.engine().submit(std::move(requests));
    const RunResult result = promise.get_future().get();
    times.push_back(seconds_since(start));
    if (!result.error.empty()) throw std::runtime_error(result.error);
  }
  return times;
}

// Of one request while so many are under way, each of whose results calls for the next.
double request_seconds(const Model& model, const MemoryVideo& video, int side_by_side) {
  std::vector<std::future<std::vector<double>>> others;
  for (int i = 1; i < side_by_side; ++i)
    others.push_back(std::async(std::launch::async, [&] { return request_times(model, video); }));
  std::vector<double> times = request_times(model, video);
  for (auto& other : others) {
    const std::vector<double> theirs = other.get();
    times.insert(times.end(), theirs.begin(), theirs.end());
  }
  return median(times);
}

// A live stream through one stage, timed at the stage's pads.
class LiveStream {
 public:
  LiveStream(const MemoryVideo& video, const std::string& config, double fps)
      : video_(video),
        pipeline_(parse_pipeline(
            "appsrc name=in is-live=true format=time max-bytes=0 caps=\"" + MemoryVideo::caps() +
            ",framerate=" + std::to_string(std::lround(fps * 1000)) +
            "/1000\" ! sightinfer name=stage config-file=" + config + " ! fakesink sync=false")) {
    in_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in"));
    const Ptr<GstElement> stage(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "stage"));
    probe(stage.get(), "sink", [](GstPad*, GstPadProbeInfo* info, gpointer stream) {
      static_cast<LiveStream*>(stream)->arrive(GST_PAD_PROBE_INFO_BUFFER(info));
      return GST_PAD_PROBE_OK;
    });
    probe(stage.get(), "src", [](GstPad*, GstPadProbeInfo* info, gpointer stream) {
      static_cast<LiveStream*>(stream)->leave(GST_PAD_PROBE_INFO_BUFFER(info));
      return GST_PAD_PROBE_OK;
    });
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
      throw_error_of(pipeline_.get());
      throw std::runtime_error("the pipeline does not start");
    }
  }
  ~LiveStream() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  void push() {
    GstBuffer* buffer = gst_buffer_copy(video_.frame(pushed_));
    GST_BUFFER_OFFSET(buffer) = pushed_++;
    gst_app_src_push_buffer(GST_APP_SRC(in_.get()), buffer);
  }

  // Of the frames that left since; those before are forgotten. Seconds.
  std::vector<double> take_latencies() {
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }

 private:
  void probe(GstElement* stage, const char* name, GstPadProbeCallback callback) {
    GstPad* pad = gst_element_get_static_pad(stage, name);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, this, nullptr);
    gst_object_unref(pad);
  }
  Clock::time_point& arrival(const GstBuffer* buffer) {
    return arrivals_[static_cast<std::size_t>(GST_BUFFER_OFFSET(buffer) % arrivals_.size())];
  }
  void arrive(const GstBuffer* buffer) {
    const std::lock_guard lock(mutex_);
    arrival(buffer) = Clock::now();
  }
  void leave(const GstBuffer* buffer) {
    const std::lock_guard lock(mutex_);
    latencies_.push_back(seconds_since(arrival(buffer)));
  }

  const MemoryVideo& video_;
  std::uint64_t pushed_ = 0;
  std::mutex mutex_;
  std::array<Clock::time_point, 256> arrivals_;  // more than are ever under way
  std::vector<double> latencies_;
  Ptr<GstElement> pipeline_;
  Ptr<GstElement> in_;
};

// Calls `push` with each stream's number when its frame is due, stream i beginning `phases` × i /
// streams of a frame's time later than the first: 1 spreads them evenly, 0 lets all come at the
// same moment. `warm` is called when those that count begin.
void arrive(const Options& options, double fps, double phases,
            const std::function<void(std::size_t stream)>& push,
            const std::function<void()>& warm) {
  const auto warm_up = static_cast<int>(std::ceil(fps / 2));
  const auto frames = static_cast<int>(std::ceil(options.seconds * fps));
  const auto start = Clock::now() + 50ms;
  for (int frame = -warm_up; frame < frames; ++frame) {
    if (frame == 0) warm();
    for (int i = 0; i < options.streams; ++i) {
      const double due = (frame + warm_up + phases * i / options.streams) / fps;
      std::this_thread::sleep_until(
          start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(due)));
      push(static_cast<std::size_t>(i));
    }
  }
  std::this_thread::sleep_for(500ms);  // the last ones
}

// Latencies of all frames through a stage.
std::vector<double> run_live(const Options& options, const MemoryVideo& video, double fps,
                             double phases) {
  std::vector<std::unique_ptr<LiveStream>> streams;
  for (int i = 0; i < options.streams; ++i)
    streams.push_back(std::make_unique<LiveStream>(video, options.config, fps));
  arrive(
      options, fps, phases, [&](std::size_t stream) { streams[stream]->push(); },
      [&] {
        for (const auto& stream : streams) stream->take_latencies();
      });
  std::vector<double> all;
  for (const auto& stream : streams) {
    const std::vector<double> own = stream->take_latencies();
    all.insert(all.end(), own.begin(), own.end());
  }
  if (all.empty()) throw std::runtime_error("no frame came through in time");
  return all;
}

int cores() { return static_cast<int>(std::thread::hardware_concurrency()); }

// Threads with a bare network each, as the engine arranges them, that take what has arrived in its
// order: no pipeline, no sharing, no metadata.
class BarePool {
 public:
  BarePool(const Model& model, const std::string& network, const MemoryVideo& video)
      : model_(model), video_(video) {
    for (int i = 0; i < model.engine().concurrency(); ++i)
      workers_.emplace_back([this, network] { serve(network); });
  }
  ~BarePool() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    arrived_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  BarePool(const BarePool&) = delete;
  BarePool& operator=(const BarePool&) = delete;

  void push() {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(Clock::now());
    }
    arrived_.notify_one();
  }
  std::vector<double> take_latencies() {
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }

 private:
  void serve(const std::string& network) {
    BareNetwork bare(network, std::max(1, cores() / model_.engine().concurrency()));
    GstVideoInfo info;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, static_cast<guint>(kVideoSize.width),
                              static_cast<guint>(kVideoSize.height));
    const Look look = model_.look(kVideoSize, nullptr).value();
    std::unique_lock lock(mutex_);
    while (true) {
      arrived_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      if (ended_) return;
      const Clock::time_point arrival = waiting_.front();
      waiting_.pop_front();
      const std::uint64_t number = number_++;
      lock.unlock();
      {
        const MappedFrame frame(video_.frame(number), info);
        preprocess(frame.view(), look.regions, model_.spec(), bare.input());
      }
      bare.run();
      lock.lock();
      latencies_.push_back(seconds_since(arrival));
    }
  }

  const Model& model_;
  const MemoryVideo& video_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Clock::time_point> waiting_;
  std::vector<double> latencies_;
  std::uint64_t number_ = 0;
  bool ended_ = false;
  std::vector<std::thread> workers_;
};

// Latencies of the same arrivals without a stage.
std::vector<double> run_pool(const Options& options, BarePool& pool, double fps, double phases) {
  arrive(
      options, fps, phases, [&](std::size_t) { pool.push(); }, [&] { pool.take_latencies(); });
  return pool.take_latencies();
}

struct Figures {
  double p50, p95, p99, maximum;

  static Figures of(std::vector<double> latencies) {
    return {at_share(latencies, 0.50), at_share(latencies, 0.95), at_share(latencies, 0.99),
            *std::max_element(latencies.begin(), latencies.end())};
  }
};

// A figure in times of one request, beside what the bare pool reached with the same arrivals.
struct Judged {
  const char* what;
  const char* name;
  double Figures::*figure;
  double bound;
};

void print(const Judged& judged, const std::vector<Figures>& rounds,
           const std::vector<Figures>& bare, double request) {
  const auto middle = [](const std::vector<Figures>& of, double Figures::*value) {
    std::vector<double> values;
    for (const Figures& round : of) values.push_back(round.*value);
    return median(values);
  };
  const auto line = [&](const char* who, const std::vector<Figures>& of) {
    const double found = middle(of, judged.figure) / request;
    std::printf("%s, %s: p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms; %s is %.2f requests",
                judged.what, who, 1e3 * middle(of, &Figures::p50), 1e3 * middle(of, &Figures::p95),
                1e3 * middle(of, &Figures::p99), 1e3 * middle(of, &Figures::maximum), judged.name,
                found);
    return found;
  };
  const double found = line("stage", rounds);
  std::printf(", bound %.1f: %s\n", judged.bound, found <= judged.bound ? "within" : "BEYOND");
  line("bare pool", bare);
  std::printf("\n");
}

double capacity(const Options& options, const MemoryVideo& video) {
  std::vector<std::unique_ptr<MemoryStream>> streams;
  streams.push_back(
      std::make_unique<MemoryStream>(video, "sightinfer config-file=" + options.config));
  streams.front()->wait_for(10);
  return frames_per_second(streams, 2);
}

void measure(const Options& options) {
  load_plugin(options.plugin);
  const MemoryVideo video;
  const auto model = Model::load(options.config, {});  // one engine, arranged once for all turns
  std::printf("%s\n", model->engine().describe().c_str());
  std::vector<double> alone, requests;
  std::vector<Figures> spread, together, bare_spread, bare_together;
  const double most = capacity(options, video);
  const double fps = options.fps > 0 ? options.fps : options.load * most / options.streams;
  std::printf("one stream, as fast as it goes: %.1f frames/s; %d streams at %.1f: load %.2f\n",
              most, options.streams, fps, options.streams * fps / most);
  for (int round = 0; round < options.rounds; ++round) {
    alone.push_back(request_seconds(*model, video, 1));
    requests.push_back(request_seconds(*model, video, model->engine().concurrency()));
    spread.push_back(Figures::of(run_live(options, video, fps, 1)));
    together.push_back(Figures::of(run_live(options, video, fps, 0)));
    BarePool pool(*model, options.network, video);
    bare_spread.push_back(Figures::of(run_pool(options, pool, fps, 1)));
    bare_together.push_back(Figures::of(run_pool(options, pool, fps, 0)));
  }
  const double request = median(requests);
  std::printf(
      "one request, %d side by side: %.2f ms; alone on the engine: %.2f ms (medians of %d rounds, "
      "here and below)\n",
      model->engine().concurrency(), 1e3 * request, 1e3 * median(alone), options.rounds);
  print({"evenly spread phases", "p99", &Figures::p99, kSpreadBound}, spread, bare_spread, request);
  print({"equal phases", "max", &Figures::maximum, kTogetherBound}, together, bare_together,
        request);
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  Options options;
  return CommandLine("latency_bench",
                     "PLUGIN CONFIG NETWORK [--seconds S] [--rounds N] [--streams N] "
                     "[--load L | --fps F]")
      .word(options.plugin)
      .word(options.config)
      .word(options.network)
      .option("--seconds", options.seconds)
      .option("--rounds", options.rounds)
      .option("--streams", options.streams)
      .option("--load", options.load)
      .option("--fps", options.fps)
      .run(argc, argv, [&] { measure(options); });
}
