// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/metrics_server.h"

#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstring>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include "app/exit_status.h"
#include "core/error.h"

namespace sightline {

namespace {

// Bounds of what strangers may take.
constexpr unsigned kConnections = 32;
constexpr unsigned kSecondsWithoutAWord = 5;
constexpr std::size_t kBytesAConnection = 16 * 1024;  // of its request

struct SocketAddress {
  sockaddr_storage storage{};

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<SocketAddress> socket_address(const MetricsAddress& address) {
  SocketAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    return result;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) != 1) return std::nullopt;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address.port);
  return result;
}

// A connection that is closed before its request is complete is nobody's error.
void log_nothing(void*, const char*, va_list) {}

}  // namespace

MetricsAddress MetricsAddress::parse(const std::string& text) {
  MetricsAddress address;
  const std::size_t colon = text.rfind(':');
  const bool has_host = colon != std::string::npos;
  const std::string port = has_host ? text.substr(colon + 1) : text;
  if (has_host) address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size() ||
      !socket_address(address))
    throw UsageError("metrics " + text +
                     ": expected a port from 0 (any) to 65535, or an IP address and a port: 9090, "
                     "0.0.0.0:9090 or [::1]:9090.");
  return address;
}

std::string MetricsAddress::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

struct MetricsServer::Daemon {
  MetricsAddress address;
  std::function<std::string()> figures;
  MHD_Daemon* handle = nullptr;

  ~Daemon() {
    if (handle != nullptr) MHD_stop_daemon(handle);
  }

  MHD_Result answer(MHD_Connection* connection, const char* url, const char* method) const;
  static MHD_Result respond(MHD_Connection* connection, unsigned status, const std::string& text,
                            const char* type);
};

MHD_Result MetricsServer::Daemon::respond(MHD_Connection* connection, unsigned status,
                                          const std::string& text, const char* type) {
  MHD_Response* response = MHD_create_response_from_buffer(
      text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

MHD_Result MetricsServer::Daemon::answer(MHD_Connection* connection, const char* url,
                                         const char* method) const {
  constexpr const char* kText = "text/plain; charset=utf-8";
  if (std::strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
      std::strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
    return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is understood.\n", kText);
  if (std::strcmp(url, "/metrics") != 0)
    return respond(connection, MHD_HTTP_NOT_FOUND, "The figures are at /metrics.\n", kText);
  return respond(connection, MHD_HTTP_OK, figures(), "text/plain; version=0.0.4; charset=utf-8");
}

MetricsServer::MetricsServer(const MetricsAddress& address, std::function<std::string()> figures)
    : daemon_(std::make_unique<Daemon>(address, std::move(figures))) {
  auto socket = socket_address(address);
  if (!socket) throw Error(ErrorCode::kConfig, "metrics " + address.text() + ": is no IP address.");
  const bool v6 = socket->get()->sa_family == AF_INET6;
  const auto handle = [](void* daemon, MHD_Connection* connection, const char* url,
                         const char* method, const char*, const char*, std::size_t*, void**) {
    return static_cast<Daemon*>(daemon)->answer(connection, url, method);
  };
  errno = 0;
  daemon_->handle = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG | (v6 ? MHD_USE_IPv6 : MHD_NO_FLAG),
      address.port, nullptr, nullptr, +handle, daemon_.get(), MHD_OPTION_EXTERNAL_LOGGER,
      log_nothing, nullptr, MHD_OPTION_SOCK_ADDR, socket->get(), MHD_OPTION_CONNECTION_LIMIT,
      kConnections, MHD_OPTION_CONNECTION_TIMEOUT, kSecondsWithoutAWord,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kBytesAConnection, MHD_OPTION_END);
  if (daemon_->handle == nullptr)
    throw Error(ErrorCode::kFailed, "metrics " + address.text() + ": cannot be served there: " +
                                        std::strerror(errno) + ". Choose another port.");
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_->handle, MHD_DAEMON_INFO_BIND_PORT);
  if (info != nullptr) daemon_->address.port = info->port;
}

MetricsServer::~MetricsServer() = default;

const MetricsAddress& MetricsServer::address() const { return daemon_->address; }

}  // namespace sightline
