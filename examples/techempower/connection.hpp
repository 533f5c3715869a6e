// SPDX-License-Identifier: BSD-3-Clause
//
// One HTTP/1.1 connection: takes a request, answers it, takes the next one. On the thread of its loop.
//
// It waits for exactly one thing at a time (its client's bytes, its client's window, or the engine's reply), so each
// handler may end it.

#pragma once

#include "request_parser.hpp"

#include "sheaf/request.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http/status.hpp>

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace techempower {

class http_loop;

using clock = std::chrono::steady_clock;
/// A socket that knows its executor's type, which saves a virtual call for each step.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

class connection {
public:
  connection(http_loop& home, tcp_socket socket);

  /// Answers the requests that are there, and waits for more. May end the connection.
  void serve();

  /// The service stops: does not wait for a request any longer.
  void stop();

  /// Does not wait for its client any longer.
  void drop();

  /// True when its client has kept it waiting for too long.
  bool wait_is_over(clock::time_point now) const noexcept { return now >= give_up_; }

  std::list<connection>::iterator place; ///< The place in its loop's list.

private:
  using error = boost::system::error_code;

  void read();
  bool read_at_once();
  void on_read(error why, std::size_t bytes);
  bool is_for_rows() const;
  void refuse_request(error why);
  void refuse(http::status status, std::string_view more = {});
  void query();
  void answer(const sheaf::reply& rows);
  std::string_view ending();
  bool send();
  void send_rest(std::size_t sent);
  bool take_next();
  void linger();
  void end();

  static constexpr auto never = clock::time_point::max();

  http_loop& home_;
  tcp_socket socket_;
  clock::time_point give_up_ = never;
  bool waits_for_request_ = false, last_ = false;

  // Made anew for each request, in the same memory.
  std::optional<request_parser> parser_{std::in_place};
  boost::beast::flat_static_buffer<request_parser::header_bytes_max> unread_;
  std::string head_, body_;
};

} // namespace techempower
