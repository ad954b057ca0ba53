// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Figures as JSON: docs/running.md lists the keys.

#include <algorithm>
#include <cmath>

#include "app/run_figures.h"

namespace sightline {

namespace {

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

Json latency_as_json(const LatencyHistogram& latency) {
  return {{"p50", rounded(latency.percentile(0.5))},
          {"p95", rounded(latency.percentile(0.95))},
          {"p99", rounded(latency.percentile(0.99))},
          {"max", rounded(latency.maximum())}};
}

void add_figures(Json& json, const StreamSnapshot& stream) {
  json["frames"] = stream.frames;
  json["fps"] = rounded(stream.frames_per_second);
  json["dropped"] = stream.dropped;
  json["restarts"] = stream.restarts;
  json["faces"] = stream.counts.faces;
  json["unknown"] = stream.counts.unknown;
  json["named"] = stream.counts.named;
  if (stream.latency.count() > 0) json["latency"] = latency_as_json(stream.latency);
}

}  // namespace

Json figures_as_json(const RunFigures& figures) {
  Json json = {{"seconds", rounded(figures.seconds)}, {"streams", Json::array()}};
  for (const StreamSnapshot& stream : figures.streams) {
    Json entry = {{"stream", stream.name}, {"live", stream.live}, {"state", name_of(stream.state)}};
    add_figures(entry, stream);
    if (!stream.problem.empty()) entry["problem"] = stream.problem;
    json["streams"].push_back(std::move(entry));
  }
  Json total = Json::object();
  add_figures(total, figures.total());
  json["total"] = std::move(total);
  json["networks"] = Json::array();
  for (const EngineFigures& engine : figures.engines) {
    Json entry = {{"network", engine.network}};
    for (const auto& [name, value] : engine.values) {
      std::string key = name;
      std::ranges::replace(key, '-', '_');
      entry[key] = rounded(value);
    }
    json["networks"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace sightline
