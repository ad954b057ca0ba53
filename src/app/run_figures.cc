// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/run_figures.h"

#include <algorithm>

namespace sightline {

namespace {

// Of an engine as a whole; the others speak of one stream's element.
constexpr const char* kEngineValues[] = {"runs",    "items",   "batch-fill",
                                         "run-p50", "run-p95", "queue"};

void add_value(EngineFigures& engine, const GstStructure* statistics, const char* name) {
  const GValue* value = gst_structure_get_value(statistics, name);
  GValue number = G_VALUE_INIT;
  g_value_init(&number, G_TYPE_DOUBLE);
  if (value != nullptr && g_value_transform(value, &number))
    engine.values[name] = g_value_get_double(&number);
  g_value_unset(&number);
}

void add_engines(std::vector<EngineFigures>& engines, const Stream& stream) {
  for (const auto& [network, statistics] : stream.network_statistics()) {
    // Streams share an engine, so the first one that runs speaks for all.
    if (std::ranges::find(engines, network, &EngineFigures::network) != engines.end()) continue;
    EngineFigures engine{network, {}};
    for (const char* name : kEngineValues) add_value(engine, statistics.get(), name);
    engines.push_back(std::move(engine));
  }
}

}  // namespace

RunFigures RunFigures::of(const std::vector<std::unique_ptr<Stream>>& streams, double seconds) {
  RunFigures figures{seconds, {}, {}};
  for (const auto& stream : streams) {
    figures.streams.push_back(stream->snapshot());
    add_engines(figures.engines, *stream);
  }
  return figures;
}

StreamSnapshot RunFigures::total() const {
  StreamSnapshot total;
  total.name = "total";
  for (const StreamSnapshot& stream : streams) {
    total.frames += stream.frames;
    total.dropped += stream.dropped;
    total.restarts += stream.restarts;
    total.counts.faces += stream.counts.faces;
    total.counts.unknown += stream.counts.unknown;
    for (const auto& [name, times] : stream.counts.named) total.counts.named[name] += times;
    total.frames_per_second += stream.frames_per_second;
    total.latency.add(stream.latency);
    total.recent.add(stream.recent);
  }
  return total;
}

}  // namespace sightline
