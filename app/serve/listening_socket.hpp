// SPDX-License-Identifier: BSD-3-Clause
//
// The socket at which the service can be reached. One for all loops and over all reloads: a second service on the same
// port is refused, and no client waits in a queue that goes away. Main thread.

#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace sheaf::app::serve {

/// `127.0.0.1:8080`, `[::1]:0`, `localhost:8080`. Ends the command for a text that is not an address with a port.
boost::asio::ip::tcp::endpoint parse_endpoint(const std::string& text);

class listening_socket {
public:
  /// Port 0 is any free one. Ends the command when it cannot listen.
  explicit listening_socket(const boost::asio::ip::tcp::endpoint& where);
  ~listening_socket();
  listening_socket(const listening_socket&) = delete;
  listening_socket& operator=(const listening_socket&) = delete;

  int descriptor() const noexcept { return fd_; }

  /// The address, with the port that it has got.
  boost::asio::ip::tcp::endpoint where() const;

  /// Nobody can connect any more, once the copies are closed too.
  void close() noexcept;

private:
  int fd_ = -1;
};

} // namespace sheaf::app::serve
