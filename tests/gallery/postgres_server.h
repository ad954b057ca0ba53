// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A PostgreSQL server for the tests alone: its data in a folder that goes away, reached by a socket
// in it, run as another user where the tests are root's (it refuses to be).

#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <sys/types.h>

#include "scratch.h"

namespace sightline {

class PostgresServer {
 public:
  // The server that all tests of this process share, made when it is first asked for; null if
  // PostgreSQL is not installed, or Sightline was built without it.
  static PostgresServer* shared();

  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start();  // and waits until it answers
  void stop();   // in order, with all connections
  void kill();   // as a crash would

  std::string url(const std::string& schema) const;
  std::filesystem::path data() const { return scratch_ / "data"; }

 private:
  Scratch scratch_;
  pid_t process_ = 0;
};

// A connection with which tests do what other programs may do.
class Psql {
 public:
  explicit Psql(const std::string& url);
  ~Psql();
  Psql(const Psql&) = delete;
  Psql& operator=(const Psql&) = delete;

  std::string ask(const std::string& sql);  // the first field of the last statement's result

 private:
  void* connection_;
};

}  // namespace sightline
