// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/tfjs_weights.h"

#include <bit>
#include <cstring>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "engine/model_file.h"

namespace sightline {

namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

// Takes tensors from the front of the file of weights.
class WeightReader {
 public:
  WeightReader(std::string_view bytes, std::string name) : rest_(bytes), name_(std::move(name)) {}

  TfjsWeights::Weight take(const std::string& tensor, const json& entry) {
    const auto type = entry.at("dtype").get<std::string>();
    if (type != "float32" && type != "int32")
      fail("\"" + tensor + "\" is " + type + ", expected float32 or int32");
    TfjsWeights::Weight weight;
    weight.shape = entry.at("shape").get<Shape>();
    const std::size_t count = element_count(weight.shape);
    if (type == "int32") {
      const std::string_view bytes = take(tensor, count, sizeof(std::int32_t));
      std::vector<std::int32_t> numbers(count);
      std::memcpy(numbers.data(), bytes.data(), bytes.size());
      weight.values.assign(numbers.begin(), numbers.end());
      return weight;
    }
    if (!entry.contains("quantization")) {
      const std::string_view bytes = take(tensor, count, sizeof(float));
      weight.values.resize(count);
      std::memcpy(weight.values.data(), bytes.data(), bytes.size());
      return weight;
    }
    const json& quantization = entry.at("quantization");
    if (quantization.at("dtype").get<std::string>() != "uint8")
      fail("\"" + tensor + "\" is quantised to " + quantization.at("dtype").dump() +
           ", expected uint8");
    const double scale = quantization.at("scale").get<double>();
    const double minimum = quantization.at("min").get<double>();
    for (const char byte : take(tensor, count, 1))
      weight.values.push_back(
          static_cast<float>(static_cast<unsigned char>(byte) * scale + minimum));
    return weight;
  }

  void expect_end() const {
    if (!rest_.empty()) fail(std::to_string(rest_.size()) + " bytes more than its manifest names");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kModel, name_ + ": " + what);
  }

  std::string_view take(const std::string& tensor, std::size_t count, std::size_t size) {
    if (count > rest_.size() / size)
      fail("ends in \"" + tensor + "\", which has " + std::to_string(count) +
           " numbers: the file is cut off, or is not the manifest's");
    const std::string_view taken = rest_.substr(0, count * size);
    rest_.remove_prefix(count * size);
    return taken;
  }

  std::string_view rest_;
  std::string name_;
};

}  // namespace

TfjsWeights TfjsWeights::read(const std::filesystem::path& manifest,
                              std::span<const std::filesystem::path> files) {
  TfjsWeights result;
  result.name_ = manifest.string();
  const std::string text = ModelFile::read(manifest).bytes;
  std::string bytes, names;
  for (const std::filesystem::path& file : files) {
    bytes += ModelFile::read(file).bytes;
    names += (names.empty() ? "" : ", ") + file.string();
  }
  WeightReader reader(bytes, names);
  try {
    const json document = json::parse(text);
    for (const json& group : document.is_object() ? document.at("weightsManifest") : document)
      for (const json& entry : group.at("weights")) {
        const std::string name = entry.at("name").get<std::string>();
        result.weights_.insert_or_assign(name, reader.take(name, entry));
      }
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kModel,
                result.name_ + ": has no weights manifest of TensorFlow.js: " + error.what());
  }
  reader.expect_end();
  return result;
}

const TfjsWeights::Weight& TfjsWeights::get(const std::string& name) const {
  const auto found = weights_.find(name);
  if (found == weights_.end())
    throw Error(ErrorCode::kModel, name_ + ": has no \"" + name + "\" among its " +
                                       std::to_string(weights_.size()) +
                                       " weights: is it the manifest of another network?");
  return found->second;
}

const std::vector<float>& TfjsWeights::get(const std::string& name, const Shape& shape) const {
  const Weight& weight = get(name);
  if (weight.shape != shape)
    throw Error(ErrorCode::kModel, name_ + ": \"" + name + "\" is " + to_string(weight.shape) +
                                       ", expected " + to_string(shape));
  return weight.values;
}

std::vector<float> to_oihw(const std::vector<float>& hwio, std::int64_t area, std::int64_t in,
                           std::int64_t out) {
  std::vector<float> oihw(hwio.size());
  std::size_t to = 0;
  for (std::int64_t o = 0; o < out; ++o)
    for (std::int64_t i = 0; i < in; ++i)
      for (std::int64_t at = 0; at < area; ++at)
        oihw[to++] = hwio[static_cast<std::size_t>((at * in + i) * out + o)];
  return oihw;
}

}  // namespace sightline
