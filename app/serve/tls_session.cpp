// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/tls_session.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <algorithm>
#include <limits>
#include <new>

namespace sheaf::app::serve {

namespace asio = boost::asio;

namespace {

int int_size(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

} // namespace

tls_session::tls_session(tcp_socket& socket, asio::ssl::context& how)
  : socket_(socket), ssl_(SSL_new(how.native_handle())) {
  auto* const bio = BIO_new(socket_method());
  if (!ssl_ || !bio) {
    BIO_free(bio);
    throw std::bad_alloc{};
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio); // which owns it now
}

tls_session::tls_session(tcp_socket& socket, ssl_ptr released) : socket_(socket), ssl_(std::move(released)) {
  BIO_set_data(SSL_get_rbio(ssl_.get()), this);
}

tls_session::progress tls_session::handshake() {
  ERR_clear_error();
  return progress_of(SSL_accept(ssl_.get()));
}

tls_session::progress tls_session::read(asio::mutable_buffer to) {
  ERR_clear_error();
  return progress_of(SSL_read(ssl_.get(), to.data(), int_size(to.size())));
}

tls_session::progress tls_session::write(asio::const_buffer from) {
  ERR_clear_error();
  return progress_of(SSL_write(ssl_.get(), from.data(), int_size(from.size())));
}

tls_session::progress tls_session::shut_down() {
  ERR_clear_error();
  auto done = SSL_shutdown(ssl_.get());
  if (done == 0) // said; a second call hears the client (SSL_shutdown(3))
    done = SSL_shutdown(ssl_.get());
  return progress_of(done);
}

/// The progress of the call that has just been made, by SSL_get_error(3).
tls_session::progress tls_session::progress_of(int result) const {
  switch (SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_NONE:
    return {.bytes = static_cast<std::size_t>(result)};
  case SSL_ERROR_WANT_READ:
    return {.waits_for = tcp_socket::wait_read};
  case SSL_ERROR_WANT_WRITE:
    return {.waits_for = tcp_socket::wait_write};
  case SSL_ERROR_ZERO_RETURN:
    return {.why = asio::error::eof};
  case SSL_ERROR_SYSCALL: // its end without a word may be an attacker's doing: it is not the client's
    if (failure_ && failure_ != asio::error::eof)
      return {.why = failure_};
    return {.why = asio::ssl::error::stream_truncated};
  default:
    return {.why = {static_cast<int>(ERR_get_error()), asio::error::get_ssl_category()}};
  }
}

// -- OpenSSL's way to the socket. Not its own BIO for sockets: that keeps the descriptor, which is another client's
// once the socket is closed, and raises SIGPIPE.

const BIO_METHOD* tls_session::socket_method() {
  struct free_method {
    void operator()(BIO_METHOD* x) const noexcept { BIO_meth_free(x); }
  };
  static const std::unique_ptr<BIO_METHOD, free_method> made = [] {
    std::unique_ptr<BIO_METHOD, free_method> m{BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tcp_socket")};
    if (!m)
      throw std::bad_alloc{};
    BIO_meth_set_write(m.get(), send);
    BIO_meth_set_read(m.get(), receive);
    BIO_meth_set_ctrl(m.get(), control);
    return m;
  }();
  return made.get();
}

int tls_session::send(BIO* of, const char* data, int size) {
  auto& me = *static_cast<tls_session*>(BIO_get_data(of));
  BIO_clear_retry_flags(of);
  const auto sent = me.socket_.write_some(asio::buffer(data, static_cast<std::size_t>(size)), me.failure_);
  if (!me.failure_)
    return static_cast<int>(sent);
  if (me.failure_ == asio::error::would_block)
    BIO_set_retry_write(of);
  return -1;
}

int tls_session::receive(BIO* of, char* to, int size) {
  auto& me = *static_cast<tls_session*>(BIO_get_data(of));
  BIO_clear_retry_flags(of);
  const auto got = me.socket_.read_some(asio::buffer(to, static_cast<std::size_t>(size)), me.failure_);
  if (!me.failure_)
    return static_cast<int>(got);
  if (me.failure_ == asio::error::would_block)
    BIO_set_retry_read(of);
  return -1;
}

} // namespace sheaf::app::serve
