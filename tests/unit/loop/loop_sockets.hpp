// SPDX-License-Identifier: BSD-3-Clause
//
// Sockets for a loop to watch.

#pragma once

#include "sheaf/loop/event_loop.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <utility>

namespace sheaf::test {

/// Two connected sockets.
struct socket_pair {
  socket_pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0); }
  ~socket_pair() {
    for (const int end : ends)
      ::close(end);
  }
  void write(int end, char c) const { EXPECT_EQ(::write(ends[end], &c, 1), 1); }
  char read(int end) const {
    char c = 0;
    return ::read(ends[end], &c, 1) == 1 ? c : '\0';
  }
  int ends[2];
};

struct handler final : io_handler {
  explicit handler(std::function<void(bool, bool)> f) : f(std::move(f)) {}
  void on_io(bool readable, bool writable) override { f(readable, writable); }
  std::function<void(bool, bool)> f;
};

} // namespace sheaf::test
