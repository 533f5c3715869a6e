// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/listening_socket.hpp"

#include "app/base/exit.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace sheaf::app::serve {

namespace ip = boost::asio::ip;

ip::tcp::endpoint parse_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  const auto* const end = text.data() + text.size();
  const auto digits = colon == text.npos ? end : text.data() + colon + 1;
  const auto [stop, error] = std::from_chars(digits, end, port);
  auto host = text.substr(0, std::min(colon, text.size()));
  if (host == "localhost")
    host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  boost::system::error_code wrong;
  const auto address = ip::make_address(host, wrong);
  if (digits == end || error != std::errc{} || stop != end || wrong)
    bad_input(fmt::format("--listen: {} is not an address and a port, such as 127.0.0.1:8080", text));
  return {address, port};
}

listening_socket::listening_socket(const ip::tcp::endpoint& where)
  : fd_(::socket(where.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  const int on = 1, off = 0;
  if (fd_ >= 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (where.address().is_v6())
      ::setsockopt(fd_, IPPROTO_IPV6, IPV6_V6ONLY, where.address().is_unspecified() ? &off : &on, sizeof on);
  }
  if (fd_ >= 0 && ::bind(fd_, where.data(), static_cast<socklen_t>(where.size())) == 0 && ::listen(fd_, SOMAXCONN) == 0)
    return;
  const int error = errno;
  close();
  throw command_error{exit_run_time_failure, fmt::format("cannot listen on {}:{}: {}", where.address().to_string(),
                                                         where.port(), std::generic_category().message(error))};
}

listening_socket::~listening_socket() { close(); }

void listening_socket::close() noexcept {
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

ip::tcp::endpoint listening_socket::where() const {
  ip::tcp::endpoint at;
  socklen_t size = static_cast<socklen_t>(at.capacity());
  ::getsockname(fd_, at.data(), &size);
  at.resize(size);
  return at;
}

} // namespace sheaf::app::serve
