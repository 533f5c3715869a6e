// SPDX-License-Identifier: BSD-3-Clause

#include "support/silent_server.hpp"

#include <fmt/format.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace sheaf::test {

silent_server::silent_server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (socket_ < 0 || ::bind(socket_, any, size) != 0 || ::listen(socket_, 100) != 0 ||
      ::getsockname(socket_, any, &size) != 0)
    throw std::system_error(errno, std::generic_category(), "silent_server");
  port_ = ntohs(address.sin_port);
}

std::string silent_server::url() const { return fmt::format("postgresql://nobody@127.0.0.1:{}/nothing", port_); }

void silent_server::hang_up() {
  if (socket_ >= 0)
    ::close(std::exchange(socket_, -1));
}

} // namespace sheaf::test
