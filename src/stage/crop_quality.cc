// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/crop_quality.h"

#include <cmath>

#include "core/error.h"

namespace sightline {

namespace {

constexpr const char* kKey = "sightline-quality";
constexpr float kNominalCrop = 150;  // crops of all sizes are judged by one scale

}  // namespace

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
  if (spec.type != ElementType::kFloat32 || spec.normalization != Normalization::kFixed ||
      !spec.mean_image.empty() || spec.scale == 0)
    return std::nullopt;
  const auto* values = reinterpret_cast<const float*>(tensor.data());
  const int channels = spec.channel_count(), width = spec.size.width, height = spec.size.height;
  const bool planar = spec.layout == Layout::kNchw;
  double total = 0;
  for (int c = 0; c < channels; ++c) {
    double sum = 0;
    for (int y = height / 6; y < height * 5 / 6; ++y)
      for (int x = width / 6; x < width * 5 / 6; ++x)
        sum += values[planar ? (c * height + y) * width + x : (y * width + x) * channels + c];
    const double count =
        static_cast<double>(height * 5 / 6 - height / 6) * (width * 5 / 6 - width / 6);
    const auto channel = static_cast<std::size_t>(c);
    total += sum / count * spec.deviation[channel] / spec.scale + spec.mean[channel];
  }
  return static_cast<float>(total / channels);
}

void set_quality(SightObject* object, const CropQuality& quality) {
  GstStructure* fields = gst_structure_new(
      kKey, "residual", G_TYPE_DOUBLE, static_cast<double>(quality.residual), "magnification",
      G_TYPE_DOUBLE, static_cast<double>(quality.magnification), "brightness", G_TYPE_DOUBLE,
      static_cast<double>(quality.brightness), nullptr);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, fields);
  sight_object_set_user_data(object, kKey, &value, nullptr);
  g_value_unset(&value);
}

std::optional<CropQuality> find_quality(const SightObject* object) {
  const GValue* value = sight_object_get_user_data(object, kKey);
  if (value == nullptr || !GST_VALUE_HOLDS_STRUCTURE(value)) return std::nullopt;
  double residual = 0, magnification = 0, bright = 0;
  if (!gst_structure_get(gst_value_get_structure(value), "residual", G_TYPE_DOUBLE, &residual,
                         "magnification", G_TYPE_DOUBLE, &magnification, "brightness",
                         G_TYPE_DOUBLE, &bright, nullptr))
    return std::nullopt;
  return CropQuality{static_cast<float>(residual), static_cast<float>(magnification),
                     static_cast<float>(bright)};
}

}  // namespace sightline
