// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/crop_quality.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace sightline {

namespace {

constexpr const char* kKey = "sightline-quality";
constexpr float kNominalCrop = 150;       // crops of all sizes are judged by one scale
constexpr double kLargestMeasured = 168;  // pixels: enough to tell, and little work

// Views at a limit of the rule still count this much.
constexpr float kLeastWeight = 0.1f;

// Squared grey levels: below, a crop has nothing that could be sharp.
constexpr double kLeastVariance = 1;

// Where more is no better for an embedding.
constexpr float kBrightEnough = 110;
constexpr float kSharpEnough = 0.3f;

// 1 at `good`, falling to kLeastWeight at `limit`, straight in between; `good` may be on either
// side.
float share(float value, float good, float limit) {
  if (good == limit) return 1;
  const float t = std::clamp((value - limit) / (good - limit), 0.0f, 1.0f);
  return kLeastWeight + (1 - kLeastWeight) * t;
}

bool keeps_pixel_values(const TensorSpec& spec) {
  return spec.type == ElementType::kFloat32 && spec.normalization == Normalization::kFixed &&
         spec.mean_image.empty() && spec.scale != 0;
}

}  // namespace

bool QualityRule::accepts(const CropQuality& quality) const {
  return (max_residual <= 0 || quality.residual <= max_residual) &&
         (max_magnification <= 0 || quality.magnification <= max_magnification) &&
         quality.brightness >= min_brightness &&
         (!quality.sharpness || *quality.sharpness >= min_sharpness);
}

float QualityRule::weight(const CropQuality& quality) const {
  if (!accepts(quality)) return 0;
  float weight = 1;
  if (max_residual > 0) weight *= share(quality.residual, 0, max_residual);
  if (max_magnification > 1) weight *= share(quality.magnification, 1, max_magnification);
  if (min_brightness < kBrightEnough)
    weight *= share(quality.brightness, kBrightEnough, min_brightness);
  if (quality.sharpness && min_sharpness < kSharpEnough)
    weight *= share(*quality.sharpness, kSharpEnough, min_sharpness);
  return std::max(weight, kLeastWeight);
}

std::optional<CropQuality> alignment_quality(const AlignmentTemplate& target,
                                             std::span<const Point> landmarks, const Region& region,
                                             Size tensor) {
  if (static_cast<int>(landmarks.size()) != target.landmark_count) return std::nullopt;
  const Affine2 to_tensor = region.to_frame.inverse();
  const double sx = static_cast<double>(tensor.width) / target.size.width;
  const double sy = static_cast<double>(tensor.height) / target.size.height;
  double squares = 0;
  for (std::size_t i = 0; i < target.points.size(); ++i) {
    const Point found = to_tensor(landmarks[static_cast<std::size_t>(target.landmark_indices[i])]);
    squares += std::pow(found.x - sx * target.points[i].x, 2) +
               std::pow(found.y - sy * target.points[i].y, 2);
  }
  const double nominal = kNominalCrop / tensor.width;
  return CropQuality{
      static_cast<float>(nominal * std::sqrt(squares / static_cast<double>(target.points.size()))),
      static_cast<float>(nominal * std::sqrt(std::abs(to_tensor.determinant()))), 0};
}

std::optional<float> brightness(const TensorSpec& spec, std::span<const std::byte> tensor) {
  if (!keeps_pixel_values(spec)) return std::nullopt;
  const auto* values = reinterpret_cast<const float*>(tensor.data());
  const int channels = spec.channel_count(), width = spec.size.width, height = spec.size.height;
  const bool planar = spec.layout == Layout::kNchw;
  std::array<double, 3> sums{};
  for (int c = 0; c < channels; ++c)
    for (int y = height / 6; y < height * 5 / 6; ++y)
      for (int x = width / 6; x < width * 5 / 6; ++x)
        sums[static_cast<std::size_t>(c)] +=
            values[planar ? (c * height + y) * width + x : (y * width + x) * channels + c];
  return brightness(spec, sums);
}

std::optional<float> brightness(const TensorSpec& spec, std::span<const double, 3> sums) {
  if (!keeps_pixel_values(spec)) return std::nullopt;
  const int width = spec.size.width, height = spec.size.height;
  const double count =
      static_cast<double>(height * 5 / 6 - height / 6) * (width * 5 / 6 - width / 6);
  double total = 0;
  const auto channels = static_cast<std::size_t>(spec.channel_count());
  for (std::size_t c = 0; c < channels; ++c)
    total += sums[c] / count * spec.deviation[c] / spec.scale + spec.mean[c];
  return static_cast<float>(total / static_cast<double>(channels));
}

std::optional<DetailCrop> DetailCrop::of(Size tensor) {
  const double reduction =
      std::max(1.0, static_cast<double>(std::max(tensor.width, tensor.height)) / kLargestMeasured);
  const Size size{static_cast<int>(tensor.width / reduction),
                  static_cast<int>(tensor.height / reduction)};
  const Size inner{size.width * 2 / 3, size.height * 2 / 3};
  if (inner.width < 2 || inner.height < 2) return std::nullopt;
  DetailCrop crop;
  crop.whole = size;
  crop.in_tensor =
      Affine2::scaling(static_cast<double>(tensor.width) / size.width,
                       static_cast<double>(tensor.height) / size.height) *
      Affine2::translation((size.width - inner.width) / 2.0, (size.height - inner.height) / 2.0);
  crop.spec.size = inner;
  crop.spec.channels = Channels::kGray;
  crop.spec.filter = Filter::kArea;
  return crop;
}

std::optional<float> sharpness(const DetailCrop& crop, double sum, double squares,
                               double gradient) {
  const Size size = crop.spec.size;
  const double count = static_cast<double>(size.width - 1) * (size.height - 1);
  const double variance = squares / count - sum / count * (sum / count);
  if (variance < kLeastVariance) return std::nullopt;
  const auto frequency = static_cast<float>(std::sqrt(gradient / count / variance));
  return frequency * static_cast<float>(crop.whole.width) / kNominalCrop;
}

std::optional<float> sharpness(const FrameView& frame, const Region& region, Size tensor) {
  const auto crop = DetailCrop::of(tensor);
  if (!crop) return std::nullopt;
  const auto width = static_cast<std::size_t>(crop->spec.size.width),
             height = static_cast<std::size_t>(crop->spec.size.height);
  std::vector<float> pixels(width * height);
  const Region part = crop->region(region);
  preprocess(frame, {&part, 1}, crop->spec, std::as_writable_bytes(std::span(pixels)));

  double sum = 0, squares = 0, gradient = 0;
  for (std::size_t y = 0; y + 1 < height; ++y) {
    const float* row = pixels.data() + y * width;
    const float* below = row + width;
    float row_sum = 0, row_squares = 0, row_gradient = 0;
    for (std::size_t x = 0; x + 1 < width; ++x) {
      const float dx = row[x + 1] - row[x], dy = below[x] - row[x];
      row_sum += row[x];
      row_squares += row[x] * row[x];
      row_gradient += dx * dx + dy * dy;
    }
    sum += row_sum, squares += row_squares, gradient += row_gradient;
  }
  return sharpness(*crop, sum, squares, gradient);
}

void set_quality(SightObject* object, const CropQuality& quality) {
  GstStructure* fields = gst_structure_new(
      kKey, "residual", G_TYPE_DOUBLE, static_cast<double>(quality.residual), "magnification",
      G_TYPE_DOUBLE, static_cast<double>(quality.magnification), "brightness", G_TYPE_DOUBLE,
      static_cast<double>(quality.brightness), nullptr);
  if (quality.sharpness)
    gst_structure_set(fields, "sharpness", G_TYPE_DOUBLE, static_cast<double>(*quality.sharpness),
                      nullptr);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, fields);
  sight_object_set_user_data(object, kKey, &value, nullptr);
  g_value_unset(&value);
}

std::optional<CropQuality> find_quality(const SightObject* object) {
  const GValue* value = sight_object_get_user_data(object, kKey);
  if (value == nullptr || !GST_VALUE_HOLDS_STRUCTURE(value)) return std::nullopt;
  const GstStructure* fields = gst_value_get_structure(value);
  double residual = 0, magnification = 0, bright = 0, sharp = 0;
  if (!gst_structure_get(fields, "residual", G_TYPE_DOUBLE, &residual, "magnification",
                         G_TYPE_DOUBLE, &magnification, "brightness", G_TYPE_DOUBLE, &bright,
                         nullptr))
    return std::nullopt;
  CropQuality quality{static_cast<float>(residual), static_cast<float>(magnification),
                      static_cast<float>(bright)};
  if (gst_structure_get_double(fields, "sharpness", &sharp))
    quality.sharpness = static_cast<float>(sharp);
  return quality;
}

}  // namespace sightline
