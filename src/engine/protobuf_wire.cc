// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/protobuf_wire.h"

#include <bit>

#include "core/error.h"

namespace sightline::protobuf {

namespace {

constexpr std::uint32_t kMaxFieldNumber = (1u << 29) - 1;

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorCode::kModel, what); }

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::uint64_t take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest.empty()) fail("cut off in the middle of a number");
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7fu) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number of more than ten bytes");
}

}  // namespace

std::string_view Reader::take(std::uint64_t count) {
  if (count > rest_.size())
    fail("cut off: a field of " + std::to_string(count) + " bytes, of which " +
         std::to_string(rest_.size()) + " are there");
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::optional<Field> Reader::next() {
  if (rest_.empty()) return std::nullopt;
  const char* const begin = rest_.data();
  const std::uint64_t key = take_varint(rest_);
  const std::uint64_t number = key >> 3;
  if (number == 0 || number > kMaxFieldNumber)
    fail("no field has the number " + std::to_string(number));

  Field field;
  field.number = static_cast<std::uint32_t>(number);
  field.type = static_cast<WireType>(key & 7);
  switch (field.type) {
    case WireType::kVarint:
      field.value = take_varint(rest_);
      break;
    case WireType::kFixed64:
      field.value = little_endian(take(8));
      break;
    case WireType::kFixed32:
      field.value = little_endian(take(4));
      break;
    case WireType::kBytes:
      field.bytes = take(take_varint(rest_));
      break;
    default:  // groups are older than ONNX
      fail("no field has the wire type " + std::to_string(key & 7));
  }
  field.raw = {begin, static_cast<std::size_t>(rest_.data() - begin)};
  return field;
}

void append_int64(const Field& field, std::vector<std::int64_t>& numbers) {
  if (field.type == WireType::kVarint) {
    numbers.push_back(static_cast<std::int64_t>(field.value));
    return;
  }
  if (field.type != WireType::kBytes) fail("a list of whole numbers that is none");
  std::string_view rest = field.bytes;
  while (!rest.empty()) numbers.push_back(static_cast<std::int64_t>(take_varint(rest)));
}

void Writer::append_varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) message_ += static_cast<char>(value | 0x80);
  message_ += static_cast<char>(value);
}

void Writer::key(std::uint32_t number, WireType type) {
  append_varint(static_cast<std::uint64_t>(number) << 3 | static_cast<std::uint64_t>(type));
}

void Writer::varint(std::uint32_t number, std::uint64_t value) {
  key(number, WireType::kVarint);
  append_varint(value);
}

void Writer::float32(std::uint32_t number, float value) {
  key(number, WireType::kFixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned shift = 0; shift < 32; shift += 8) message_ += static_cast<char>(bits >> shift);
}

void Writer::bytes(std::uint32_t number, std::string_view value) {
  key(number, WireType::kBytes);
  append_varint(value.size());
  message_ += value;
}

}  // namespace sightline::protobuf
