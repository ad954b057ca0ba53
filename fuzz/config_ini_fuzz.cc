// SPDX-License-Identifier: LGPL-2.1-or-later
//
// INI configuration files of any content: an Error at worst.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config_reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sightline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto repeats : {ConfigFile::Repeats::kRefused, ConfigFile::Repeats::kLastCounts})
    fuzz::read_everything([&] { return ConfigFile::parse(text, "fuzz.ini", "/", repeats); });
  return 0;
}
