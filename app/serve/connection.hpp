// SPDX-License-Identifier: BSD-3-Clause
//
// One client's connection: takes a request, answers it, takes the next one. On the thread of its loop.
//
// It waits for one thing at a time (its client's bytes, its client's window, or the engine), so the handler may end it;
// but the engine's reply may come while streamed rows are written. While it is idle it holds no buffer: it waits until
// something can be read.

#pragma once

#include "app/serve/client_stream.hpp"
#include "app/serve/handover.hpp"
#include "app/serve/response.hpp"

#include "sheaf/clock.hpp"
#include "sheaf/request.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace sheaf::app {
struct request_spec;
}

namespace sheaf::app::serve {

class connection_host;
struct exchange;

class connection {
public:
  connection(connection_host& home, tcp_socket socket, boost::asio::ip::address client);

  /// Goes on with one that another loop has passed on.
  connection(connection_host& home, tcp_socket socket, moving_client client);
  ~connection();

  void start();

  /// Gives up on a client that has kept it waiting for too long.
  void look(clock::time_point now);

  /// True while only a look at the socket can tell that the client has gone: nothing is read or written.
  bool is_blind() const noexcept { return (state_ == state::running || state_ == state::events) && !gone_; }
  int descriptor() { return stream_.socket().native_handle(); }

  /// The client has gone: cancels its running queries. May end the connection.
  void lose_client();

  /// True for a stream of events; `tell` sends one on it.
  bool hears_events() const noexcept { return state_ == state::events; }
  void tell(const std::string& event);

  /// The service stops: ends when idle, else after its answer.
  void stop();

  /// Its loop serves an earlier state of the file from now on: is passed on when idle, else after its answer.
  void retire();

  /// Its client, for another loop; between two requests. The connection is to be destroyed then.
  moving_client leave();

  /// The time to stop is over: running requests are cancelled, and a client that does not read is left.
  void cut();

  const boost::asio::ip::address& client() const noexcept { return client_; }

  std::list<connection>::iterator place; ///< The place in its loop's list.

private:
  using error = boost::system::error_code;
  enum class state : std::uint8_t { handshake, idle, head, body, running, writing, events, lingering };

  // Reading: connection.cpp.
  void next_request();
  void wait_for_request();
  void begin_request();
  bool is_called_away(error why);
  void read();
  void on_read(error why, std::size_t bytes);
  void parse();
  bool skip_empty_lines();
  bool look_at_head();
  void refuse_syntax(error why);
  void name_exchange();
  void refuse(response why);

  // Asking: connection_ask.cpp; what the page looks at, connection_look.cpp.
  void serve();
  void run();
  void run(request asked, bool on_shared_session);
  void explain();
  void tell_recent();
  void check_ready();
  void finish_run(reply x);
  void refuse_run(const failure& why);
  bool begin_stream(const request& asked);
  void end_counted_stream();

  // Rows that are sent while their query runs: connection_stream.cpp.
  void stream_rows(request& asked, const request_spec& as_declared);
  void on_rows(table part, std::function<void()> next);
  void on_stream_written(error why);
  void end_stream(reply x);

  // Writing: connection_write.cpp.
  void respond(response x);
  void respond(reply x);
  void begin_head(std::string_view type);
  void end_head(bool is_whole);
  void note_failures(const reply& x);
  void zip_piece(bool is_last);
  void append_piece();
  bool next_piece();
  void write();
  void on_written(error why);
  void finish_exchange(unsigned status);
  void end_lost();
  void linger();
  void begin_events();

  void end();
  void close_socket();

  connection_host& home_;
  client_stream stream_;
  const boost::asio::ip::address client_;
  std::unique_ptr<exchange> exchange_; ///< Null while idle.
  clock::time_point give_up_ = clock::time_point::max();
  state state_ = state::handshake;
  bool last_ = false;      ///< Ends after this answer.
  bool timed_out_ = false; ///< The read that is cancelled has taken too long.
  bool gone_ = false;      ///< The client has gone.
  bool busy_ = false;      ///< The socket owes a call.
  bool cut_ = false;       ///< Its request was cancelled because the service ends.
};

} // namespace sheaf::app::serve
