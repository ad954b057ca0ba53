// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Figures on a local port, for Prometheus or whoever asks: GET /metrics.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sightline {

struct MetricsAddress {
  std::string host = "127.0.0.1";  // an IPv4 or IPv6 address
  std::uint16_t port = 0;          // 0: any that is free

  // "9090", "0.0.0.0:9090", "[::1]:9090". Throws UsageError, which says what was expected.
  static MetricsAddress parse(const std::string& text);
  std::string text() const;  // "127.0.0.1:9090"
};

// Answers in a thread of its own, which shares nothing with video: who asks slowly, too much or
// nonsense holds up nobody but others who ask.
class MetricsServer {
 public:
  // `figures` gives the text, from the server's thread. Throws Error if the address can't be used.
  MetricsServer(const MetricsAddress& address, std::function<std::string()> figures);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  const MetricsAddress& address() const;  // with the port that was taken

 private:
  struct Daemon;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace sightline
