// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/metrics_server.h"

#include <random>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/exit_status.h"
#include "core/error.h"

namespace sightline {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// One connection, byte by byte: nothing that knows HTTP.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    const timeval patience{20, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(socket_); }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

  bool connected() const { return connected_; }
  void say(const std::string& bytes) const {
    (void)!send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  std::string hear() const {
    std::string text;
    char bytes[4096];
    for (ssize_t count; (count = recv(socket_, bytes, sizeof bytes, 0)) > 0;)
      text.append(bytes, static_cast<std::size_t>(count));
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

class MetricsServerTest : public testing::Test {
 protected:
  std::string answer(const std::string& request) const {
    const Client client(server_.address().port);
    client.say(request);
    return client.hear();
  }
  std::string get(const std::string& path) const {
    return answer("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  MetricsServer server_{{}, [] { return std::string("answer 42\n"); }};
};

TEST_F(MetricsServerTest, AnswersWithTheFigures) {
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/metrics"), HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(get("/metrics"), EndsWith("\r\n\r\nanswer 42\n"));
}

TEST_F(MetricsServerTest, RefusesWhatItDoesNotServe) {
  EXPECT_THAT(get("/"), HasSubstr(" 404 "));
  EXPECT_THAT(get("/metrics/../../etc/passwd"), HasSubstr(" 404 "));
  EXPECT_THAT(
      answer(
          "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"),
      HasSubstr(" 405 "));
}

TEST_F(MetricsServerTest, GarbageEndsItsOwnConnectionOnly) {
  std::mt19937 random(11);
  std::vector<std::string> garbage = {
      "\r\n\r\n", "GET\r\n\r\n", std::string(100'000, 'A') + "\r\n\r\n",
      "GET /metrics HTTP/1.1\r\n" + std::string(100'000, 'x') + ": y\r\n\r\n",
      "GET " + std::string(50'000, '/') + " HTTP/1.1\r\n\r\n"};
  for (int i = 0; i < 20; ++i) {
    std::string bytes(200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    garbage.push_back(bytes + "\r\n\r\n");
  }
  std::vector<Client> clients;
  for (const std::string& bytes : garbage) {
    clients.emplace_back(server_.address().port);
    clients.back().say(bytes);
  }
  clients.clear();
  EXPECT_THAT(get("/metrics"), EndsWith("answer 42\n"));
}

TEST_F(MetricsServerTest, SlowClientsHoldUpNobody) {
  std::vector<Client> slow;
  for (int i = 0; i < 16; ++i) {
    slow.emplace_back(server_.address().port);
    slow.back().say("GET /met");  // and nothing more
  }
  EXPECT_THAT(get("/metrics"), EndsWith("answer 42\n"));
}

// More than there is room for are turned away or wait; once they are gone all is as before.
TEST_F(MetricsServerTest, ManyClientsAreTooManyForAWhileOnly) {
  {
    std::vector<Client> many;
    for (int i = 0; i < 100; ++i) many.emplace_back(server_.address().port);
  }
  std::string text;
  for (int attempt = 0; attempt < 600 && text.empty(); ++attempt) {
    text = get("/metrics");
    if (text.empty()) usleep(100'000);
  }
  EXPECT_THAT(text, EndsWith("answer 42\n"));
}

TEST_F(MetricsServerTest, SaysThatAPortIsTaken) {
  try {
    const MetricsServer second(server_.address(), [] { return std::string(); });
    FAIL() << "took a port twice";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(server_.address().port)));
    EXPECT_THAT(error.what(), HasSubstr("Choose another port"));
  }
}

TEST(MetricsAddress, IsAPortOfThisMachineUnlessAnAddressIsGiven) {
  EXPECT_EQ(MetricsAddress::parse("9090").text(), "127.0.0.1:9090");
  EXPECT_EQ(MetricsAddress::parse("0.0.0.0:80").text(), "0.0.0.0:80");
  EXPECT_EQ(MetricsAddress::parse("[::1]:9090").text(), "[::1]:9090");
  for (const char* wrong :
       {"", "x", "65536", "-1", "9090x", "host:9090", ":9090", "1.2.3:80", "1.2.3.4:"})
    EXPECT_THROW(MetricsAddress::parse(wrong), UsageError) << wrong;
}

}  // namespace
}  // namespace sightline
