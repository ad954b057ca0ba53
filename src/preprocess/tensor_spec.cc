// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "preprocess/preprocess.h"

namespace sightline {

namespace {

constexpr std::string_view kGroup = "property";
constexpr float kLargest = std::numeric_limits<float>::max();

// One value for all channels, or one a channel.
std::array<float, 3> per_channel(const ConfigValue& value, int channels, float minimum,
                                 float maximum) {
  const std::vector<float> values = value.as_floats();
  if (values.size() != 1 && values.size() != static_cast<std::size_t>(channels))
    value.fail("expected one number" +
               std::string(channels == 1 ? "" : ", or " + std::to_string(channels)) + ", found " +
               std::to_string(values.size()));
  for (const float v : values)
    if (!(v >= minimum && v <= maximum)) {
      std::ostringstream expected;
      expected << "expected numbers from " << minimum << " to " << maximum;
      value.fail(expected.str());
    }
  if (values.size() == 1) return {values[0], values[0], values[0]};
  return {values[0], values[1], values[2]};
}

Filter filter_from(const ConfigValue& value) {
  if (value.text() == "2" || value.text() == "4")
    value.fail(
        "this filter of nvinfer's is not offered. Known: 0 or nearest, 1 or bilinear, 3 or 5 or "
        "area, 6 (nvinfer's default: nearest)");
  return value.as_one_of<Filter>({{"bilinear", Filter::kBilinear},
                                  {"area", Filter::kArea},
                                  {"nearest", Filter::kNearest},
                                  {"0", Filter::kNearest},
                                  {"1", Filter::kBilinear},
                                  {"3", Filter::kArea},
                                  {"5", Filter::kArea},
                                  {"6", Filter::kNearest}});
}

// A number of a PPM's text part; −1 if there is none. Comments run from # to the line's end.
int read_ppm_number(std::istream& in) {
  for (int c = in.peek(); c == '#' || std::isspace(c); c = in.peek()) {
    if (c == '#') {
      in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    } else {
      in.get();
    }
  }
  int number = -1;
  in >> number;
  return in ? number : -1;
}

// The pixels of a PPM (P3 or P6) of exactly this size, RGB interleaved.
std::vector<float> read_ppm(const ConfigValue& value, Size size) {
  std::ifstream in(value.as_path(), std::ios::binary);
  char magic[2] = {};
  if (!in.read(magic, 2)) value.fail("no such file, or it cannot be read");
  const bool binary = magic[1] == '6';
  if (magic[0] != 'P' || (magic[1] != '3' && !binary))
    value.fail("is no PPM: expected it to begin with P3 or P6");
  const int width = read_ppm_number(in), height = read_ppm_number(in), most = read_ppm_number(in);
  if (width != size.width || height != size.height)
    value.fail("the mean image is " + std::to_string(width) + "×" + std::to_string(height) +
               ", expected the network's " + std::to_string(size.width) + "×" +
               std::to_string(size.height));
  if (most != 255) value.fail("expected 255 as the largest value of the PPM");
  if (binary) in.get();  // one blank ends the text

  std::vector<float> pixels;
  const std::size_t count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  while (pixels.size() < count) {
    const int sample = binary ? in.get() : read_ppm_number(in);
    if (!in || sample < 0 || sample > 255)
      value.fail("the PPM ends too early, or has a value that is none: expected " +
                 std::to_string(count) + " values from 0 to 255, read " +
                 std::to_string(pixels.size()));
    pixels.push_back(static_cast<float>(sample));
  }
  return pixels;
}

std::vector<float> mean_image_from(const ConfigValue& value, const TensorSpec& spec) {
  if (spec.channels == Channels::kGray)
    value.fail("a mean image is in colour, and model-color-format is gray: use offsets");
  if (spec.size.width <= 0 || spec.size.height <= 0)
    value.fail("a mean image needs a network whose input has a known size");
  std::vector<float> pixels = read_ppm(value, spec.size);
  if (spec.channels == Channels::kBgr)
    for (std::size_t i = 0; i < pixels.size(); i += 3) std::swap(pixels[i], pixels[i + 2]);
  return pixels;
}

// The keys of (x − mean) · scale / deviation.
void read_fixed(const ConfigFile& config, TensorSpec& spec) {
  const auto scale = config.find(kGroup, "net-scale-factor");
  const auto offsets = config.find(kGroup, "offsets");
  const auto deviation = config.find(kGroup, "std");
  const auto mean_file = config.find(kGroup, "mean-file");
  if (spec.normalization == Normalization::kPerImage)
    for (const auto* key : {&scale, &offsets, &deviation, &mean_file})
      if (*key) (*key)->fail("has no effect with normalization = per-image: remove one of the two");
  if (offsets && mean_file) mean_file->fail("a mean image replaces offsets: remove one of the two");

  constexpr float kLeast = std::numeric_limits<float>::min();
  if (scale) spec.scale = scale->as_float(kLeast, kLargest);
  if (offsets) spec.mean = per_channel(*offsets, spec.channel_count(), -kLargest, kLargest);
  if (deviation) spec.deviation = per_channel(*deviation, spec.channel_count(), kLeast, kLargest);
  if (mean_file) spec.mean_image = mean_image_from(*mean_file, spec);
}

}  // namespace

std::size_t TensorSpec::bytes_per_item() const {
  return element_count(
      {channel_count(), size.height, size.width, static_cast<std::int64_t>(size_of(type))});
}

TensorSpec TensorSpec::from_config(const ConfigFile& config, TensorSpec defaults) {
  TensorSpec spec = std::move(defaults);
  if (const auto value = config.find(kGroup, "model-color-format"))
    spec.channels = value->as_one_of<Channels>({{"rgb", Channels::kRgb},
                                                {"bgr", Channels::kBgr},
                                                {"gray", Channels::kGray},
                                                {"0", Channels::kRgb},
                                                {"1", Channels::kBgr},
                                                {"2", Channels::kGray}});
  if (const auto value = config.find(kGroup, "network-input-order"))
    spec.layout = value->as_one_of<Layout>({{"nchw", Layout::kNchw},
                                            {"nhwc", Layout::kNhwc},
                                            {"0", Layout::kNchw},
                                            {"1", Layout::kNhwc}});
  if (const auto value = config.find(kGroup, "scaling-filter")) spec.filter = filter_from(*value);
  if (const auto value = config.find(kGroup, "normalization"))
    spec.normalization = value->as_one_of<Normalization>(
        {{"fixed", Normalization::kFixed}, {"per-image", Normalization::kPerImage}});
  if (const auto value = config.find(kGroup, "pad-value"))
    spec.pad_value = per_channel(*value, spec.channel_count(), 0, 255);
  read_fixed(config, spec);
  return spec;
}

}  // namespace sightline
