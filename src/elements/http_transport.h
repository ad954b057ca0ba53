// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines to a server, by HTTP.

#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "elements/line_transport.h"

namespace sightline {

struct HttpOptions {
  std::string url;                          // http:// or https://
  std::vector<std::string> headers;         // "Name: value"
  std::string ca_file;                      // of certificates to trust; empty: the system's
  std::chrono::milliseconds timeout{5000};  // of one request, from connecting to the answer
  bool several = false;                     // lines a request: then they are newline-delimited JSON
};

// A POST for what deliver() is given; the connection is kept. An answer of 200 to 299 is success;
// what may pass is no answer, 408, 429 and 500 to 599. Redirections are not followed.
class HttpTransport : public LineTransport {
 public:
  // Throws Error(kConfig) for a URL that is none, or a header that would be two.
  explicit HttpTransport(HttpOptions options);
  ~HttpTransport() override;

  std::size_t deliver(std::span<const std::string> lines) override;
  void interrupt() override;

 private:
  struct Handles;

  int perform();
  void check_answer(int code);

  const HttpOptions options_;
  const std::string target_;  // the URL as it may be shown
  std::unique_ptr<Handles> handles_;
  std::string answer_;  // its beginning
  std::atomic<bool> interrupted_ = false;
};

}  // namespace sightline
