// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/error.h"

namespace sightline {

void print_line(std::string_view line) {
  if (std::fwrite(line.data(), 1, line.size(), stdout) == line.size() &&
      std::fputc('\n', stdout) != EOF && std::fflush(stdout) == 0)
    return;
  throw Error(ErrorCode::kFailed,
              std::string("standard output cannot be written: ") + std::strerror(errno) + ".");
}

}  // namespace sightline
