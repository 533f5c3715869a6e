// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/socket_meter.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

namespace {

using namespace sheaf;

std::pair<int, int> unix_pair() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  return {ends[0], ends[1]};
}

std::pair<int, int> tcp_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener, 1), 0);
  EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int writer = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(::connect(writer, reinterpret_cast<sockaddr*>(&address), size), 0);
  const int reader = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  return {writer, reader};
}

class SocketMeter : public testing::TestWithParam<std::pair<int, int> (*)()> {
protected:
  SocketMeter() { std::tie(writer, reader) = GetParam()(); }
  ~SocketMeter() override {
    ::close(writer);
    ::close(reader);
  }

  void move(std::size_t bytes) {
    write(bytes);
    read(bytes);
  }
  void write(std::size_t bytes) {
    ASSERT_EQ(::send(writer, std::string(bytes, 'x').data(), bytes, 0), static_cast<ssize_t>(bytes));
  }
  void read(std::size_t bytes) {
    std::string buffer(bytes, ' ');
    ASSERT_EQ(::recv(reader, buffer.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
    ASSERT_EQ(buffer, std::string(bytes, 'x'));
  }

  int writer = -1, reader = -1;
  socket_meter meter;
};

INSTANTIATE_TEST_SUITE_P(Transports, SocketMeter, testing::Values(&unix_pair, &tcp_pair),
                         [](const auto& x) { return x.index == 0 ? "Unix" : "Tcp"; });

TEST_P(SocketMeter, CountsWhatIsReadNotWhatWaits) {
  move(100);
  write(1000);
  meter.start(reader);
  EXPECT_EQ(meter.read(), 0u);
  read(400);
  EXPECT_EQ(meter.read(), 400u);
  EXPECT_EQ(meter.read(), 400u);
  read(600);
  for (int i = 0; i < 100; ++i)
    move(50'000);
  EXPECT_EQ(meter.read(), 5'001'000u);
}

TEST_P(SocketMeter, IsNotConfusedByWhatComesInMeanwhile) {
  constexpr std::size_t rounds = 2000, piece = 20'000;
  std::thread other{[this] {
    for (std::size_t i = 0; i < rounds; ++i)
      write(piece);
  }};
  for (std::size_t i = 0; i < rounds; ++i) {
    meter.start(reader);
    EXPECT_LE(meter.read(), rounds * piece);
    read(piece);
    EXPECT_LE(meter.read(), rounds * piece);
  }
  other.join();
}

TEST_P(SocketMeter, NeverGoesBack) {
  constexpr std::size_t rounds = 2000, piece = 200'000;
  std::thread other{[this] {
    for (std::size_t i = 0; i < rounds; ++i)
      write(piece);
  }};
  meter.start(reader);
  std::size_t last = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    for (int looks = 0; looks < 2; ++looks) {
      const auto now = meter.read();
      EXPECT_GE(now, last);
      last = now;
    }
    read(piece);
  }
  other.join();
  EXPECT_EQ(meter.read(), rounds * piece);
}

TEST_P(SocketMeter, StartsAnew) {
  meter.start(reader);
  move(100);
  meter.start(reader);
  move(10);
  EXPECT_EQ(meter.read(), 10u);
}

} // namespace
