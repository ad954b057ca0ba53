// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline parity: why does it differ from what plain code gives?

#include <iomanip>
#include <memory>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <gst/app/gstappsink.h>

#include "app/commands.h"
#include "app/exit_status.h"
#include "app/input.h"
#include "app/json_text.h"
#include "app/number_range.h"
#include "app/parity_report.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "app/video_source.h"
#include "core/data_paths.h"
#include "core/error.h"

namespace sightline {

namespace {

constexpr guint kStage = 2, kObjectsStage = 1;

struct ParityOptions {
  std::string config, input, objects;
  int frames = 10;
  bool deepstream = false;
  bool json = false;
};

std::string rounded(double value) {
  std::ostringstream text;
  text << std::setprecision(3) << value;
  return text.str();
}

GstElement* add_stage(Pipeline& pipeline, const std::string& config, guint id, bool deepstream) {
  GstElement* stage = pipeline.add("sightinfer");
  g_object_set(stage, deepstream ? "config-file-path" : "config-file", config.c_str(), "unique-id",
               static_cast<int>(id), nullptr);
  return stage;
}

// Calls `seen` for the first frames of the input that have left the stage.
template <typename Seen>
void run_stage(const ParityOptions& options, Seen seen) {
  const auto inputs = resolve_input(options.input);
  if (inputs.size() != 1)
    throw UsageError(options.input + ": is " + counted(static_cast<long>(inputs.size()), "file") +
                     ", expected one picture or clip");
  Pipeline pipeline;
  VideoSource source(pipeline, inputs.front(), false);
  GstElement* last = source.last();
  if (!options.objects.empty()) {
    GstElement* before = add_stage(pipeline, options.objects, kObjectsStage, false);
    pipeline.link({last, before});
    last = before;
  }
  GstElement* stage = add_stage(pipeline, options.config, kStage, options.deepstream);
  g_object_set(stage, "attach-input-tensor", TRUE, "output-tensor-meta", TRUE,
               "secondary-reinfer-interval", 0, "interval", 0, nullptr);
  GstElement* sink = pipeline.add("appsink");
  g_object_set(sink, "sync", FALSE, "max-buffers", 2, nullptr);
  pipeline.link({last, stage, sink});
  pipeline.set_state(GST_STATE_PLAYING, options.config);
  for (int i = 0; i < options.frames; ++i) {
    SamplePtr sample;
    while (sample == nullptr && !gst_app_sink_is_eos(GST_APP_SINK(sink))) {
      pipeline.throw_pending_error(options.config);
      sample.reset(gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 100 * GST_MSECOND));
    }
    if (sample == nullptr) break;
    GstVideoInfo info;
    gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get()));
    seen(gst_sample_get_buffer(sample.get()), info);
  }
  pipeline.throw_pending_error(options.config);
}

void require_plain(const Model& model, const std::string& config) {
  const char* complaint = !model.has_network() ? "there is no network to compare"
                          : model.tensor_source()
                              ? "input-tensor-from-meta takes tensors that others make"
                          : model.runs_per_look() > 1
                              ? "mirror-average: what is attached is the mean of two runs; compare "
                                "without it"
                              : nullptr;
  if (complaint != nullptr) throw Error(ErrorCode::kConfig, config + ": " + complaint);
}

void print_text(const ParityReport& total, const ParityReference& reference, int frames,
                bool has_boxes) {
  print_line(counted(frames, "frame") + ", " + counted(static_cast<long>(total.looks), "look"));
  print_line("input tensor    largest difference " + rounded(total.input) + ", which is " +
             rounded(total.input_pixels) + " steps of a pixel's value");
  for (std::size_t i = 0; i < total.outputs.size(); ++i)
    print_line("output " + reference.outputs()[i].name + "    largest difference " +
               rounded(total.outputs[i]) + ", " + rounded(100 * total.relative_outputs[i]) +
               " % of the largest value");
  if (has_boxes)
    print_line("boxes    " + std::to_string(total.boxes) + " in both, largest difference " +
               rounded(total.box) + " pixels, confidence " + rounded(total.confidence) + "; " +
               std::to_string(total.unmatched) + " in one of the two alone");
}

void print_json(const ParityReport& total, const ParityReference& reference, int frames) {
  Json json = {{"frames", frames},
               {"looks", total.looks},
               {"input", total.input},
               {"input_pixels", total.input_pixels},
               {"outputs", Json::array()},
               {"boxes", total.boxes},
               {"boxes_unmatched", total.unmatched},
               {"box_pixels", total.box},
               {"confidence", total.confidence}};
  for (std::size_t i = 0; i < total.outputs.size(); ++i)
    json["outputs"].push_back({{"name", reference.outputs()[i].name},
                               {"difference", total.outputs[i]},
                               {"relative", total.relative_outputs[i]}});
  print_line(json_line(json));
}

int parity(const ParityOptions& options) {
  ModelOverrides overrides;
  overrides.set("device", "cpu");
  if (options.deepstream) overrides.compat = Compat::kDeepStream;
  const auto model = Model::load(options.config, overrides);
  require_plain(*model, options.config);
  if (model->selection().objects && options.objects.empty())
    throw UsageError(options.config +
                     ": looks at objects. --objects FILE names the configuration "
                     "of a stage that finds them");
  const auto network = find_model(
      Configuration::read(options.config, overrides).file.get("property", "onnx-file").as_path());
  const ParityReference reference(model, network);
  ParityReport total;
  int frames = 0;
  run_stage(options, [&](GstBuffer* buffer, const GstVideoInfo& info) {
    total.take_larger(reference.compare(buffer, info, kStage));
    ++frames;
  });
  if (frames == 0) throw Error(ErrorCode::kInput, options.input + ": gave no frame");
  if (options.json)
    print_json(total, reference, frames);
  else
    print_text(total, reference, frames, model->postprocessor().role() == NetworkRole::kDetector);
  return kSuccess;
}

}  // namespace

void add_parity(CLI::App& program, const Installation& installation, Action& action) {
  const auto options = std::make_shared<ParityOptions>();
  CLI::App* command = program.add_subcommand(
      "parity",
      "Runs a configuration through the pipeline, and beside it by plain code in double precision, "
      "and says how input tensors, raw outputs and boxes differ");
  command->add_option("CONFIG", options->config, "The stage's configuration file")->required();
  command->add_option("INPUT", options->input, "A picture or a clip")->required();
  command
      ->add_option("--objects", options->objects,
                   "The configuration of a stage that finds the objects, if CONFIG looks at such")
      ->type_name("FILE");
  command->add_option("--frames", options->frames, "How many frames of a clip; default 10")
      ->check(number_range(1, 100000));
  command->add_flag("--deepstream", options->deepstream, "With nvinfer's defaults");
  command->add_flag("--json", options->json, "As one line of JSON");
  command->callback([&action, options, plugin = installation.plugin] {
    action = [options, plugin] {
      prepare_gstreamer(plugin);
      return parity(*options);
    };
  });
}

}  // namespace sightline
