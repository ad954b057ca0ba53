// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Protocol Buffers' wire format, as much of it as ONNX files use: a message is a row of fields,
// each a number, a wire type and a value. Readers look at the bytes where they lie and copy
// nothing.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sightline::protobuf {

enum class WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;  // of kVarint, kFixed64, kFixed32
  std::string_view bytes;   // of kBytes: a string, a message or packed numbers
  std::string_view raw;     // the whole field, its key included

  bool is(std::uint32_t wanted, WireType wire_type) const {
    return number == wanted && type == wire_type;
  }
};

// Reads a message's fields one after the other; never looks outside `message`.
class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}

  // The next field, or nothing at the end. Throws Error(kModel) for bytes that are no field ("cut
  // off": a field's length runs past the end).
  std::optional<Field> next();

 private:
  std::string_view take(std::uint64_t count);

  std::string_view rest_;
};

// The numbers of a repeated int64 field that `field` holds: packed in one, or one alone.
// Throws Error(kModel).
void append_int64(const Field& field, std::vector<std::int64_t>& numbers);

// Appends fields to a message.
class Writer {
 public:
  void varint(std::uint32_t number, std::uint64_t value);
  void float32(std::uint32_t number, float value);
  void bytes(std::uint32_t number, std::string_view value);
  void raw(std::string_view field) { message_ += field; }

  const std::string& message() const { return message_; }
  std::string take() { return std::move(message_); }
  void reserve(std::size_t size) { message_.reserve(size); }

 private:
  void append_varint(std::uint64_t value);
  void key(std::uint32_t number, WireType type);

  std::string message_;
};

}  // namespace sightline::protobuf
