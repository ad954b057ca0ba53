// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who crosses which line, and which way.
//
// Passing through a line begins a crossing; it counts once the object is on the other side by more
// than the line's hysteresis. Until then going back undoes it, so what trembles on the line counts
// once or not at all.

#pragma once

#include <cstdint>
#include <vector>

#include "analytics/class_filters.h"
#include "analytics/grid.h"
#include "analytics/place.h"
#include "analytics/rules.h"
#include "analytics/segment.h"

namespace sightline {

struct LineCrossing {
  std::size_t line = 0;
  bool inwards = false;
};

class LineCounter {
 public:
  // A crossing that does not count yet, of one object.
  struct Begun {
    std::size_t line;
    int passages;  // to the right less those to the left, not 0
    Point start;   // where the object was before
  };

  // For a picture of width ÷ height = `aspect`.
  LineCounter(const std::vector<LineRule>& rules, float aspect, ClassFilters& filters);

  // An object moves. Updates what it has begun, and appends the crossings that count now, each line
  // at most once.
  void move(const Place& from, const Place& to, const AcceptedBy& accepted,
            std::vector<Begun>& begun, std::vector<LineCrossing>& crossings);

 private:
  struct Line {
    Segment segment;
    Point inwards;
    int in_side;  // +1: to the right is in
    Anchor anchor;
    std::size_t filter;
    bool extended;
    std::optional<float> min_cosine;
    float hysteresis;
  };

  static Line compile(const LineRule& rule, float aspect, ClassFilters& filters);
  void pass(std::size_t index, const Place& from, const Place& to, std::vector<Begun>& begun) const;
  bool is_decided(const Begun& crossing, const Place& to,
                  std::vector<LineCrossing>& crossings) const;
  bool is_along(const Line& line, Point movement, bool inwards) const;

  std::vector<Line> lines_;
  std::vector<std::size_t> extended_;  // which the grid cannot find
  Grid grid_;
  std::vector<std::uint32_t> near_;  // of one move
};

}  // namespace sightline
