// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/frame_parts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace sightline {

namespace {

constexpr const char* kProperty = "property";
constexpr int kMostTiles = 64;  // along one side
constexpr std::size_t kMostParts = 1024;

// "3x2", "320x240"
Size read_pair(const ConfigValue& value, int largest) {
  const std::string& text = value.text();
  Size size;
  const auto cross = text.find('x');
  const auto number = [&](std::string_view part, int& target) {
    const auto [end, error] = std::from_chars(part.begin(), part.end(), target);
    return error == std::errc() && end == part.end() && target > 0 && target <= largest;
  };
  if (cross == std::string::npos || !number(std::string_view(text).substr(0, cross), size.width) ||
      !number(std::string_view(text).substr(cross + 1), size.height))
    value.fail("expected two numbers from 1 to " + std::to_string(largest) + ", as in 3x2");
  return size;
}

std::vector<Rect> read_regions(const ConfigValue& value, bool relative) {
  const std::vector<float> numbers = value.as_floats();
  if (numbers.empty() || numbers.size() % 4 != 0)
    value.fail("expected left;top;width;height of each region, found " +
               std::to_string(numbers.size()) + " numbers");
  std::vector<Rect> regions;
  for (std::size_t i = 0; i < numbers.size(); i += 4) {
    const Rect region{numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]};
    if (region.empty() || region.x < 0 || region.y < 0)
      value.fail("expected regions with a width and a height above 0, and no negative corner");
    if (relative && (region.right() > 1.0001f || region.bottom() > 1.0001f))
      value.fail("with roi-units = relative a region ends at 1 at the latest");
    regions.push_back(region);
  }
  if (regions.size() > kMostParts)
    value.fail("expected at most " + std::to_string(kMostParts) + " regions");
  return regions;
}

// Where tiles of `length` begin so that they cover `whole` evenly and overlap by at least
// `overlap`.
std::vector<float> starts(float whole, float length, float overlap) {
  if (length >= whole) return {0};
  const int count =
      1 + static_cast<int>(std::ceil((whole - length) / (length * (1 - overlap)) - 1e-4f));
  std::vector<float> result;
  for (int i = 0; i < count; ++i)
    result.push_back((whole - length) * static_cast<float>(i) / static_cast<float>(count - 1));
  return result;
}

// One detection among those of all parts, in pixels of the frame.
struct Finding {
  Rect box;
  bool cut;  // off, at an edge of its part that is none of the frame
  std::size_t part, index;
  const Detection* detection;
  bool dropped = false;
};

// Boxes end a few pixels before the edge at which they are cut.
bool is_cut(const Rect& box, const Rect& part, Size frame) {
  const float margin_x = 0.02f * part.width, margin_y = 0.02f * part.height;
  const auto inner = [](float edge, float limit) { return std::abs(edge - limit) > 1; };
  return (inner(part.x, 0) && box.x < part.x + margin_x) ||
         (inner(part.y, 0) && box.y < part.y + margin_y) ||
         (inner(part.right(), static_cast<float>(frame.width)) &&
          box.right() > part.right() - margin_x) ||
         (inner(part.bottom(), static_cast<float>(frame.height)) &&
          box.bottom() > part.bottom() - margin_y);
}

bool is_better(const Finding& a, const Finding& b) {
  if (a.cut != b.cut) return b.cut;
  return a.detection->confidence > b.detection->confidence;
}

float overlap_of_smaller(const Rect& a, const Rect& b) {
  return intersection(a, b).area() / std::max(std::min(a.area(), b.area()), 1e-6f);
}

}  // namespace

FrameParts FrameParts::from_config(const ConfigFile& config) {
  FrameParts parts;
  const auto units = config.find(kProperty, "roi-units");
  if (units) parts.relative_ = units->as_one_of<bool>({{"pixels", false}, {"relative", true}});
  if (const auto value = config.find(kProperty, "roi"))
    parts.regions_ = read_regions(*value, parts.relative_);
  else if (units)
    units->fail("needs the key roi");
  const auto tiles = config.find(kProperty, "tiles"), size = config.find(kProperty, "tile-size");
  if (tiles && size) size->fail("contradicts the key tiles: remove one of the two");
  if (tiles) {
    const Size grid = read_pair(*tiles, kMostTiles);
    parts.columns_ = grid.width, parts.rows_ = grid.height;
  }
  if (size) parts.tile_ = read_pair(*size, 16384);
  for (const char* key :
       {"tile-overlap", "tile-whole", "tile-merge", "tile-threshold", "tile-largest"})
    if (const auto value = config.find(kProperty, key); value && !parts.is_tiled())
      if (std::string_view(key) != "tile-merge" || parts.regions_.size() < 2)
        value->fail("needs the key tiles or tile-size");
  if (const auto value = config.find(kProperty, "tile-overlap"))
    parts.overlap_ = value->as_float(0, 0.9f);
  if (const auto value = config.find(kProperty, "tile-whole")) parts.whole_ = value->as_bool();
  if (const auto value = config.find(kProperty, "tile-merge")) parts.merge_ = value->as_float(0, 1);
  if (const auto value = config.find(kProperty, "tile-threshold"))
    parts.tile_threshold_ = value->as_float(0, 1);
  if (const auto value = config.find(kProperty, "tile-largest"))
    parts.tile_largest_ = value->as_float(0, 1);
  return parts;
}

std::vector<Rect> FrameParts::regions_in(Size frame) const {
  const Rect whole{0, 0, static_cast<float>(frame.width), static_cast<float>(frame.height)};
  if (regions_.empty()) return {whole};
  std::vector<Rect> regions;
  for (Rect region : regions_) {
    if (relative_)
      region = {region.x * whole.width, region.y * whole.height, region.width * whole.width,
                region.height * whole.height};
    region = intersection(region, whole);
    if (!region.empty()) regions.push_back(region);
  }
  return regions;
}

std::vector<Rect> FrameParts::of(Size frame) const {
  std::vector<Rect> parts;
  for (const Rect& region : regions_in(frame)) {
    if (is_tiled()) add_tiles(region, parts);
    if (!is_tiled() || whole_) parts.push_back(region);
  }
  return parts;
}

// What a tile shows and is better looked for in the whole.
void FrameParts::drop_doubtful(std::vector<RegionResults>& found, Size frame) const {
  if (!is_tiled() || !whole_) return;
  const std::vector<Rect> regions = regions_in(frame);
  for (RegionResults& results : found) {
    if (!results.part || std::ranges::find(regions, *results.part) != regions.end()) continue;
    const float largest = tile_largest_ > 0 ? tile_largest_ * results.part->height : 1e9f;
    std::erase_if(results.results.detections, [&](const Detection& detection) {
      return detection.confidence < tile_threshold_ ||
             results.to_frame.bounds(detection.box).height > largest;
    });
  }
}

void FrameParts::add_tiles(const Rect& region, std::vector<Rect>& parts) const {
  float width = static_cast<float>(tile_.width), height = static_cast<float>(tile_.height);
  if (columns_ > 0) {  // so large that so many cover the region
    width = region.width / (1 + static_cast<float>(columns_ - 1) * (1 - overlap_));
    height = region.height / (1 + static_cast<float>(rows_ - 1) * (1 - overlap_));
  }
  width = std::min(width, region.width), height = std::min(height, region.height);
  const auto lefts = starts(region.width, width, overlap_),
             tops = starts(region.height, height, overlap_);
  if (lefts.size() == 1 && tops.size() == 1 && whole_) return;  // the whole, once
  if (parts.size() + lefts.size() * tops.size() > kMostParts)
    throw Error(ErrorCode::kInput,
                "tiles: " + std::to_string(lefts.size()) + " × " + std::to_string(tops.size()) +
                    " of them cover a region of " + std::to_string(std::lround(region.width)) +
                    " × " + std::to_string(std::lround(region.height)) + " pixels, expected " +
                    std::to_string(kMostParts) +
                    " parts of a frame at most. Take larger ones (tile-size), or fewer (tiles)");
  for (const float top : tops)
    for (const float left : lefts)
      parts.push_back({region.x + left, region.y + top, width, height});
}

void FrameParts::merge(std::vector<RegionResults>& found, Size frame) const {
  const Rect whole{0, 0, static_cast<float>(frame.width), static_cast<float>(frame.height)};
  drop_doubtful(found, frame);
  std::vector<Finding> findings;
  for (std::size_t part = 0; part < found.size(); ++part)
    for (std::size_t i = 0; i < found[part].results.detections.size(); ++i) {
      const Detection& detection = found[part].results.detections[i];
      const Rect box = found[part].to_frame.bounds(detection.box);
      findings.push_back(
          {box, is_cut(box, found[part].part.value_or(whole), frame), part, i, &detection});
    }
  std::stable_sort(findings.begin(), findings.end(), is_better);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].dropped) continue;
    for (std::size_t j = i + 1; j < findings.size(); ++j) {
      Finding& other = findings[j];
      if (other.part != findings[i].part &&
          other.detection->class_id == findings[i].detection->class_id &&
          overlap_of_smaller(findings[i].box, other.box) > merge_)
        other.dropped = true;
    }
  }
  std::vector<std::vector<Detection>> kept(found.size());
  for (const Finding& finding : findings)
    if (!finding.dropped)
      kept[finding.part].push_back(
          std::move(found[finding.part].results.detections[finding.index]));
  for (std::size_t part = 0; part < found.size(); ++part)
    found[part].results.detections = std::move(kept[part]);
}

}  // namespace sightline
