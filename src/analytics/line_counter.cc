// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/line_counter.h"

#include <algorithm>

namespace sightline {
namespace {

std::vector<Extent> extents_of(const std::vector<LineRule>& rules, float aspect) {
  std::vector<Extent> extents;
  for (const LineRule& rule : rules) {
    const Point ends[] = {from_share(rule.from, aspect), from_share(rule.to, aspect)};
    extents.push_back(extent_of(ends));
  }
  return extents;
}

}  // namespace

LineCounter::LineCounter(const std::vector<LineRule>& rules, float aspect, ClassFilters& filters)
    : grid_(extents_of(rules, aspect), {0, 0, aspect, 1}) {
  for (const LineRule& rule : rules) {
    if (rule.extended) extended_.push_back(lines_.size());
    lines_.push_back(compile(rule, aspect, filters));
  }
}

LineCounter::Line LineCounter::compile(const LineRule& rule, float aspect, ClassFilters& filters) {
  const Segment segment{from_share(rule.from, aspect), from_share(rule.to, aspect)};
  const Point to_right{segment.from.y - segment.to.y, segment.to.x - segment.from.x};
  const Point inwards = rule.inwards ? from_share(*rule.inwards, aspect) : to_right;
  const double turn = double{to_right.x} * inwards.x + double{to_right.y} * inwards.y;
  return {segment,
          inwards,
          turn > 0 ? 1 : -1,
          rule.subjects.anchor,
          filters.add(rule.subjects.filter),
          rule.extended,
          rule.min_cosine,
          rule.hysteresis};
}

void LineCounter::move(const Place& from, const Place& to, const AcceptedBy& accepted,
                       std::vector<Begun>& begun, std::vector<LineCrossing>& crossings) {
  const auto look_at = [&](std::size_t index) {
    if (accepted[lines_[index].filter]) pass(index, from, to, begun);
  };
  for (const Anchor anchor : {Anchor::kBottomCenter, Anchor::kCenter}) {
    grid_.near(from.at(anchor), to.at(anchor), near_);
    for (const std::uint32_t index : near_)
      if (lines_[index].anchor == anchor && !lines_[index].extended) look_at(index);
  }
  for (const std::size_t index : extended_) look_at(index);
  std::erase_if(begun, [&](const Begun& crossing) { return is_decided(crossing, to, crossings); });
}

void LineCounter::pass(std::size_t index, const Place& from, const Place& to,
                       std::vector<Begun>& begun) const {
  const Line& line = lines_[index];
  const Point start = from.at(line.anchor), end = to.at(line.anchor);
  const int passage =
      line.extended ? side_change(line.segment, start, end) : crossing(line.segment, start, end);
  if (passage == 0) return;
  const auto known = std::find_if(begun.begin(), begun.end(),
                                  [&](const Begun& other) { return other.line == index; });
  if (known == begun.end()) {
    begun.push_back({index, passage, start});
    return;
  }
  known->passages += passage;
  if (known->passages == 0) begun.erase(known);
}

// Whether the object is clear of the line. If it is where it passed to, that counts; if it went
// back around the line's end, nothing has happened.
bool LineCounter::is_decided(const Begun& crossing, const Place& to,
                             std::vector<LineCrossing>& crossings) const {
  const Line& line = lines_[crossing.line];
  const Point end = to.at(line.anchor);
  const double side = signed_distance(line.segment, end);
  if (std::abs(side) <= line.hysteresis) return false;
  const bool inwards = crossing.passages * line.in_side > 0;
  const Point movement{end.x - crossing.start.x, end.y - crossing.start.y};
  if ((side > 0) == (crossing.passages > 0) && is_along(line, movement, inwards))
    crossings.push_back({crossing.line, inwards});
  return true;
}

bool LineCounter::is_along(const Line& line, Point movement, bool inwards) const {
  if (!line.min_cosine) return true;
  const double along = cosine(movement, line.inwards);
  return (inwards ? along : -along) >= *line.min_cosine;
}

}  // namespace sightline
