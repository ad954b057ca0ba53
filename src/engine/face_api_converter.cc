// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/face_api_converter.h"

#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "engine/model_file.h"
#include "engine/onnx_builder.h"
#include "engine/tfjs_weights.h"

namespace sightline {

namespace {

using Pads = std::vector<std::int64_t>;  // top, left, bottom, right

const Pads kNoPads = {0, 0, 0, 0};
const Pads kSame = {1, 1, 1, 1};          // of 3×3 with stride 1
const Pads kSameFromEven = {0, 0, 1, 1};  // TensorFlow's of 3×3 with stride 2, even sizes

struct ConvShape {
  std::int64_t size, in, out, stride;
  Pads pads;
  std::int64_t groups = 1;
};

// Layers are added one by one; each returns the name of its result.
class Network {
 public:
  Network(const TfjsWeights& weights, std::string_view name) : weights_(weights), onnx_(name) {}

  onnx::Builder& onnx() { return onnx_; }

  std::string layer(const std::string& op_type, const std::vector<std::string>& inputs,
                    const std::string& result,
                    const std::vector<onnx::Attribute>& attributes = {}) {
    onnx_.node(op_type, inputs, {result}, attributes);
    return result;
  }

  std::string pool(const std::string& op_type, const std::string& x, const std::string& result,
                   std::int64_t size) {
    return layer(op_type, {x}, result,
                 {{"kernel_shape", Pads{size, size}}, {"strides", Pads{2, 2}}});
  }

  // Zeros after the end of each dimension [batch, channels, rows, columns].
  std::string pad(const std::string& x, const std::string& result, const Pads& ends) {
    Pads pads = {0, 0, 0, 0};
    pads.insert(pads.end(), ends.begin(), ends.end());
    onnx_.constant(result + "/pads", {8}, pads);
    return layer("Pad", {x, result + "/pads"}, result);
  }

  std::string conv(const std::string& x, const std::string& result, const ConvShape& shape,
                   const std::vector<float>& filters, const std::vector<float>* bias) {
    onnx_.constant(result + "/filters",
                   {shape.out, shape.in / shape.groups, shape.size, shape.size}, filters);
    std::vector<std::string> inputs = {x, result + "/filters"};
    if (bias != nullptr) {
      onnx_.constant(result + "/bias", {shape.out}, *bias);
      inputs.push_back(result + "/bias");
    }
    return layer("Conv", inputs, result,
                 {{"kernel_shape", Pads{shape.size, shape.size}},
                  {"strides", Pads{shape.stride, shape.stride}},
                  {"pads", shape.pads},
                  {"group", shape.groups}});
  }

  const std::vector<float>& weight(const std::string& name, const Shape& shape) const {
    return weights_.get(name, shape);
  }

 private:
  const TfjsWeights& weights_;
  onnx::Builder onnx_;
};

// ── dlib's ResNet ──

// Convolution, bias, and the affine layer after it folded in: s·(w∗x + b) + t.
std::string scaled_conv(Network& network, const std::string& x, const std::string& name,
                        const ConvShape& shape) {
  const auto& filters =
      network.weight(name + "/conv/filters", {shape.size, shape.size, shape.in, shape.out});
  const auto& bias = network.weight(name + "/conv/bias", {shape.out});
  const auto& scale = network.weight(name + "/scale/weights", {shape.out});
  const auto& shift = network.weight(name + "/scale/biases", {shape.out});
  std::vector<float> folded = to_oihw(filters, shape.size * shape.size, shape.in, shape.out);
  std::vector<float> folded_bias;
  const std::size_t per_output = folded.size() / scale.size();
  for (std::size_t o = 0; o < scale.size(); ++o) {
    for (std::size_t i = 0; i < per_output; ++i) folded[o * per_output + i] *= scale[o];
    folded_bias.push_back(bias[o] * scale[o] + shift[o]);
  }
  return network.conv(x, name, shape, folded, &folded_bias);
}

std::string residual(Network& network, const std::string& x, const std::string& name,
                     std::int64_t channels) {
  const ConvShape shape{3, channels, channels, 1, kSame};
  std::string out = scaled_conv(network, x, name + "/conv1", shape);
  out = network.layer("Relu", {out}, name + "/relu1");
  out = scaled_conv(network, out, name + "/conv2", shape);
  out = network.layer("Add", {out, x}, name + "/sum");
  return network.layer("Relu", {out}, name);
}

// Halves the size. The pooled input may have fewer channels, and the convolutions' side fewer rows
// and columns by one: zeros stand for what is missing.
std::string residual_down(Network& network, const std::string& x, const std::string& name,
                          std::int64_t in, std::int64_t out_channels, bool is_smaller) {
  std::string out = scaled_conv(network, x, name + "/conv1", {3, in, out_channels, 2, kNoPads});
  out = network.layer("Relu", {out}, name + "/relu1");
  out = scaled_conv(network, out, name + "/conv2", {3, out_channels, out_channels, 1, kSame});
  if (is_smaller) out = network.pad(out, name + "/padded", {0, 0, 1, 1});
  std::string pooled = network.pool("AveragePool", x, name + "/pooled", 2);
  if (in != out_channels)
    pooled = network.pad(pooled, name + "/widened", {0, out_channels - in, 0, 0});
  out = network.layer("Add", {pooled, out}, name + "/sum");
  return network.layer("Relu", {out}, name);
}

// dlib trained this network for Euclidean distances, in which the length of an embedding counts. A
// constant vector added to all leaves those distances as they are, and makes cosines, in which
// length does not count, order pairs nearly as the distances do. Its direction is the sum of the
// last layer's rows, its length was chosen on faces of LFW (docs/accuracy.md).
std::vector<float> cosine_offset(const std::vector<float>& fc, std::size_t dimensions) {
  constexpr double kLength = 2;
  std::vector<double> sum(dimensions);
  for (std::size_t i = 0; i < fc.size(); ++i) sum[i % dimensions] += fc[i];
  const double norm = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  std::vector<float> offset;
  for (const double value : sum)
    offset.push_back(norm > 0 ? static_cast<float>(kLength * value / norm) : 0);
  return offset;
}

std::string recognition_file(const TfjsWeights& weights) {
  Network network(weights, "face-api-recognition");
  network.onnx().input("input", ElementType::kFloat32, {-1, 3, 150, 150});
  network.onnx().output("embedding", ElementType::kFloat32, {-1, 128});

  std::string x = scaled_conv(network, "input", "conv32_down", {7, 3, 32, 2, kNoPads});  // 72×72
  x = network.layer("Relu", {x}, "conv32_down/relu");
  x = network.pool("MaxPool", x, "conv32_down/pooled", 3);  // 35×35
  for (const char* const name : {"conv32_1", "conv32_2", "conv32_3"})
    x = residual(network, x, name, 32);
  x = residual_down(network, x, "conv64_down", 32, 64, false);  // 17×17
  for (const char* const name : {"conv64_1", "conv64_2", "conv64_3"})
    x = residual(network, x, name, 64);
  x = residual_down(network, x, "conv128_down", 64, 128, false);  // 8×8
  for (const char* const name : {"conv128_1", "conv128_2"}) x = residual(network, x, name, 128);
  x = residual_down(network, x, "conv256_down", 128, 256, true);  // 4×4, convolutions 3×3
  for (const char* const name : {"conv256_1", "conv256_2"}) x = residual(network, x, name, 256);
  x = residual_down(network, x, "conv256_down_out", 256, 256, true);  // 2×2, convolutions 1×1

  x = network.layer("GlobalAveragePool", {x}, "mean");
  x = network.layer("Flatten", {x}, "flat");
  const std::vector<float> fc = network.weight("fc", {256, 128});
  network.onnx().constant("fc", {256, 128}, fc);
  network.onnx().constant("offset", {128}, cosine_offset(fc, 128));
  x = network.layer("MatMul", {x, "fc"}, "distances");
  network.layer("Add", {x, "offset"}, "embedding");
  return network.onnx().file();
}

// ── 68 landmarks ──

// A 3×3 convolution of each channel, then one of 1×1 that mixes them.
std::string separable_conv(Network& network, const std::string& x, const std::string& name,
                           std::int64_t in, std::int64_t out, std::int64_t stride) {
  const auto& depthwise = network.weight(name + "/depthwise_filter", {3, 3, in, 1});
  const auto& pointwise = network.weight(name + "/pointwise_filter", {1, 1, in, out});
  const auto& bias = network.weight(name + "/bias", {out});
  const std::string each = network.conv(
      x, name + "/depthwise", {3, in, in, stride, stride == 1 ? kSame : kSameFromEven, in},
      to_oihw(depthwise, 9, 1, in), nullptr);
  return network.conv(each, name, {1, in, out, 1, kNoPads}, to_oihw(pointwise, 1, in, out), &bias);
}

// Each layer's input is the sum of all results before it.
std::string dense_block(Network& network, const std::string& x, const std::string& name,
                        std::int64_t in, std::int64_t out) {
  std::string sum;
  if (in == 3) {
    const auto& filters = network.weight(name + "/conv0/filters", {3, 3, in, out});
    const auto& bias = network.weight(name + "/conv0/bias", {out});
    sum = network.conv(x, name + "/conv0", {3, in, out, 2, kSameFromEven},
                       to_oihw(filters, 9, in, out), &bias);
  } else {
    sum = separable_conv(network, x, name + "/conv0", in, out, 2);
  }
  sum = network.layer("Relu", {sum}, name + "/relu0");
  std::string next = sum;
  for (int i = 1; i <= 3; ++i) {
    const std::string number = std::to_string(i);
    const std::string conv = separable_conv(network, next, name + "/conv" + number, out, out, 1);
    sum = network.layer("Add", {sum, conv}, name + "/sum" + number);
    next = network.layer("Relu", {sum}, name + "/relu" + number);
  }
  return next;
}

std::string landmarks_file(const TfjsWeights& weights) {
  Network network(weights, "face-api-landmarks-68");
  network.onnx().input("input", ElementType::kFloat32, {-1, 3, 112, 112});
  network.onnx().output("landmarks", ElementType::kFloat32, {-1, 136});

  std::string x = dense_block(network, "input", "dense0", 3, 32);  // 56×56
  x = dense_block(network, x, "dense1", 32, 64);                   // 28×28
  x = dense_block(network, x, "dense2", 64, 128);                  // 14×14
  x = dense_block(network, x, "dense3", 128, 256);                 // 7×7
  x = network.layer("GlobalAveragePool", {x}, "mean");
  x = network.layer("Flatten", {x}, "flat");
  network.onnx().constant("fc/weights", {256, 136}, network.weight("fc/weights", {256, 136}));
  network.onnx().constant("fc/bias", {136}, network.weight("fc/bias", {136}));
  x = network.layer("MatMul", {x, "fc/weights"}, "fc");
  network.layer("Add", {x, "fc/bias"}, "landmarks");
  return network.onnx().file();
}

// ── Age and gender ──

std::string plain_conv(Network& network, const std::string& x, const std::string& name,
                       const ConvShape& shape) {
  const auto& filters =
      network.weight(name + "/filters", {shape.size, shape.size, shape.in, shape.out});
  const auto& bias = network.weight(name + "/bias", {shape.out});
  return network.conv(x, name, shape,
                      to_oihw(filters, shape.size * shape.size, shape.in, shape.out), &bias);
}

// Separable convolutions, each of the ReLU of what comes before it.
std::string separable_convs(Network& network, std::string x, const std::string& name, int count,
                            std::int64_t in, std::int64_t out, bool activates_input = true) {
  for (int i = 0; i < count; ++i) {
    const std::string conv = name + "/separable_conv" + std::to_string(i);
    if (i > 0 || activates_input) x = network.layer("Relu", {x}, conv + "/relu");
    x = separable_conv(network, x, conv, i == 0 ? in : out, out, 1);
  }
  return x;
}

// Halves the size.
std::string xception_down(Network& network, const std::string& x, const std::string& name,
                          std::int64_t in, std::int64_t out, bool activates_input = true) {
  const std::string convs = separable_convs(network, x, name, 2, in, out, activates_input);
  const std::string pooled = network.layer(
      "MaxPool", {convs}, name + "/pooled",
      {{"kernel_shape", Pads{3, 3}}, {"strides", Pads{2, 2}}, {"pads", kSameFromEven}});
  const std::string beside =
      plain_conv(network, x, name + "/expansion_conv", {1, in, out, 2, kNoPads});
  return network.layer("Add", {pooled, beside}, name);
}

std::string age_gender_file(const TfjsWeights& weights) {
  Network network(weights, "face-api-age-gender");
  network.onnx().input("input", ElementType::kFloat32, {-1, 3, 112, 112});
  network.onnx().output("age", ElementType::kFloat32, {-1, 1});
  network.onnx().output("gender", ElementType::kFloat32, {-1, 2});

  std::string x = plain_conv(network, "input", "entry_flow/conv_in", {3, 3, 32, 2, kSameFromEven});
  x = network.layer("Relu", {x}, "entry_flow/relu");                             // 56×56
  x = xception_down(network, x, "entry_flow/reduction_block_0", 32, 64, false);  // 28×28
  x = xception_down(network, x, "entry_flow/reduction_block_1", 64, 128);        // 14×14
  for (const std::string name : {"middle_flow/main_block_0", "middle_flow/main_block_1"})
    x = network.layer("Add", {separable_convs(network, x, name, 3, 128, 128), x}, name);
  x = xception_down(network, x, "exit_flow/reduction_block", 128, 256);  // 7×7
  x = separable_conv(network, x, "exit_flow/separable_conv", 256, 512, 1);
  x = network.layer("Relu", {x}, "exit_flow/relu");
  x = network.layer("GlobalAveragePool", {x}, "mean");
  const std::string flat = network.layer("Flatten", {x}, "flat");
  for (const auto& [name, count] : {std::pair{"age", 1}, std::pair{"gender", 2}}) {
    const std::string fc = std::string("fc/") + name;
    network.onnx().constant(fc + "/weights", {512, count},
                            network.weight(fc + "/weights", {512, count}));
    network.onnx().constant(fc + "/bias", {count}, network.weight(fc + "/bias", {count}));
    network.layer("MatMul", {flat, fc + "/weights"}, fc);
    network.layer("Add", {fc, fc + "/bias"}, count == 1 ? name : fc + "/scores");
  }
  network.layer("Softmax", {"fc/gender/scores"}, "gender", {{"axis", std::int64_t{1}}});
  return network.onnx().file();
}

void expect_count(const TfjsWeights& weights, std::size_t expected) {
  if (weights.size() != expected)
    throw Error(ErrorCode::kModel, weights.name() + ": names " + std::to_string(weights.size()) +
                                       " weights, expected " + std::to_string(expected) +
                                       ": is it the manifest of another network?");
}

}  // namespace

void convert_face_api_recognition(const std::filesystem::path& manifest,
                                  const std::filesystem::path& weights,
                                  const std::filesystem::path& onnx_out) {
  const TfjsWeights read = TfjsWeights::read(manifest, {&weights, 1});
  const std::string file = recognition_file(read);
  expect_count(read, 117);
  ModelFile::write(onnx_out, file);
}

void convert_face_api_landmarks(const std::filesystem::path& manifest,
                                const std::filesystem::path& weights,
                                const std::filesystem::path& onnx_out) {
  const TfjsWeights read = TfjsWeights::read(manifest, {&weights, 1});
  const std::string file = landmarks_file(read);
  expect_count(read, 49);
  ModelFile::write(onnx_out, file);
}

void convert_face_api_age_gender(const std::filesystem::path& manifest,
                                 const std::filesystem::path& weights,
                                 const std::filesystem::path& onnx_out) {
  const TfjsWeights read = TfjsWeights::read(manifest, {&weights, 1});
  const std::string file = age_gender_file(read);
  expect_count(read, 51);
  ModelFile::write(onnx_out, file);
}

}  // namespace sightline
