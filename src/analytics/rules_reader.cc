// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A configuration file becomes rules.

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <span>
#include <utility>

#include "analytics/rules.h"
#include "analytics/segment.h"

namespace sightline {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int kMaxSide = 1 << 20;        // pixels of a picture
constexpr int kMaxTime = 1'000'000'000;  // milliseconds, eleven days
constexpr float kDefaultHysteresis = 0.01f;
constexpr float kFarthest = 1;             // pictures beyond the edges
constexpr float kLongest = 10;             // heights of the picture
constexpr std::size_t kMaxCorners = 4096;  // of a polygon; as many as the overlay draws

// How closely a movement must follow a direction, as the cosine of the angle between them.
constexpr float kLoose = 0.1f;
constexpr float kBalanced = 0.5f;
constexpr float kStrict = 0.8f;

// The rules of one kind that a group `kind` (all streams) or `kind-stream-NAME` has.
class Group {
 public:
  Group(const ConfigFile& file, std::string name, Size picture)
      : file_(file), name_(std::move(name)), picture_(picture) {}

  // The names of the keys that begin with `prefix`, which is removed.
  std::vector<std::string> names(std::string_view prefix) const;

  // `key` as it holds for one rule: `key-NAME` if it is there, else `key`.
  std::optional<ConfigValue> find(std::string_view key, const std::string& rule) const;
  ConfigValue get(std::string_view key) const { return file_.get(name_, key); }

  bool enabled() const;
  Subjects subjects(const std::string& rule) const;
  float hysteresis(const std::string& rule) const;

  std::vector<Point> points(const ConfigValue& value) const;

 private:
  const ConfigFile& file_;
  std::string name_;
  Size picture_;  // that pixels refer to; 0 × 0: coordinates are shares
};

// Pixels of `picture` (a side of it) as a share, or what is a share already.
float share(float value, int side) { return side > 0 ? value / static_cast<float>(side) : value; }

float read_length(const ConfigValue& value, Size picture) {
  const float largest =
      picture.height > 0 ? kLongest * static_cast<float>(picture.height) : kLongest;
  return share(value.as_float(0, largest), picture.height);
}

std::vector<std::string> Group::names(std::string_view prefix) const {
  std::vector<std::string> names;
  for (const std::string& key : file_.keys(name_)) {
    if (!key.starts_with(prefix)) continue;
    names.push_back(key.substr(prefix.size()));
    if (names.back().empty()) file_.get(name_, key).fail("expected a name after " + key);
  }
  return names;
}

std::optional<ConfigValue> Group::find(std::string_view key, const std::string& rule) const {
  auto own = file_.find(name_, std::string(key) + "-" + rule);
  auto general = file_.find(name_, key);
  return own ? std::move(own) : std::move(general);
}

bool Group::enabled() const {
  const auto value = file_.find(name_, "enable");
  return !value || value->as_bool();
}

Subjects Group::subjects(const std::string& rule) const {
  Subjects subjects;
  if (const auto value = find("class-id", rule)) {
    subjects.filter.class_ids = value->as_ints();
    if (subjects.filter.class_ids.empty()) value->fail("expected class numbers, or -1 for all");
    if (subjects.filter.class_ids == std::vector{-1}) subjects.filter.class_ids.clear();
  }
  if (const auto value = find("class-label", rule)) {
    subjects.filter.labels = value->as_strings();
    if (subjects.filter.labels.empty()) value->fail("expected labels separated by ';'");
  }
  if (const auto value = find("anchor", rule))
    subjects.anchor = value->as_one_of<Anchor>(
        {{"bottom-center", Anchor::kBottomCenter}, {"center", Anchor::kCenter}});
  return subjects;
}

float Group::hysteresis(const std::string& rule) const {
  const auto value = find("hysteresis", rule);
  return value ? read_length(*value, picture_) : kDefaultHysteresis;
}

std::vector<Point> Group::points(const ConfigValue& value) const {
  const std::vector<float> numbers = value.as_floats();
  if (numbers.size() % 2 != 0)
    value.fail("expected x and y of each point, found " + std::to_string(numbers.size()) +
               " numbers");
  std::vector<Point> points;
  for (std::size_t i = 0; i < numbers.size(); i += 2)
    points.push_back({share(numbers[i], picture_.width), share(numbers[i + 1], picture_.height)});
  const auto is_near = [](float x) { return x >= -kFarthest && x <= 1 + kFarthest; };
  for (const Point p : points)
    if (!is_near(p.x) || !is_near(p.y))
      value.fail(picture_.width > 0
                     ? "a point is farther from the picture of config-width × config-height than "
                       "its own size"
                     : "expected shares of the picture, 0 to 1. For pixels, set config-width and "
                       "config-height in [property]");
  return points;
}

Point vector_between(const ConfigValue& value, Point from, Point to) {
  const Point vector{to.x - from.x, to.y - from.y};
  if (vector == Point{}) value.fail("the two points of the direction are the same");
  return vector;
}

LineRule read_line(const Group& group, const ConfigValue& value, const std::string& name) {
  LineRule line{.name = name, .where = value.where(), .subjects = group.subjects(name)};
  const std::vector<Point> points = group.points(value);
  if (points.size() != 2 && points.size() != 4)
    value.fail(
        "expected the two ends of the line, 4 numbers; or before them two points that show the "
        "direction, 8 numbers. Found " +
        std::to_string(2 * points.size()));
  line.from = points[points.size() - 2];
  line.to = points[points.size() - 1];
  if (line.from == line.to) value.fail("the two ends of the line are the same");
  if (points.size() == 4) {
    line.inwards = vector_between(value, points[0], points[1]);
    const Point tip{line.from.x + line.inwards->x, line.from.y + line.inwards->y};
    if (std::abs(signed_distance({line.from, line.to}, tip)) <
        1e-4 * std::hypot(line.inwards->x, line.inwards->y))
      value.fail("the direction runs along the line; expected one that leads across it");
  }
  if (const auto extended = group.find("extended", name)) line.extended = extended->as_bool();
  if (const auto mode = group.find("mode", name))
    line.min_cosine = mode->as_one_of<std::optional<float>>(
        {{"any", std::nullopt}, {"loose", kLoose}, {"balanced", kBalanced}, {"strict", kStrict}});
  line.hysteresis = group.hysteresis(name);
  return line;
}

bool all_on_one_line(std::span<const Point> points) {
  const auto from_first = [&](Point p) { return distance({points[0], points[0]}, p); };
  const Point farthest = *std::max_element(points.begin(), points.end(), [&](Point p, Point q) {
    return from_first(p) < from_first(q);
  });
  return std::all_of(points.begin(), points.end(),
                     [&](Point p) { return std::abs(orientation(points[0], farthest, p)) < 1e-9; });
}

ZoneRule read_zone(const Group& group, const ConfigValue& value, const std::string& name) {
  ZoneRule zone{.name = name, .where = value.where(), .subjects = group.subjects(name)};
  zone.corners = group.points(value);
  if (zone.corners.size() < 3 || zone.corners.size() > kMaxCorners)
    value.fail("expected the 3 to " + std::to_string(kMaxCorners) +
               " corners of a polygon, x;y;x;y;…, found " + std::to_string(zone.corners.size()));
  if (all_on_one_line(zone.corners))
    value.fail("all corners lie on one line, so the zone has no area");
  if (const auto inverse = group.find("inverse-roi", name)) zone.inverse = inverse->as_bool();
  if (const auto threshold = group.find("object-threshold", name))
    zone.object_threshold = threshold->as_int(0, kMaxTime);
  if (const auto time = group.find("time-threshold", name)) {
    if (!zone.object_threshold) time->fail("needs object-threshold");
    zone.time_threshold = milliseconds(time->as_int(0, kMaxTime));
  }
  zone.hysteresis = group.hysteresis(name);
  return zone;
}

ZoneRule read_crowd(const Group& group, const ConfigValue& value, const std::string& name) {
  if (!group.find("object-threshold", name)) static_cast<void>(group.get("object-threshold"));
  return read_zone(group, value, name);
}

DirectionRule read_direction(const Group& group, const ConfigValue& value,
                             const std::string& name) {
  DirectionRule direction{.name = name, .where = value.where(), .subjects = group.subjects(name)};
  const std::vector<Point> points = group.points(value);
  if (points.size() != 2)
    value.fail("expected two points that show the direction, 4 numbers, found " +
               std::to_string(2 * points.size()));
  direction.from = points[0];
  direction.vector = vector_between(value, points[0], points[1]);
  const auto mode = group.find("mode", name);
  direction.min_cosine =
      mode ? mode->as_one_of<float>(
                 {{"loose", kLoose}, {"balanced", kBalanced}, {"strict", kStrict}})
           : kBalanced;
  return direction;
}

// Reads the groups `kind` and `kind-stream-NAME`, each rule from a key that begins with `prefix`.
template <typename Rule>
RulesByStream<Rule> read_kind(const ConfigFile& file, Size picture, const std::string& kind,
                              std::string_view prefix,
                              Rule (*read)(const Group&, const ConfigValue&, const std::string&)) {
  RulesByStream<Rule> result;
  const std::string of_stream = kind + "-stream-";
  for (const std::string& name : file.groups()) {
    const bool general = name == kind;
    if (!general && !name.starts_with(of_stream)) continue;
    const Group group(file, name, picture);
    std::vector<Rule> rules;
    for (const std::string& rule : group.names(prefix))
      rules.push_back(read(group, group.get(std::string(prefix) + rule), rule));
    if (!group.enabled()) rules.clear();
    (general ? result.general : result.own[name.substr(of_stream.size())]) = std::move(rules);
  }
  return result;
}

Size read_picture(const ConfigFile& file) {
  const auto width = file.find("property", "config-width");
  const auto height = file.find("property", "config-height");
  if (!width && !height) return {};
  if (!width) height->fail("needs config-width");
  if (!height) width->fail("needs config-height");
  return {width->as_int(1, kMaxSide), height->as_int(1, kMaxSide)};
}

void read_time(const ConfigFile& file, const char* key, nanoseconds& time) {
  if (const auto value = file.find("property", key))
    time = milliseconds(value->as_int(1, kMaxTime));
}

template <typename Rule>
void collect_streams(const RulesByStream<Rule>& rules, std::set<std::string>& streams) {
  for (const auto& [stream, own] : rules.own) streams.insert(stream);
}

// A zone of [overcrowding] may have the name of one of [roi-filtering].
void require_unique_zones(const Rules& rules) {
  std::set<std::string> streams{""};
  collect_streams(rules.zones, streams);
  collect_streams(rules.crowds, streams);
  for (const std::string& stream : streams)
    for (const ZoneRule& zone : rules.zones.of(stream))
      for (const ZoneRule& crowd : rules.crowds.of(stream))
        if (zone.name == crowd.name)
          throw Error(ErrorCode::kConfig, crowd.where + ": roi-" + crowd.name +
                                              ": there is such a zone already, " + zone.where +
                                              ". Give it another name, or put object-threshold-" +
                                              zone.name + " there");
}

}  // namespace

Rules Rules::read(const ConfigFile& file) {
  const Size picture = read_picture(file);
  Rules rules;
  rules.lines = read_kind(file, picture, "line-crossing", "line-crossing-", read_line);
  rules.zones = read_kind(file, picture, "roi-filtering", "roi-", read_zone);
  rules.crowds = read_kind(file, picture, "overcrowding", "roi-", read_crowd);
  rules.directions = read_kind(file, picture, "direction-detection", "direction-", read_direction);
  if (const auto value = file.find("property", "motion-distance"))
    rules.motion_distance = read_length(*value, picture);
  read_time(file, "motion-window", rules.motion_window);
  read_time(file, "track-timeout", rules.track_timeout);
  read_time(file, "stream-timeout", rules.stream_timeout);
  require_unique_zones(rules);
  const auto enable = file.find("property", "enable");
  if (enable && !enable->as_bool())
    rules.lines = {}, rules.zones = {}, rules.crowds = {}, rules.directions = {};
  file.reject_unknown();
  return rules;
}

}  // namespace sightline
