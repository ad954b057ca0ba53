// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>

#include <glib.h>

#include "core/error.h"

namespace sightline {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they are");

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kAlign = 64;  // where NumPy has the data begin

[[noreturn]] void fail(const std::string& complaint) { throw Error(ErrorCode::kInput, complaint); }

std::string with_header(const std::string& type, const std::string& shape, std::string_view data) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const std::size_t before = kMagic.size() + 4;
  header.append(kAlign - (before + header.size() + 1) % kAlign, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {'\1', '\0', static_cast<char>(header.size() & 0xff),
            static_cast<char>(header.size() >> 8 & 0xff)};
  bytes += header;
  bytes += data;
  return bytes;
}

std::string_view as_bytes(const void* values, std::size_t size) {
  return {static_cast<const char*>(values), size};
}

// The header is a dictionary as Python writes it.
class Header {
 public:
  explicit Header(std::string_view text) : text_(text) {}

  // What follows 'key':, without blanks.
  std::string_view value(const std::string& key) const {
    const std::size_t at = text_.find("'" + key + "'");
    const std::size_t colon = at == std::string_view::npos ? at : text_.find(':', at);
    if (colon == std::string_view::npos) fail("its header has no '" + key + "'.");
    const std::size_t begin = text_.find_first_not_of(' ', colon + 1);
    if (begin == std::string_view::npos) fail("its header ends after '" + key + "'.");
    return text_.substr(begin);
  }

  std::string type() const {
    const std::string_view text = value("descr");
    const std::size_t end = text.size() > 1 && text[0] == '\'' ? text.find('\'', 1) : 0;
    if (end == 0 || end == std::string_view::npos)
      fail("its elements have several fields; expected an array of numbers or of texts.");
    return std::string(text.substr(1, end - 1));
  }

  std::vector<std::size_t> shape() const {
    const std::string_view text = value("shape");
    const std::size_t end = text.find(')');
    if (text.empty() || text[0] != '(' || end == std::string_view::npos)
      fail("its header has no shape.");
    std::vector<std::size_t> shape;
    for (std::size_t at = 1; at < end;) {
      if (text[at] == ' ' || text[at] == ',') {
        ++at;
        continue;
      }
      std::size_t side = 0;
      const auto [next, error] = std::from_chars(text.data() + at, text.data() + end, side);
      if (error != std::errc()) fail("its header has a shape that is none.");
      shape.push_back(side);
      at = static_cast<std::size_t>(next - text.data());
    }
    return shape;
  }

 private:
  std::string_view text_;
};

// Throws if the product does not fit.
std::size_t product(std::span<const std::size_t> sides, std::size_t limit) {
  std::size_t product = 1;
  for (const std::size_t side : sides) {
    if (side != 0 && product > limit / side) fail("its shape is larger than the file.");
    product *= side;
  }
  return product;
}

template <typename From, typename To>
std::vector<To> converted(const std::string& data, std::size_t count) {
  std::vector<To> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, data.data() + i * sizeof value, sizeof value);
    values[i] = static_cast<To>(value);
  }
  return values;
}

}  // namespace

NpyArray NpyArray::read(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < 12) fail("no .npy file.");
  const int version = bytes[6];
  const std::size_t field = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = 0; i < field; ++i)
    length |= std::size_t{static_cast<unsigned char>(bytes[8 + i])} << (8 * i);
  if (version < 1 || version > 3) fail("a .npy file of a version that is not known here.");
  const std::size_t begin = 8 + field + length;
  if (begin > bytes.size()) fail("the file is cut off.");
  const Header header(bytes.substr(8 + field, length));

  NpyArray array;
  const std::string type = header.type();
  if (type.find('O') != std::string::npos)
    fail(
        "its elements are pickled Python objects, which are never read here: unpickling runs "
        "whatever code a file asks for. Write an array of float32 or of texts.");
  array.kind_ = type.size() > 2 ? type[1] : '\0';
  std::size_t width = 0;
  if (type.size() > 2) std::from_chars(type.data() + 2, type.data() + type.size(), width);
  array.width_ = array.kind_ == 'U' ? 4 * width : width;
  const bool number = array.kind_ == 'f' || array.kind_ == 'i' || array.kind_ == 'u';
  if ((type[0] != '<' && type[0] != '|') || !(array.kind_ == 'U' || number) ||
      (number && width != 4 && width != 8) || width > (1 << 20))
    fail("its elements are of type " + type +
         "; expected little-endian float32, float64, int32, int64 or texts (<U).");
  if (header.value("fortran_order").starts_with("True"))
    fail("it is in Fortran order. Write numpy.ascontiguousarray() of it.");
  array.shape_ = header.shape();
  const std::size_t elements = product(array.shape_, bytes.size());
  const std::size_t sides[] = {elements, array.width_};
  const std::size_t size = product(sides, bytes.size());
  if (size != bytes.size() - begin)
    fail("it has " + std::to_string(bytes.size() - begin) + " bytes of data, its shape has " +
         std::to_string(size) + ".");
  array.data_ = bytes.substr(begin);
  return array;
}

std::string NpyArray::write(std::span<const float> values, std::size_t rows, std::size_t columns) {
  return with_header("<f4", std::to_string(rows) + ", " + std::to_string(columns),
                     as_bytes(values.data(), values.size_bytes()));
}

std::string NpyArray::write(std::span<const std::int64_t> values) {
  return with_header("<i8", std::to_string(values.size()) + ",",
                     as_bytes(values.data(), values.size_bytes()));
}

std::string NpyArray::write(std::span<const std::string> texts) {
  std::vector<std::u32string> wide;
  std::size_t longest = 1;  // an array of empty texts has elements, too
  for (const std::string& text : texts) {
    glong length = 0;
    const std::unique_ptr<gunichar, decltype(&g_free)> characters(
        g_utf8_to_ucs4_fast(text.c_str(), -1, &length), g_free);
    wide.emplace_back(characters.get(), characters.get() + length);
    longest = std::max(longest, wide.back().size());
  }
  std::u32string data;
  for (std::u32string& text : wide) {
    text.resize(longest);
    data += text;
  }
  return with_header("<U" + std::to_string(longest), std::to_string(texts.size()) + ",",
                     as_bytes(data.data(), data.size() * sizeof(char32_t)));
}

std::size_t NpyArray::size() const { return width_ == 0 ? 0 : data_.size() / width_; }

std::vector<float> NpyArray::floats() const {
  if (kind_ == 'f' && width_ == 4) return converted<float, float>(data_, size());
  if (kind_ == 'f') return converted<double, float>(data_, size());
  fail("it does not have floating-point numbers.");
}

std::vector<std::int64_t> NpyArray::integers() const {
  if (kind_ == 'i' && width_ == 4) return converted<std::int32_t, std::int64_t>(data_, size());
  if (kind_ == 'u' && width_ == 4) return converted<std::uint32_t, std::int64_t>(data_, size());
  if (kind_ == 'i' || kind_ == 'u') return converted<std::int64_t, std::int64_t>(data_, size());
  fail("it does not have whole numbers.");
}

std::vector<std::string> NpyArray::texts() const {
  if (kind_ != 'U') fail("it does not have texts.");
  std::vector<std::string> texts;
  std::vector<gunichar> wide(width_ / 4 + 1);
  for (std::size_t i = 0; i < size(); ++i) {
    std::memcpy(wide.data(), data_.data() + i * width_, width_);
    const auto end = std::find(wide.begin(), wide.end(), gunichar{0});
    const std::unique_ptr<char, decltype(&g_free)> text(
        g_ucs4_to_utf8(wide.data(), end - wide.begin(), nullptr, nullptr, nullptr), g_free);
    if (text == nullptr) fail("it has a text that is no Unicode.");
    texts.emplace_back(text.get());
  }
  return texts;
}

}  // namespace sightline
