// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postgres_server.h"

#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#ifdef SIGHTLINE_TEST_POSTGRESQL
#include <libpq-fe.h>
#endif

namespace sightline {

#ifdef SIGHTLINE_TEST_POSTGRESQL
namespace {

namespace fs = std::filesystem;

// Of the newest version that is installed; empty if there is none.
fs::path programs() {
  fs::path best;
  std::error_code none;
  for (const fs::directory_entry& version : fs::directory_iterator("/usr/lib/postgresql", none))
    if (fs::exists(version.path() / "bin" / "initdb") && version.path() > best)
      best = version.path();
  return best.empty() ? best : best / "bin";
}

const passwd* server_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  return user != nullptr ? user : ::getpwnam("nobody");
}

// Runs a program as the server's user, its output in `log`. It ends with this process.
pid_t spawn(const std::vector<std::string>& command, const fs::path& log) {
  const passwd* user = server_user();
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (user != nullptr &&
      (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
    ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int output = ::open(log.c_str(), O_CREAT | O_APPEND | O_WRONLY, 0600);
  ::dup2(output, 1);
  ::dup2(output, 2);
  if (::chdir("/") != 0) ::_exit(126);
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

bool is_answering(const std::string& url) {
  return PQping(url.substr(0, url.find("&schema=")).c_str()) == PQPING_OK;
}

}  // namespace

PostgresServer* PostgresServer::shared() {
  if (programs().empty()) return nullptr;
  static PostgresServer server;
  return &server;
}

PostgresServer::PostgresServer() {
  if (const passwd* user = server_user())
    if (::chown(scratch_.path().c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("the server's folder cannot be given to its user");
  const pid_t maker = spawn({programs() / "initdb", "-D", data(), "-A", "trust", "-U", "sightline",
                             "-E", "UTF8", "--locale=C", "--no-sync"},
                            scratch_ / "log");
  int status = 0;
  if (::waitpid(maker, &status, 0) != maker || status != 0)
    throw std::runtime_error("initdb failed with status " + std::to_string(status));
  start();
}

PostgresServer::~PostgresServer() {
  if (process_ != 0) stop();
}

void PostgresServer::start() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    if (process_ == 0) {
      process_ = spawn({programs() / "postgres", "-D", data(), "-k", scratch_.path(), "-c",
                        "listen_addresses=", "-c", "fsync=on", "-c", "max_connections=60", "-c",
                        "shared_buffers=16MB"},
                       scratch_ / "log");
    }
    if (is_answering(url("none"))) return;
    // After a crash the old server's processes may still be there for an instant.
    if (::waitpid(process_, nullptr, WNOHANG) == process_) process_ = 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("the server does not answer");
}

void PostgresServer::stop() {
  ::kill(process_, SIGINT);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

void PostgresServer::kill() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

std::string PostgresServer::url(const std::string& schema) const {
  std::string folder;
  for (const char c : scratch_.path().string()) folder += c == '/' ? "%2F" : std::string(1, c);
  return "postgresql:///postgres?host=" + folder + "&user=sightline&schema=" + schema;
}

Psql::Psql(const std::string& url)
    : connection_(PQconnectdb(url.substr(0, url.find("&schema=")).c_str())) {
  const std::size_t schema = url.find("&schema=");
  ask("SET search_path = " + url.substr(schema + 8) + ", public");
}

Psql::~Psql() { PQfinish(static_cast<PGconn*>(connection_)); }

std::string Psql::ask(const std::string& sql) {
  auto* connection = static_cast<PGconn*>(connection_);
  PGresult* result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
      << sql << ": " << PQerrorMessage(connection);
  std::string answer;
  if (status == PGRES_TUPLES_OK && PQntuples(result) > 0) answer = PQgetvalue(result, 0, 0);
  PQclear(result);
  return answer;
}

#else

PostgresServer* PostgresServer::shared() { return nullptr; }
PostgresServer::PostgresServer() = default;
PostgresServer::~PostgresServer() = default;
void PostgresServer::start() {}
void PostgresServer::stop() {}
void PostgresServer::kill() {}
std::string PostgresServer::url(const std::string&) const { return {}; }
Psql::Psql(const std::string&) : connection_(nullptr) {}
Psql::~Psql() = default;
std::string Psql::ask(const std::string&) { return {}; }

#endif

}  // namespace sightline
