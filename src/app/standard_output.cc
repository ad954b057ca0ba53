// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/error.h"

namespace sightline {

namespace {

[[noreturn]] void fail() {
  throw Error(ErrorCode::kFailed,
              std::string("standard output cannot be written: ") + std::strerror(errno) + ".");
}

bool write(std::string_view bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
}

}  // namespace

void print_line(std::string_view line) {
  if (!write(line) || std::fputc('\n', stdout) == EOF || std::fflush(stdout) != 0) fail();
}

void print_bytes(std::string_view bytes) {
  if (!write(bytes) || std::fflush(stdout) != 0) fail();
}

}  // namespace sightline
