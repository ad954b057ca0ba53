// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/error.h"
#include "preprocess/region.h"

namespace sightline {

namespace {

// dlib's mean face, landmarks 17 to 67 of 68 (the chin is left out), in units of the face's box:
// the published constants of its get_face_chip_details().
constexpr int kFirstDlibLandmark = 17;
constexpr std::array<Point, 51> kDlibMeanFace = {
    {{0.000213256f, 0.106454f}, {0.0752622f, 0.038915f}, {0.18113f, 0.0187482f},
     {0.29077f, 0.0344891f},    {0.393397f, 0.0773906f}, {0.586856f, 0.0773906f},
     {0.689483f, 0.0344891f},   {0.799124f, 0.0187482f}, {0.904991f, 0.038915f},
     {0.98004f, 0.106454f},     {0.490127f, 0.203352f},  {0.490127f, 0.307009f},
     {0.490127f, 0.409805f},    {0.490127f, 0.515625f},  {0.36688f, 0.587326f},
     {0.426036f, 0.609345f},    {0.490127f, 0.628106f},  {0.554217f, 0.609345f},
     {0.613373f, 0.587326f},    {0.121737f, 0.216423f},  {0.187122f, 0.178758f},
     {0.265825f, 0.179852f},    {0.334606f, 0.231733f},  {0.260918f, 0.245099f},
     {0.182743f, 0.244077f},    {0.645647f, 0.231733f},  {0.714428f, 0.179852f},
     {0.793132f, 0.178758f},    {0.858516f, 0.216423f},  {0.79751f, 0.244077f},
     {0.719335f, 0.245099f},    {0.254149f, 0.780233f},  {0.340985f, 0.745405f},
     {0.428858f, 0.727388f},    {0.490127f, 0.742578f},  {0.551395f, 0.727388f},
     {0.639268f, 0.745405f},    {0.726104f, 0.780233f},  {0.642159f, 0.864805f},
     {0.556721f, 0.902192f},    {0.490127f, 0.909281f},  {0.423532f, 0.902192f},
     {0.338094f, 0.864805f},    {0.290379f, 0.784792f},  {0.428096f, 0.778746f},
     {0.490127f, 0.785343f},    {0.552157f, 0.778746f},  {0.689874f, 0.784792f},
     {0.553364f, 0.824182f},    {0.490127f, 0.831803f},  {0.42689f, 0.824182f}}};
constexpr int kDlibChip = 150;
constexpr float kDlibPadding = 0.25f;  // of the face's box, on each side

// ArcFace's five points in a crop of 112 × 112: eyes, nose tip, mouth corners, the left of the
// picture first.
constexpr std::array<Point, 5> kArcFace = {{{38.2946f, 51.6963f},
                                            {73.5318f, 51.5014f},
                                            {56.0252f, 71.7366f},
                                            {41.5493f, 92.3655f},
                                            {70.7299f, 92.2041f}}};
constexpr int kArcFaceCrop = 112;

// Templates are published with pixel centres at whole numbers, ours are at one half.
constexpr float kPixelCentre = 0.5f;

std::vector<int> indices(int first, int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}

AlignmentTemplate dlib_150() {
  AlignmentTemplate result{"dlib-150", {kDlibChip, kDlibChip}, {}, 68, indices(17, 51)};
  for (const Point p : kDlibMeanFace)
    result.points.push_back(
        {(kDlibPadding + p.x) / (2 * kDlibPadding + 1) * kDlibChip + kPixelCentre,
         (kDlibPadding + p.y) / (2 * kDlibPadding + 1) * kDlibChip + kPixelCentre});
  return result;
}

AlignmentTemplate five_points(std::string name, Size size, std::span<const Point> published) {
  AlignmentTemplate result{std::move(name), size, {}, 5, indices(0, 5)};
  for (const Point p : published) result.points.push_back({p.x + kPixelCentre, p.y + kPixelCentre});
  return result;
}

std::optional<float> parse_number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

// "x,y;x,y;…", or nothing if `text` is not that.
std::optional<std::vector<Point>> parse_points(std::string_view text) {
  std::vector<Point> points;
  while (!text.empty()) {
    const auto end = text.find(';');
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto comma = pair.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    const auto x = parse_number(pair.substr(0, comma)), y = parse_number(pair.substr(comma + 1));
    if (!x || !y) return std::nullopt;
    points.push_back({*x, *y});
  }
  return points;
}

// What sets of landmarks have in common. Left and right are those of the picture.
enum Feature { kLeftEye, kRightEye, kNoseTip, kLeftMouth, kRightMouth, kMouthCentre, kFeatures };
using Features = std::array<std::optional<Point>, kFeatures>;

Point mean_of(std::span<const Point> points) {
  Point mean;
  for (const Point p : points) {
    mean.x += p.x / static_cast<float>(points.size());
    mean.y += p.y / static_cast<float>(points.size());
  }
  return mean;
}

Features features_of(std::span<const Point> marks) {
  const auto mouth = [](Point left, Point right) {
    return mean_of(std::array<Point, 2>{left, right});
  };
  if (marks.size() == 5)
    return {marks[0], marks[1], marks[2], marks[3], marks[4], mouth(marks[3], marks[4])};
  if (marks.size() == 6)  // BlazeFace: eyes, nose, the mouth's centre, ears
    return {marks[0], marks[1], marks[2], std::nullopt, std::nullopt, marks[3]};
  if (marks.size() == 68)
    return {mean_of(marks.subspan(36, 6)),
            mean_of(marks.subspan(42, 6)),
            marks[30],
            marks[48],
            marks[54],
            mouth(marks[48], marks[54])};
  throw Error(ErrorCode::kInput, "a face with " + std::to_string(marks.size()) +
                                     " landmarks cannot be aligned, expected 5, 6 or 68");
}

}  // namespace

AlignmentTemplate AlignmentTemplate::parse(const std::string& text, Size tensor) {
  if (text == "dlib-150") return dlib_150();
  if (text == "arcface-112")
    return five_points("arcface-112", {kArcFaceCrop, kArcFaceCrop}, kArcFace);
  const auto points = parse_points(text);
  if (!points || points->size() != 5)
    throw Error(ErrorCode::kConfig,
                "alignment = " + text +
                    ": no such template. Known: dlib-150, arcface-112, or five points "
                    "\"x,y;x,y;x,y;x,y;x,y\" (eyes, nose tip, mouth corners)");
  return five_points(text, tensor, *points);
}

Region AlignmentTemplate::region(std::span<const Point> landmarks, Size tensor) const {
  const float scale_x = static_cast<float>(tensor.width) / static_cast<float>(size.width);
  const float scale_y = static_cast<float>(tensor.height) / static_cast<float>(size.height);
  std::vector<Point> from, to;
  const auto add = [&](Point landmark, Point target) {
    from.push_back(landmark);
    to.push_back({target.x * scale_x, target.y * scale_y});
  };

  if (landmarks.size() == static_cast<std::size_t>(landmark_count)) {
    for (std::size_t i = 0; i < points.size(); ++i)
      add(landmarks[static_cast<std::size_t>(landmark_indices.at(i))], points[i]);
    return Region::aligned(from, to);
  }

  std::vector<Point> own(static_cast<std::size_t>(landmark_count));
  for (std::size_t i = 0; i < points.size(); ++i)
    own.at(static_cast<std::size_t>(landmark_indices.at(i))) = points[i];
  const Features face = features_of(landmarks), target = features_of(own);
  const bool both_have_corners = face[kLeftMouth] && target[kLeftMouth];
  for (int f = 0; f < kFeatures; ++f) {
    if (f == kMouthCentre && both_have_corners) continue;
    if (face[f] && target[f]) add(*face[f], *target[f]);
  }
  return Region::aligned(from, to);
}

}  // namespace sightline
