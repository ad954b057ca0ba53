// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/json_tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <glib.h>

#include "core/error.h"
#include "meta/tensor.h"

namespace sightline {

namespace {

static_assert(std::endian::native == std::endian::little, "base64 is little endian");

constexpr char kNan[] = "NaN", kInfinity[] = "Infinity", kMinusInfinity[] = "-Infinity";

// --- writing ----------------------------------------------------------------------------------

Json to_json(float value) {
  if (std::isnan(value)) return kNan;
  if (std::isinf(value)) return value > 0 ? kInfinity : kMinusInfinity;
  return value;
}

template <typename T>
Json to_json(T value) {
  return value;
}

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T, typename Convert>
Json array_of(const std::byte* elements, std::size_t count, Convert convert) {
  Json array = Json::array();
  for (std::size_t i = 0; i < count; ++i)
    array.push_back(to_json(convert(load<T>(elements + i * sizeof(T)))));
  return array;
}

template <typename T>
Json array_of(const std::byte* elements, std::size_t count) {
  return array_of<T>(elements, count, [](T value) { return value; });
}

std::string base64_of(const Tensor& tensor) {
  const std::unique_ptr<char, decltype(&g_free)> text(
      g_base64_encode(reinterpret_cast<const guchar*>(tensor.on_host()), tensor.bytes()), g_free);
  return text.get();
}

// --- reading ----------------------------------------------------------------------------------

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kInput, where + ": " + what);
}

[[noreturn]] void refuse_element(const std::string& where, std::size_t i, const Json& found,
                                 ElementType type) {
  refuse(where + "[" + std::to_string(i) + "]",
         to_text(found) + " is no " + std::string(name_of(type)));
}

// The number that a text stands for; none if it is no such text.
std::optional<float> unusual_number(const Json& value) {
  if (value == kNan) return std::numeric_limits<float>::quiet_NaN();
  if (value == kInfinity) return std::numeric_limits<float>::infinity();
  if (value == kMinusInfinity) return -std::numeric_limits<float>::infinity();
  return std::nullopt;
}

std::optional<float> to_float(const Json& value) {
  return value.is_number() ? std::optional(value.get<float>()) : unusual_number(value);
}

template <typename T>
std::optional<T> to_integer(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  }
  return std::nullopt;
}

std::optional<std::uint16_t> to_half(const Json& value) {
  const std::optional<float> number = to_float(value);
  return number ? std::optional(float_to_half(*number)) : std::nullopt;
}

std::optional<std::uint8_t> to_bool(const Json& value) {
  const std::optional<std::uint8_t> number = to_integer<std::uint8_t>(value);
  return number && *number <= 1 ? number : std::nullopt;
}

template <typename Convert>
void store(const Json& data, ElementType type, const std::string& where,
           std::vector<std::byte>& bytes, Convert convert) {
  std::byte* to = bytes.data();
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto value = convert(data[i]);
    if (!value) refuse_element(where, i, data[i], type);
    std::memcpy(to, &*value, sizeof *value);
    to += sizeof *value;
  }
}

void store_array(const Json& data, ElementType type, const std::string& where,
                 std::vector<std::byte>& bytes) {
  const auto store_as = [&](auto convert) { store(data, type, where, bytes, convert); };
  switch (type) {
    case ElementType::kFloat32:
      return store_as(to_float);
    case ElementType::kFloat16:
      return store_as(to_half);
    case ElementType::kUint8:
      return store_as(to_integer<std::uint8_t>);
    case ElementType::kInt8:
      return store_as(to_integer<std::int8_t>);
    case ElementType::kUint16:
      return store_as(to_integer<std::uint16_t>);
    case ElementType::kInt16:
      return store_as(to_integer<std::int16_t>);
    case ElementType::kInt32:
      return store_as(to_integer<std::int32_t>);
    case ElementType::kUint32:
      return store_as(to_integer<std::uint32_t>);
    case ElementType::kInt64:
      return store_as(to_integer<std::int64_t>);
    case ElementType::kUint64:
      return store_as(to_integer<std::uint64_t>);
    case ElementType::kBool:
      return store_as(to_bool);
    case ElementType::kFloat64:
      break;
  }
  refuse(where, "an array of float64 is not read; give \"base64\"");
}

// GLib's decoder passes over what is no base64.
bool is_base64(const std::string& text) {
  const std::size_t padded = text.find('=');
  const std::string_view end =
      padded == std::string::npos ? "" : std::string_view(text).substr(padded);
  if (text.size() % 4 != 0 || end.size() > 2 || end.find_first_not_of('=') != std::string::npos)
    return false;
  const auto is_digit = [](char c) { return g_ascii_isalnum(c) || c == '+' || c == '/'; };
  return std::all_of(text.begin(), text.end() - static_cast<std::ptrdiff_t>(end.size()), is_digit);
}

std::shared_ptr<std::vector<std::byte>> decode(const std::string& text, const std::string& where) {
  if (!is_base64(text)) refuse(where, "is not base64");
  gsize size = 0;
  const std::unique_ptr<guchar, decltype(&g_free)> bytes(g_base64_decode(text.c_str(), &size),
                                                         g_free);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.get());
  return std::make_shared<std::vector<std::byte>>(first, first + size);
}

[[noreturn]] void refuse_count(const std::string& where, std::size_t found, const char* of,
                               std::size_t expected, ElementType type, const Shape& shape) {
  refuse(where, "has " + std::to_string(found) + " " + of + "; a shape of " + to_string(shape) +
                    " of " + std::string(name_of(type)) + " has " + std::to_string(expected));
}

}  // namespace

Json elements_of(const Tensor& tensor) {
  const std::byte* const elements = tensor.on_host();
  const std::size_t count = tensor.count();
  switch (tensor.type) {
    case ElementType::kFloat32:
      return array_of<float>(elements, count);
    case ElementType::kFloat16:
      return array_of<std::uint16_t>(elements, count, half_to_float);
    case ElementType::kUint8:
    case ElementType::kBool:
      return array_of<std::uint8_t>(elements, count);
    case ElementType::kInt8:
      return array_of<std::int8_t>(elements, count);
    case ElementType::kUint16:
      return array_of<std::uint16_t>(elements, count);
    case ElementType::kInt16:
      return array_of<std::int16_t>(elements, count);
    case ElementType::kInt32:
      return array_of<std::int32_t>(elements, count);
    case ElementType::kUint32:
      return array_of<std::uint32_t>(elements, count);
    case ElementType::kInt64:
      return array_of<std::int64_t>(elements, count);
    case ElementType::kUint64:
      return array_of<std::uint64_t>(elements, count);
    case ElementType::kFloat64:
      break;
  }
  throw Error(ErrorCode::kFailed,
              "tensor \"" + tensor.name + "\" is float64, which is not an array");
}

Json tensor_json(const SightTensor* tensor, TensorsAs as) {
  const Tensor& held = unwrap(tensor);
  Json json = {{"name", held.name}, {"type", name_of(held.type)}, {"shape", held.shape}};
  if (held.shape.empty()) json["shape"] = Json::array();
  if (const char* stage = sight_tensor_get_stage(tensor)) json["stage"] = stage;
  if (const int row = sight_tensor_get_row(tensor); row >= 0) json["row"] = row;
  if (as == TensorsAs::kArray && held.type != ElementType::kFloat64)
    json["data"] = elements_of(held);
  else
    json["base64"] = base64_of(held);
  return json;
}

std::shared_ptr<std::vector<std::byte>> elements_from(const Json& data, ElementType type,
                                                      const Shape& shape,
                                                      const std::string& where) {
  const std::size_t count = element_count(shape), size = size_of(type);
  if (data.is_string()) {
    auto bytes = decode(data.get_ref<const std::string&>(), where);
    if (bytes->size() / size != count || bytes->size() % size != 0)
      refuse_count(where, bytes->size(), "bytes", count * size, type, shape);
    return bytes;
  }
  if (data.size() != count) refuse_count(where, data.size(), "elements", count, type, shape);
  auto bytes = std::make_shared<std::vector<std::byte>>(count * size);
  store_array(data, type, where, *bytes);
  return bytes;
}

ElementType element_type_from(const std::string& name, const std::string& where) {
  std::string known;
  for (int i = 0; i <= static_cast<int>(ElementType::kBool); ++i) {
    const auto type = static_cast<ElementType>(i);
    if (name_of(type) == name) return type;
    known += (known.empty() ? "" : ", ") + std::string(name_of(type));
  }
  refuse(where, "\"" + name + "\" is no type of elements. Known: " + known);
}

}  // namespace sightline
