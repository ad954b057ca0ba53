// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Figures for people: a table for a terminal, a line elsewhere.

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "app/report.h"
#include "app/run_figures.h"

namespace sightline {

namespace {

constexpr std::size_t kWidestName = 24;
constexpr const char* kYellow = "\033[33m";
constexpr const char* kRed = "\033[31m";
constexpr const char* kBold = "\033[1m";
constexpr const char* kPlain = "\033[0m";

[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...) {
  char text[256];
  va_list values;
  va_start(values, format);
  std::vsnprintf(text, sizeof text, format, values);
  va_end(values);
  return text;
}

// Characters, not bytes: as many columns as the text takes, if its characters are of Europe.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(g_utf8_strlen(text.c_str(), -1));
}

std::string cut(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  if (width == 0) return "";
  const char* end = g_utf8_offset_to_pointer(text.c_str(), static_cast<glong>(width) - 1);
  return text.substr(0, static_cast<std::size_t>(end - text.c_str())) + "…";
}

std::string padded(const std::string& text, std::size_t width) {
  const std::string shown = cut(text, width);
  return shown + std::string(width - width_of(shown), ' ');
}

double milliseconds(const LatencyHistogram& latency, double share) {
  return latency.percentile(share) * 1e3;
}

std::string figures_of(const StreamSnapshot& stream) {
  return formatted(" %7.1f %7.1f %7.1f %7.1f %8ld %8ld %8ld", stream.frames_per_second,
                   milliseconds(stream.recent, 0.5), milliseconds(stream.recent, 0.95),
                   milliseconds(stream.recent, 0.99), stream.dropped, stream.restarts,
                   stream.counts.faces);
}

const char* colour_of(StreamState state) {
  if (state == StreamState::kFailed) return kRed;
  return state == StreamState::kPausing || state == StreamState::kOpening ? kYellow : "";
}

class Table {
 public:
  Table(const RunFigures& figures, int columns, bool colour)
      : columns_(static_cast<std::size_t>(std::max(columns - 1, 1))), colour_(colour) {
    for (const StreamSnapshot& stream : figures.streams)
      name_width_ = std::max(name_width_, std::min(width_of(stream.name), kWidestName));
  }

  void add(const std::string& name, const std::string& state, const std::string& rest,
           const char* colour) {
    const std::string line =
        cut(padded(name, name_width_) + " " + padded(state, 8) + rest, columns_);
    lines.push_back(colour_ && *colour != '\0' ? colour + line + kPlain : line);
  }

  void add_line(const std::string& line) { lines.push_back(cut(line, columns_)); }

  std::vector<std::string> lines;

 private:
  std::size_t columns_;
  std::size_t name_width_ = 6;  // "stream"
  bool colour_;
};

std::string engines_of(const RunFigures& figures) {
  std::string line;
  for (const EngineFigures& engine : figures.engines) {
    const auto value = [&](const char* name) {
      const auto found = engine.values.find(name);
      return found == engine.values.end() ? -1.0 : found->second;
    };
    line += (line.empty() ? "" : "; ") + engine.network;
    if (value("runs") > 0) line += formatted(" %.2f a run", value("items") / value("runs"));
    if (value("batch-fill") >= 0)
      line += formatted(", batches %.0f %% full", value("batch-fill") * 100);
    if (value("run-p50") > 0) line += formatted(", %.1f ms", value("run-p50") * 1e3);
  }
  return line;
}

}  // namespace

std::vector<std::string> figures_as_table(const RunFigures& figures, int columns, int rows,
                                          bool colour) {
  Table table(figures, columns, colour);
  table.add("stream", "state", "  frame/s p50 ms  p95 ms  p99 ms  dropped restarts    faces",
            kBold);
  // Title, total, engines, perhaps "… and n more", and one line less than the terminal has.
  const auto room = static_cast<std::size_t>(std::max(rows - 5, 1));
  std::vector<const StreamSnapshot*> shown;
  for (const StreamSnapshot& stream : figures.streams) shown.push_back(&stream);
  // Where not all have room, those that play are of more interest than those that wait or are done.
  const auto interest = [](const StreamSnapshot* stream) {
    return stream->state == StreamState::kEnded     ? 2
           : stream->state == StreamState::kWaiting ? 1
                                                    : 0;
  };
  if (shown.size() > room) std::ranges::stable_sort(shown, {}, interest);
  for (std::size_t i = 0; i < std::min(room, shown.size()); ++i)
    table.add(shown[i]->name, name_of(shown[i]->state), figures_of(*shown[i]),
              colour_of(shown[i]->state));
  if (shown.size() > room) table.add_line("… and " + std::to_string(shown.size() - room) + " more");
  table.add("total", "", figures_of(figures.total()), kBold);
  if (const std::string engines = engines_of(figures); !engines.empty()) table.add_line(engines);
  return table.lines;
}

std::string figures_as_line(const RunFigures& figures) {
  const StreamSnapshot total = figures.total();
  const auto in_state = [&](StreamState state) {
    return std::ranges::count(figures.streams, state, &StreamSnapshot::state);
  };
  std::string line = std::to_string(in_state(StreamState::kRunning)) + " of " +
                     counted(static_cast<long>(figures.streams.size()), "stream") + " running: ";
  line +=
      formatted("%.1f frames/s, latency p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, %ld dropped, ",
                total.frames_per_second, milliseconds(total.recent, 0.5),
                milliseconds(total.recent, 0.95), milliseconds(total.recent, 0.99), total.dropped);
  line += counted(total.restarts, "restart");
  for (const StreamSnapshot& stream : figures.streams)
    if (stream.state == StreamState::kPausing || stream.state == StreamState::kFailed)
      line += "; " + stream.name + " is down";
  return line;
}

}  // namespace sightline
