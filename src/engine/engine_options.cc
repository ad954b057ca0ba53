// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>

#include "engine/engine.h"

namespace sightline {

namespace {

constexpr int kMaxBatch = 4096;
constexpr int kMostGpus = 1023;
constexpr int kMaxThreads = 1024;
constexpr int kHalfMode = 2;  // of network-mode: float16, and after it the fastest
constexpr int kMaxDimension = 1 << 20;

Shape read_shape(const ConfigValue& value) {
  Shape shape;
  for (const int dimension : value.as_ints()) {
    if (dimension < 1 || dimension > kMaxDimension)
      value.fail("expected dimensions from 1 to " + std::to_string(kMaxDimension));
    shape.push_back(dimension);
  }
  if (shape.empty()) value.fail("expected the dimensions of one item, as in 3;150;150");
  return shape;
}

}  // namespace

EngineOptions EngineOptions::from_config(const ConfigFile& config) {
  constexpr std::string_view kGroup = "property";
  EngineOptions options;
  options.model = config.get(kGroup, "onnx-file").as_path();
  if (const auto value = config.find(kGroup, "precision"))
    options.half_precision = value->as_one_of<bool>({{"fp32", false}, {"fp16", true}});
  if (const auto mode = config.find(kGroup, "network-mode"))
    options.half_on_gpu = mode->as_int(0, 3) >= kHalfMode && !config.find(kGroup, "precision");
  if (const auto value = config.find(kGroup, "provider"))
    options.tensorrt = value->as_one_of<bool>({{"cuda", false}, {"tensorrt", true}});
  if (const auto value = config.find(kGroup, "channels-last"))
    options.channels_last = value->as_bool();
  if (const auto value = config.find(kGroup, "batch-size"))
    options.batch_size = value->as_int(1, kMaxBatch);
  if (const auto value = config.find(kGroup, "infer-dims"))
    options.input_shape = read_shape(*value);
  if (const auto value = config.find(kGroup, "output-blob-names")) {
    options.output_names = value->as_strings();
    const auto& names = options.output_names;
    if (names.empty() || std::find(names.begin(), names.end(), "") != names.end())
      value->fail("expected names of outputs, as in scores;boxes");
  }
  if (const auto value = config.find(kGroup, "device")) options.device = value->text();
  if (const auto value = config.find(kGroup, "gpu-id"))
    if (const int gpu = value->as_int(0, kMostGpus); gpu > 0 && options.device == "auto")
      options.device += ":" + std::to_string(gpu);
  if (const auto value = config.find(kGroup, "engine-workers"))
    options.workers = value->as_int(1, kMaxThreads);
  if (const auto value = config.find(kGroup, "engine-threads"))
    options.threads = value->as_int(1, kMaxThreads);
  return options;
}

}  // namespace sightline
