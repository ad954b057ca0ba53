// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/socket_transport.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using ::testing::HasSubstr;

// Who listens at a path, and takes one connection after another.
class Listener {
 public:
  explicit Listener(const std::string& path, int type = SOCK_STREAM)
      : socket_(::socket(AF_UNIX, type, 0)) {
    ::unlink(path.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(socket_, 4), 0);
    }
  }
  ~Listener() {
    hang_up();
    ::close(socket_);
  }
  void accept() { connection_ = ::accept(socket_, nullptr, nullptr); }
  void hang_up() {
    if (connection_ >= 0) ::close(connection_);
    connection_ = -1;
  }
  std::string read(std::size_t size) {
    std::string text(size, '?');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t count = ::read(connection_, text.data() + done, size - done);
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    text.resize(done);
    return text;
  }

 private:
  int socket_;
  int connection_ = -1;
};

class SocketTransportTest : public ::testing::Test {
 protected:
  SocketTransportTest() {
    char name[] = "/tmp/sightsocket-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ / "socket";
  }
  ~SocketTransportTest() override { std::filesystem::remove_all(folder_); }

  static std::size_t deliver(SocketTransport& transport, const std::string& line) {
    return transport.deliver(std::array{line});
  }
  static std::string failure(SocketTransport& transport) {
    try {
      deliver(transport, "line");
    } catch (const DeliveryError& error) {
      EXPECT_TRUE(error.may_pass());
      return error.what();
    }
    return "none";
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(SocketTransportTest, WritesLinesToWhoeverListens) {
  Listener listener(path_);
  SocketTransport transport(path_);
  EXPECT_EQ(deliver(transport, "one"), 1u);
  listener.accept();
  EXPECT_EQ(deliver(transport, "two"), 1u);
  EXPECT_EQ(listener.read(8), "one\ntwo\n");
}

TEST_F(SocketTransportTest, ConnectsAgainAndLosesNoLineThatIsWrittenLater) {
  Listener listener(path_);
  SocketTransport transport(path_);
  deliver(transport, "one");
  listener.accept();
  EXPECT_EQ(listener.read(4), "one\n");
  listener.hang_up();
  deliver(transport, "two");
  listener.accept();
  EXPECT_EQ(listener.read(4), "two\n");
}

TEST_F(SocketTransportTest, ALineThatWasCutIsSentAnewAndWhole) {
  Listener listener(path_);
  SocketTransport transport(path_);
  const std::string line(4 << 20, 'x');  // more than the socket's buffer
  std::thread writer([&] { deliver(transport, line); });
  listener.accept();
  EXPECT_EQ(listener.read(1000).size(), 1000u);
  listener.hang_up();
  listener.accept();
  EXPECT_EQ(listener.read(line.size() + 1), line + "\n");
  writer.join();
}

TEST_F(SocketTransportTest, AnInterruptEndsTheWaitForAReaderThatDoesNotRead) {
  Listener listener(path_);
  SocketTransport transport(path_);
  std::string problem;
  std::thread writer([&] {
    try {
      deliver(transport, std::string(4 << 20, 'x'));
    } catch (const DeliveryError& error) {
      problem = error.what();
    }
  });
  listener.accept();
  EXPECT_EQ(listener.read(1), "x");
  transport.interrupt();
  writer.join();
  EXPECT_THAT(problem, HasSubstr(path_));
}

TEST_F(SocketTransportTest, FailuresSayWhatToDo) {
  SocketTransport transport(path_);
  EXPECT_THAT(failure(transport), HasSubstr("cannot connect to the socket \"" + path_ + "\""));
  EXPECT_THAT(failure(transport), HasSubstr("Nobody listens there: start the receiver"));
  {
    Listener datagrams(path_, SOCK_DGRAM);
    EXPECT_THAT(failure(transport), HasSubstr("Expected a stream socket"));
  }
  EXPECT_THAT(failure(transport), HasSubstr("Connection refused"));
  Listener listener(path_);
  EXPECT_EQ(failure(transport), "none") << "and it works when somebody does";
  try {
    SocketTransport too_long(std::string(200, 'x'));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("at most 107 bytes, this one has 200"));
  }
}

}  // namespace
}  // namespace sightline
