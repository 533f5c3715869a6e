// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/socket_meter.hpp"

#include <linux/tcp.h> // glibc's own has a shorter tcp_info
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

namespace sheaf {

namespace {

/// The start of a unix socket's peek offset: the kernel moves it back by the bytes that are read (socket(7),
/// SO_PEEK_OFF). Nobody peeks here, so the offset does nothing but count.
constexpr int peek_offset = 1 << 30;

} // namespace

void socket_meter::start(int socket) noexcept {
  socket_ = socket;
  unix_total_ = 0;
  int domain = AF_UNSPEC;
  socklen_t size = sizeof domain;
  ::getsockopt(socket_, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  unix_ = domain == AF_UNIX;
  if (unix_)
    ::setsockopt(socket_, SOL_SOCKET, SO_PEEK_OFF, &peek_offset, sizeof peek_offset);
  begin_ = 0;
  last_ = 0;
  begin_ = total();
}

std::size_t socket_meter::read() noexcept {
  // Bytes still to be read may be counted already; then less has been read by the next call, or since `begin_`.
  const auto now = std::max(total(), begin_);
  return last_ = std::max(last_, static_cast<std::size_t>(now - begin_));
}

std::uint64_t socket_meter::total() noexcept {
  if (unix_) {
    int offset = peek_offset;
    socklen_t size = sizeof offset;
    ::getsockopt(socket_, SOL_SOCKET, SO_PEEK_OFF, &offset, &size);
    ::setsockopt(socket_, SOL_SOCKET, SO_PEEK_OFF, &peek_offset, sizeof peek_offset);
    return unix_total_ += static_cast<std::uint64_t>(peek_offset - offset);
  }
  int waiting = 0; // asked first: bytes that come in meanwhile may count too early, never twice
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::ioctl(socket_, FIONREAD, &waiting) != 0 || ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return begin_;
  return info.tcpi_bytes_received - static_cast<std::uint64_t>(waiting);
}

} // namespace sheaf
