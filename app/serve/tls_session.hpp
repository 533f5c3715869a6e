// SPDX-License-Identifier: BSD-3-Clause
//
// TLS on one client's non-blocking socket, a step at a time: each does what the socket lets it do, and says what it
// waits for. On the thread of its loop.
//
// OpenSSL reads and writes the socket itself. Asio's ssl::stream (Boost 1.81) keeps four buffers of 17 KiB for each
// connection, idle or not; OpenSSL's own are there only while something is under way (SSL_MODE_RELEASE_BUFFERS).

#pragma once

#include "app/serve/handover.hpp"
#include "app/serve/tcp_socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace sheaf::app::serve {

class tls_session {
public:
  /// `socket` outlives it. Throws when there is no memory.
  tls_session(tcp_socket& socket, boost::asio::ssl::context& how);

  /// Goes on with a session that another has released.
  tls_session(tcp_socket& socket, ssl_ptr released);

  /// The session between two steps, for another socket object of the same connection. Nothing can be done with this any
  /// more.
  ssl_ptr release() noexcept { return std::move(ssl_); }

  struct progress {
    std::optional<tcp_socket::wait_type> waits_for{}; ///< The step has to be made again then; nothing: it is over.
    boost::system::error_code why{};                  ///< `eof`: the client has said that nothing more will come.
    std::size_t bytes = 0;
  };
  progress handshake();
  progress read(boost::asio::mutable_buffer to);

  /// True when there is more of the record that was read last.
  bool has_unread() const noexcept { return SSL_pending(ssl_.get()) > 0; }

  /// All or nothing; made again with the same bytes.
  progress write(boost::asio::const_buffer from);

  /// Says that nothing more will come, and waits for the same from the client.
  progress shut_down();

private:
  static const BIO_METHOD* socket_method(); ///< The functions by which OpenSSL uses `socket_`.
  static int send(BIO* of, const char* data, int size);
  static int receive(BIO* of, char* to, int size);

  progress progress_of(int result) const;

  tcp_socket& socket_;
  boost::system::error_code failure_; ///< The failure of the socket.
  ssl_ptr ssl_;
};

} // namespace sheaf::app::serve
