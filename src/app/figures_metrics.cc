// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Figures as Prometheus' text format: docs/running.md lists the metrics.

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/run_figures.h"

namespace sightline {

namespace {

std::string number(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// As a label's value, which is UTF-8; names of files need not be.
std::string escaped(const std::string& text) {
  const TextPtr valid(g_utf8_make_valid(text.c_str(), static_cast<gssize>(text.size())));
  std::string escaped;
  for (const char c : std::string(valid.get())) {
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c == '\n' ? "\\n" : std::string(1, c);
  }
  return escaped;
}

class Metrics {
 public:
  void begin(const std::string& name, const std::string& type, const std::string& help) {
    text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  }
  void add(const std::string& name, const std::string& labels, double value) {
    text += name + (labels.empty() ? "" : "{" + labels + "}") + " " + number(value) + "\n";
  }

  std::string text;
};

std::string label(const std::string& name, const std::string& value) {
  return name + "=\"" + escaped(value) + "\"";
}

struct StreamMetric {
  const char *name, *type, *help;
  double (*value)(const StreamSnapshot&);
};

constexpr StreamMetric kStreamMetrics[] = {
    {"sightline_stream_up", "gauge", "1 while the stream gives frames, else 0.",
     [](const StreamSnapshot& s) { return s.state == StreamState::kRunning ? 1.0 : 0.0; }},
    {"sightline_stream_frames_total", "counter", "Frames that left the networks.",
     [](const StreamSnapshot& s) { return static_cast<double>(s.frames); }},
    {"sightline_stream_frames_per_second", "gauge", "Frames a second over the last seconds.",
     [](const StreamSnapshot& s) { return s.frames_per_second; }},
    {"sightline_stream_dropped_total", "counter",
     "Frames that a newer one overtook before the networks had room.",
     [](const StreamSnapshot& s) { return static_cast<double>(s.dropped); }},
    {"sightline_stream_restarts_total", "counter", "How often the input was opened again.",
     [](const StreamSnapshot& s) { return static_cast<double>(s.restarts); }},
    {"sightline_stream_faces_total", "counter", "Faces found, in all frames.",
     [](const StreamSnapshot& s) { return static_cast<double>(s.counts.faces); }},
};

struct EngineMetric {
  const char *value, *name, *type, *help;
};

constexpr EngineMetric kEngineMetrics[] = {
    {"runs", "sightline_engine_runs_total", "counter", "Runs of the network, for all streams."},
    {"items", "sightline_engine_items_total", "counter", "Frames or crops in these runs."},
    {"batch-fill", "sightline_engine_batch_fill", "gauge", "Mean share of a batch that is used."},
    {"queue", "sightline_engine_queue", "gauge", "Frames or crops that wait for a run."},
    {"run-p50", "sightline_engine_run_seconds_p50", "gauge", "Median duration of recent runs."},
    {"run-p95", "sightline_engine_run_seconds_p95", "gauge",
     "95th percentile of recent runs' duration."},
};

constexpr std::pair<const char*, double> kQuantiles[] = {
    {"0.5", 0.5}, {"0.95", 0.95}, {"0.99", 0.99}};

void add_latencies(Metrics& metrics, const std::vector<StreamSnapshot>& streams) {
  const std::string name = "sightline_stream_latency_seconds";
  metrics.begin(name, "summary",
                "From the decoder to the end of the networks; quantiles over the last seconds.");
  for (const StreamSnapshot& stream : streams) {
    const std::string labels = label("stream", stream.name);
    for (const auto& [quantile, share] : kQuantiles)
      if (stream.recent.count() > 0)
        metrics.add(name, labels + "," + label("quantile", quantile),
                    stream.recent.percentile(share));
    metrics.add(name + "_sum", labels, stream.latency.sum());
    metrics.add(name + "_count", labels, static_cast<double>(stream.latency.count()));
  }
}

}  // namespace

std::string figures_as_metrics(const RunFigures& figures) {
  Metrics metrics;
  metrics.begin("sightline_run_seconds", "gauge", "Since the run began.");
  metrics.add("sightline_run_seconds", "", figures.seconds);
  for (const StreamMetric& metric : kStreamMetrics) {
    metrics.begin(metric.name, metric.type, metric.help);
    for (const StreamSnapshot& stream : figures.streams)
      metrics.add(metric.name, label("stream", stream.name), metric.value(stream));
  }
  add_latencies(metrics, figures.streams);
  for (const EngineMetric& metric : kEngineMetrics) {
    const auto says = [&](const EngineFigures& e) { return e.values.contains(metric.value); };
    if (std::ranges::none_of(figures.engines, says)) continue;
    metrics.begin(metric.name, metric.type, metric.help);
    for (const EngineFigures& engine : figures.engines)
      if (says(engine))
        metrics.add(metric.name, label("network", engine.network), engine.values.at(metric.value));
  }
  return metrics.text;
}

}  // namespace sightline
