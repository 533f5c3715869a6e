// SPDX-License-Identifier: BSD-3-Clause
//
// A client's socket, with TLS or without. On the thread of its loop.

#pragma once

#include "app/serve/tcp_socket.hpp"
#include "app/serve/tls_session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <utility>

namespace sheaf::app::serve {

/// Handlers are called later, never at once.
class client_stream {
public:
  /// `tls` is null for plain HTTP. The socket does not block.
  client_stream(tcp_socket socket, boost::asio::ssl::context* tls) : socket_(std::move(socket)) {
    if (tls)
      tls_ = std::make_unique<tls_session>(socket_, *tls);
  }

  /// Goes on with a connection of which another has released `tls`, null for plain HTTP.
  client_stream(tcp_socket socket, ssl_ptr tls) : socket_(std::move(socket)) {
    if (tls)
      tls_ = std::make_unique<tls_session>(socket_, std::move(tls));
  }

  /// Null for plain HTTP. Nothing is under way, and nothing can be done with this any more.
  ssl_ptr release_tls() noexcept { return tls_ ? tls_->release() : nullptr; }

  tcp_socket& socket() noexcept { return socket_; }
  bool is_tls() const noexcept { return tls_ != nullptr; }

  /// There is more to read that has left the socket already.
  bool has_unread() const noexcept { return tls_ && tls_->has_unread(); }

  template <class Handler>
  void async_handshake(Handler f) {
    make([this] { return tls_->handshake(); }, [f = std::move(f)](error why, std::size_t) mutable { f(why); });
  }

  template <class Buffer, class Handler>
  void async_read_some(const Buffer& to, Handler f) {
    if (tls_)
      make([this, to] { return tls_->read(to); }, std::move(f));
    else
      socket_.async_read_some(to, std::move(f));
  }

  template <class Buffer, class Handler>
  void async_write(const Buffer& from, Handler f) {
    if (tls_)
      make([this, from] { return tls_->write(from); }, std::move(f));
    else
      boost::asio::async_write(socket_, from, std::move(f));
  }

  /// Says that nothing more will come.
  template <class Handler>
  void async_shutdown(Handler f) {
    make([this] { return tls_->shut_down(); }, [f = std::move(f)](error why, std::size_t) mutable { f(why); });
  }

private:
  using error = boost::system::error_code;

  /// Makes the step until it is over.
  template <class Step, class Handler>
  void make(Step step, Handler f) {
    const auto x = step();
    if (x.waits_for)
      make_when_ready(*x.waits_for, std::move(step), std::move(f));
    else
      boost::asio::post(socket_.get_executor(), [x, f = std::move(f)]() mutable { f(x.why, x.bytes); });
  }

  template <class Step, class Handler>
  void make_when_ready(tcp_socket::wait_type event, Step step, Handler f) {
    socket_.async_wait(event, [this, step = std::move(step), f = std::move(f)](error why) mutable {
      const auto x = why ? tls_session::progress{.why = why} : step();
      if (x.waits_for)
        make_when_ready(*x.waits_for, std::move(step), std::move(f));
      else
        f(x.why, x.bytes);
    });
  }

  tcp_socket socket_;
  std::unique_ptr<tls_session> tls_;
};

} // namespace sheaf::app::serve
