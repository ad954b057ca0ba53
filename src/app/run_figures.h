// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The figures of a whole run at one moment, and the forms in which people and programs read them.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/json_text.h"
#include "app/stream.h"

namespace sightline {

// What a network's element says of the engine that all streams share, under the names of its
// property "stats"; what an element does not say is absent.
struct EngineFigures {
  std::string network;  // "detect"
  std::map<std::string, double> values;
};

struct RunFigures {
  double seconds = 0;  // since the run began
  std::vector<StreamSnapshot> streams;
  std::vector<EngineFigures> engines;

  static RunFigures of(const std::vector<std::unique_ptr<Stream>>& streams, double seconds);

  StreamSnapshot total() const;  // its state and its problem say nothing
};

// One object, as docs/running.md lists its keys.
Json figures_as_json(const RunFigures& figures);

// Prometheus' text format, version 0.0.4.
std::string figures_as_metrics(const RunFigures& figures);

// A line a stream, and one for all; none is as wide as the terminal, nor are there as many as it is
// high. Colour marks what needs looking at.
std::vector<std::string> figures_as_table(const RunFigures& figures, int columns, int rows,
                                          bool colour);

// All in one line.
std::string figures_as_line(const RunFigures& figures);

}  // namespace sightline
