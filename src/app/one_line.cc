// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/one_line.h"

namespace sightline {

std::string one_line(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      line += "\\n";
    else if (c == '\t')
      line += "\\t";
    else if (byte < 0x20 || byte == 0x7f)
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    else
      line += c;
  }
  return line;
}

std::string shell_word(std::string_view text) {
  // Between double quotes a shell looks for these.
  if (text.find_first_of("\"$`\\!") == std::string_view::npos) return '"' + one_line(text) + '"';
  std::string word = "'";
  for (const char c : one_line(text)) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace sightline
