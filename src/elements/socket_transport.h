// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines to whoever listens on a unix socket.

#pragma once

#include <atomic>
#include <string>

#include "elements/line_transport.h"

namespace sightline {

// Connects with the first line, and again after the connection has ended; the line that was cut
// then is sent anew, whole. Waits without end for a receiver that does not read.
class SocketTransport : public LineTransport {
 public:
  // `path` of a stream socket. Throws Error(kConfig) if it is longer than a socket's path may be.
  explicit SocketTransport(std::string path);
  ~SocketTransport() override;

  std::size_t deliver(std::span<const std::string> lines) override;
  void interrupt() override;

 private:
  void connect();
  void disconnect();
  bool has_been_left() const;
  bool write(std::string_view bytes);
  void wait(short events);
  [[noreturn]] void fail(const std::string& what, int code);

  const std::string path_;
  int socket_ = -1;
  int wake_up_ = -1;  // an eventfd, which is set by interrupt()
};

}  // namespace sightline
