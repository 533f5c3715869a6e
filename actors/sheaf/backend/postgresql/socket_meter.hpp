// SPDX-License-Identifier: BSD-3-Clause
//
// Counts what somebody else (libpq) reads from a stream socket and does not tell. Linux only, as epoll is.

#pragma once

#include <cstddef>
#include <cstdint>

namespace sheaf {

class socket_meter {
public:
  /// Counts from here. The socket is a TCP or a unix one, and stays open.
  void start(int socket) noexcept;

  /// Bytes read since `start`; off by what comes in during the call, not by more, and never less than before. Two
  /// system calls.
  std::size_t read() noexcept;

private:
  std::uint64_t total() noexcept;

  int socket_ = -1;
  bool unix_ = false;
  std::uint64_t begin_ = 0;
  std::size_t last_ = 0;
  std::uint64_t unix_total_ = 0;
};

} // namespace sheaf
