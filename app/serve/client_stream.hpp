// SPDX-License-Identifier: BSD-3-Clause
//
// A client's socket, with TLS or without. On the thread of its loop.

#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <utility>

namespace sheaf::app::serve {

/// A socket that knows its executor's type, which saves a virtual call for each step.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

class client_stream {
public:
  /// `tls` is null for plain HTTP.
  client_stream(tcp_socket socket, boost::asio::ssl::context* tls) : socket_(std::move(socket)) {
    if (tls)
      tls_ = std::make_unique<boost::asio::ssl::stream<tcp_socket&>>(socket_, *tls);
  }

  tcp_socket& socket() noexcept { return socket_; }
  bool is_tls() const noexcept { return tls_ != nullptr; }

  template <class Handler>
  void async_handshake(Handler f) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::move(f));
  }

  template <class Buffer, class Handler>
  void async_read_some(const Buffer& to, Handler f) {
    if (tls_)
      tls_->async_read_some(to, std::move(f));
    else
      socket_.async_read_some(to, std::move(f));
  }

  template <class Buffer, class Handler>
  void async_write(const Buffer& from, Handler f) {
    if (tls_)
      boost::asio::async_write(*tls_, from, std::move(f));
    else
      boost::asio::async_write(socket_, from, std::move(f));
  }

  /// Says that nothing more will come.
  template <class Handler>
  void async_shutdown(Handler f) {
    tls_->async_shutdown(std::move(f));
  }

private:
  tcp_socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<tcp_socket&>> tls_;
};

} // namespace sheaf::app::serve
