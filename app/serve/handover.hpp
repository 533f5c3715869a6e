// SPDX-License-Identifier: BSD-3-Clause
//
// The way of a client's connection from a loop that serves an earlier state of the file to one that serves the present:
// so a reload costs no client its connection, and no request its answer. Any thread, unless said otherwise.

#pragma once

#include <boost/asio/ip/address.hpp>

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sheaf::app::serve {

struct free_ssl {
  void operator()(SSL* x) const noexcept { SSL_free(x); }
};
using ssl_ptr = std::unique_ptr<SSL, free_ssl>;

/// A connection between two requests, which no loop watches. It is closed with this.
class moving_client {
public:
  moving_client(int socket, boost::asio::ip::address client, ssl_ptr session, std::string read)
    : address(std::move(client)), tls(std::move(session)), unread(std::move(read)), socket_(socket) {}
  moving_client(moving_client&& x) noexcept;
  moving_client(const moving_client&) = delete;
  moving_client& operator=(const moving_client&) = delete;
  moving_client& operator=(moving_client&&) = delete;
  ~moving_client();

  int take_socket() noexcept; ///< The caller closes it.

  const boost::asio::ip::address address;
  ssl_ptr tls;        ///< Null for plain HTTP.
  std::string unread; ///< Bytes of the next request, which have left the socket.

private:
  int socket_;
};

/// A loop that takes clients.
class client_taker {
public:
  /// Takes a connection that another loop has passed on. Under the lock of `handover`.
  virtual void adopt(moving_client x) = 0;

protected:
  ~client_taker() = default;
};

class handover {
public:
  /// These loops take clients from now on, in turn; empty: nobody does. They take them until they are told to retire,
  /// and live until they have passed on what comes to them after that.
  void go_to(std::vector<client_taker*> loops);

  /// False when nobody takes it: then it is closed.
  bool pass(moving_client x);

private:
  std::mutex lock_;
  std::vector<client_taker*> loops_;
  std::size_t next_ = 0;
};

} // namespace sheaf::app::serve
