// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a stage costs beside its network: a detector in a pipeline on 1080p NV12 frames from
// memory, against the same network in bare loops of ONNX Runtime (one run on all cores; one
// single-threaded run a core), taking turns in one process. A further turn, bare loops that do the
// stage's pre-processing before each run, says what share of the cores' time that takes.
//
//   stage_bench PLUGIN CONFIG MODEL [--seconds S] [--rounds N]

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
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

struct Options {
  std::string plugin, config, model;
  double seconds = 3;
  int rounds = 5;
};

double in_pipeline(const Options& options, const MemoryVideo& video) {
  std::vector<std::unique_ptr<MemoryStream>> streams;
  streams.push_back(
      std::make_unique<MemoryStream>(video, "sightinfer config-file=" + options.config));
  streams.front()->wait_for(10);
  return frames_per_second(streams, options.seconds);
}

// Pre-processes the frames of a video as the stage of this configuration does.
InputWriter writer(const std::string& config, const MemoryVideo& video) {
  // The model is loaded once for what its configuration says; its engine ends with this function.
  const auto model = Model::load(config, {});
  const auto look = model->look(kVideoSize, nullptr);
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, static_cast<guint>(kVideoSize.width),
                            static_cast<guint>(kVideoSize.height));
  return [&video, info, spec = model->spec(), regions = look.value().regions](
             std::size_t number, std::span<std::byte> item) {
    preprocess(MappedFrame(video.frame(number), info).view(), regions, spec, item);
  };
}

void measure(const Options& options) {
  load_plugin(options.plugin);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const MemoryVideo video;
  const InputWriter write = writer(options.config, video);
  std::vector<double> all, each, stage, ratio, written, share;
  for (int round = 0; round < options.rounds; ++round) {
    all.push_back(run_bare(options.model, 1, cores, options.seconds).runs_per_second);
    stage.push_back(in_pipeline(options, video));
    each.push_back(run_bare(options.model, cores, 1, options.seconds).runs_per_second);
    const BareRate with_writing = run_bare(options.model, cores, 1, options.seconds, write);
    written.push_back(with_writing.runs_per_second);
    share.push_back(with_writing.writing_seconds * stage.back() / cores);
    ratio.push_back(stage.back() / std::max(all.back(), each.back()));
    std::printf(
        "round %d: bare, one run on %d cores %.1f/s; bare, %d runs on one core each %.1f/s, "
        "pre-processing before each %.1f/s; stage %.1f/s; ratio %.3f\n",
        round + 1, cores, all.back(), cores, each.back(), written.back(), stage.back(),
        ratio.back());
  }
  std::printf(
      "median: bare, all cores %.1f/s; bare, side by side %.1f/s, with pre-processing %.1f/s; "
      "stage on 1080p NV12 %.1f/s\n"
      "stage / better bare %.3f; share of the cores' time in pre-processing %.3f\n",
      median(all), median(each), median(written), median(stage), median(ratio), median(share));
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  Options options;
  return CommandLine("stage_bench", "PLUGIN CONFIG MODEL [--seconds S] [--rounds N]")
      .word(options.plugin)
      .word(options.config)
      .word(options.model)
      .option("--seconds", options.seconds)
      .option("--rounds", options.rounds)
      .run(argc, argv, [&] { measure(options); });
}
