// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/crop_quality.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
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

Size inner_size(Size crop) { return {crop.width * 2 / 3, crop.height * 2 / 3}; }

// Of elements to pixel values.
float gain(const TensorSpec& spec, std::size_t channel) {
  return spec.deviation[channel] / spec.scale;
}

// The elements of such a tensor.
class ChannelView {
 public:
  ChannelView(const TensorSpec& spec, std::span<const std::byte> tensor)
      : spec_(spec),
        values_(reinterpret_cast<const float*>(tensor.data())),
        planar_(spec.layout == Layout::kNchw) {}

  std::size_t count() const { return static_cast<std::size_t>(spec_.channel_count()); }
  int step() const { return planar_ ? 1 : spec_.channel_count(); }
  const float* row(std::size_t channel, int y) const {
    const int rows_above = planar_ ? static_cast<int>(channel) * spec_.size.height + y : y;
    return values_ + rows_above * spec_.size.width * step() + (planar_ ? 0 : channel);
  }
  float luma_weight(std::size_t channel) const {
    static constexpr float kRgb[] = {0.299f, 0.587f, 0.114f};
    if (spec_.channels == Channels::kGray) return gain(spec_, channel);
    return gain(spec_, channel) * kRgb[spec_.channels == Channels::kRgb ? channel : 2 - channel];
  }

 private:
  const TensorSpec& spec_;
  const float* values_;
  bool planar_;
};

double sum(const ChannelView& view, std::size_t channel, const InnerPart& part) {
  constexpr int kSums = 8;  // side by side: an addition need not wait for the one before
  float sums[kSums] = {};
  for (int y = part.rows.begin; y < part.rows.end; ++y) {
    const float* row = view.row(channel, y);
    int x = part.columns.begin;
    for (; x + kSums <= part.columns.end; x += kSums)
      for (int i = 0; i < kSums; ++i) sums[i] += row[(x + i) * view.step()];
    for (; x < part.columns.end; ++x) sums[0] += row[x * view.step()];
  }
  return std::accumulate(sums, sums + kSums, 0.0);
}

std::optional<float> sharpness_of(std::span<const float> pixels, const DetailCrop& crop) {
  const Size size = crop.spec.size;
  const auto width = static_cast<std::size_t>(size.width);
  double sum = 0, squares = 0, gradient = 0;
  for (int y = 0; y + 1 < size.height; ++y) {
    const float* row = pixels.data() + static_cast<std::size_t>(y) * width;
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
  return sharpness(crop, sum, squares, gradient);
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

InnerPart InnerPart::of(Size tensor) {
  return {{tensor.width / 6, tensor.width * 5 / 6}, {tensor.height / 6, tensor.height * 5 / 6}};
}

std::optional<float> brightness(const TensorSpec& spec, std::span<const std::byte> tensor) {
  if (!keeps_pixel_values(spec)) return std::nullopt;
  const InnerPart part = InnerPart::of(spec.size);
  const ChannelView view(spec, tensor);
  std::array<double, 3> sums{};
  for (std::size_t c = 0; c < view.count(); ++c) sums[c] = sum(view, c, part);
  return brightness(spec, sums);
}

std::optional<float> sharpness(const TensorSpec& spec, std::span<const std::byte> tensor) {
  if (!keeps_pixel_values(spec) || spec.filter != Filter::kArea ||
      std::max(spec.size.width, spec.size.height) > kLargestMeasured)
    return std::nullopt;
  const auto crop = DetailCrop::of(spec.size);
  if (!crop) return std::nullopt;
  const Size inner = crop->spec.size;
  const ChannelView view(spec, tensor);
  std::vector<float> pixels(static_cast<std::size_t>(inner.width) *
                            static_cast<std::size_t>(inner.height));
  for (std::size_t c = 0; c < view.count(); ++c) {
    const float weight = view.luma_weight(c);
    float* pixel = pixels.data();
    for (int y = 0; y < inner.height; ++y) {
      const float* from = view.row(c, y + (spec.size.height - inner.height) / 2) +
                          (spec.size.width - inner.width) / 2 * view.step();
      for (int x = 0; x < inner.width; ++x, from += view.step()) *pixel++ += weight * *from;
    }
  }
  return sharpness_of(pixels, *crop);
}

std::optional<float> brightness(const TensorSpec& spec, std::span<const double, 3> sums) {
  if (!keeps_pixel_values(spec)) return std::nullopt;
  const InnerPart part = InnerPart::of(spec.size);
  const double count = static_cast<double>(part.columns.end - part.columns.begin) *
                       (part.rows.end - part.rows.begin);
  double total = 0;
  const auto channels = static_cast<std::size_t>(spec.channel_count());
  for (std::size_t c = 0; c < channels; ++c)
    total += sums[c] / count * gain(spec, c) + spec.mean[c];
  return static_cast<float>(total / static_cast<double>(channels));
}

std::optional<DetailCrop> DetailCrop::of(Size tensor) {
  const double reduction =
      std::max(1.0, static_cast<double>(std::max(tensor.width, tensor.height)) / kLargestMeasured);
  const Size size{static_cast<int>(tensor.width / reduction),
                  static_cast<int>(tensor.height / reduction)};
  const Size inner = inner_size(size);
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
  std::vector<float> pixels(static_cast<std::size_t>(crop->spec.size.width) *
                            static_cast<std::size_t>(crop->spec.size.height));
  const Region part = crop->region(region);
  preprocess(frame, {&part, 1}, crop->spec, std::as_writable_bytes(std::span(pixels)));
  return sharpness_of(pixels, *crop);
}

void set_quality(SightObject* object, const CropQuality& quality) {
  GstStructure* fields = gst_structure_new(
      kKey, "residual", G_TYPE_DOUBLE, static_cast<double>(quality.residual), "magnification",
      G_TYPE_DOUBLE, static_cast<double>(quality.magnification), "brightness", G_TYPE_DOUBLE,
      static_cast<double>(quality.brightness), nullptr);
  if (quality.sharpness)
    gst_structure_set(fields, "sharpness", G_TYPE_DOUBLE, static_cast<double>(*quality.sharpness),
                      nullptr);
  sight_object_set_user_boxed(object, kKey, GST_TYPE_STRUCTURE, fields, nullptr);
  gst_structure_free(fields);
}

std::optional<CropQuality> find_quality(const SightObject* object) {
  const auto* fields = static_cast<const GstStructure*>(
      sight_object_get_user_boxed(object, kKey, GST_TYPE_STRUCTURE));
  if (fields == nullptr) return std::nullopt;
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
