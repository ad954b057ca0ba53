// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/line_input.h"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace sightline {

namespace {

constexpr std::size_t kLongestLine = 4096;  // of what is longer the end is left out

}  // namespace

bool LineInput::is_terminal() const { return isatty(STDIN_FILENO) == 1; }

void LineInput::read_what_is_there() {
  pollfd waiting{STDIN_FILENO, POLLIN, 0};
  while (!ended_ && poll(&waiting, 1, 0) == 1) {
    char bytes[1024];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    ended_ = count <= 0;
    if (count > 0) text_.append(bytes, static_cast<std::size_t>(count));
    if (text_.size() > kLongestLine) return;
  }
}

std::optional<std::string> LineInput::next() {
  if (text_.find('\n') == std::string::npos) read_what_is_there();
  std::size_t end = text_.find('\n');
  if (end == std::string::npos) {
    if (text_.size() > kLongestLine) text_.resize(kLongestLine);
    if (!ended_ || text_.empty()) return std::nullopt;
    end = text_.size();
  }
  std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace sightline
