// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/socket_transport.h"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sightline {

namespace {

std::string advice(int code) {
  switch (code) {
    case ENOENT:
    case ECONNREFUSED:
      return ". Nobody listens there: start the receiver";
    case EACCES:
      return ". Let this user write to the socket";
    case EPROTOTYPE:
      return ". Expected a stream socket";
    default:
      return "";
  }
}

}  // namespace

SocketTransport::SocketTransport(std::string path) : path_(std::move(path)) {
  if (path_.size() >= sizeof(sockaddr_un::sun_path))
    throw Error(ErrorCode::kConfig, "socket = \"" + path_ + "\": a socket's path has at most " +
                                        std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                        " bytes, this one has " + std::to_string(path_.size()));
  wake_up_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_up_ < 0)
    throw Error(ErrorCode::kFailed, "no descriptor for the socket \"" + path_ +
                                        "\": " + std::generic_category().message(errno));
}

SocketTransport::~SocketTransport() {
  disconnect();
  ::close(wake_up_);
}

void SocketTransport::interrupt() {
  const std::uint64_t one = 1;
  while (::write(wake_up_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void SocketTransport::fail(const std::string& what, int code) {
  disconnect();
  throw DeliveryError("cannot " + what + " the socket \"" + path_ +
                          "\": " + std::generic_category().message(code) + advice(code),
                      true);
}

void SocketTransport::disconnect() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void SocketTransport::connect() {
  socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) fail("make", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  // To a unix socket this is done at once, or fails: with EAGAIN while too many wait to be
  // accepted.
  while (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    if (errno != EINTR) fail("connect to", errno);
}

// What is written to a socket that its receiver has closed may vanish without an error.
bool SocketTransport::has_been_left() const {
  char byte;
  const ssize_t count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

// Until the socket can be written, or somebody interrupts.
void SocketTransport::wait(short events) {
  pollfd both[] = {{socket_, events, 0}, {wake_up_, POLLIN, 0}};
  while (::poll(both, 2, -1) < 0)
    if (errno != EINTR) fail("wait for", errno);
  if (both[1].revents != 0) fail("write to", ECANCELED);
}

// False: the receiver has gone away.
bool SocketTransport::write(std::string_view bytes) {
  while (!bytes.empty()) {
    wait(POLLOUT);
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(count));
    else if (errno == EPIPE || errno == ECONNRESET)
      return false;
    else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
      fail("write to", errno);
  }
  return true;
}

std::size_t SocketTransport::deliver(std::span<const std::string> lines) {
  const std::string line = lines.front() + "\n";
  if (socket_ >= 0 && has_been_left()) disconnect();
  if (socket_ < 0) connect();
  if (write(line)) return 1;
  disconnect();
  connect();  // there may be a new one already
  if (!write(line)) fail("write to", EPIPE);
  return 1;
}

}  // namespace sightline
