// SPDX-License-Identifier: BSD-3-Clause
//
// One of the engine's event loops as the service sees it: its listening socket, the connections that live there, and
// what they share. On that loop's thread, unless said otherwise.

#pragma once

#include "app/serve/connection.hpp"
#include "app/serve/connection_host.hpp"
#include "app/serve/handover.hpp"

#include "sheaf/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <poll.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace sheaf::app::serve {

class http_loop final : public connection_host, public client_taker {
public:
  /// Accepts on `listener`, a descriptor that it takes over. `on_empty` is called, on this thread, when it has stopped
  /// or retired and has no connections any more.
  /// Connections that are idle once it has retired go through `way`.
  http_loop(boost::asio::io_context& context, service& of, int listener, handover& way, std::function<void()> on_empty);

  void end(connection& which) override;
  void pass_on(connection& which) override;

  /// Any thread.
  void adopt(moving_client x) override;

  /// Stops accepting; connections are passed on when they are idle.
  void retire();

  /// Stops accepting; connections end when they are idle. Those that are not by `deadline` are cut off.
  void stop(clock::time_point deadline);

private:
  void accept();
  void take(tcp_socket socket);
  void take_adopted(moving_client x);
  void start(connection& one);
  void sweep_later();
  void sweep();
  void find_lost_clients();
  void tell_listeners(clock::time_point now);
  void check_empty();

  handover& way_;
  std::function<void()> on_empty_;
  boost::asio::ip::tcp protocol_ = boost::asio::ip::tcp::v4();
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type> acceptor_;
  boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, boost::asio::io_context::executor_type>
      accept_pause_, sweep_timer_;
  std::list<connection> connections_;
  std::vector<connection*> watched_;
  std::vector<pollfd> polled_;
  clock::time_point next_second_{}, cut_at_ = clock::time_point::max();
  bool told_ = false;
  bool was_busy_ = false;                                  ///< As the event before has it.
  std::atomic<std::size_t> adopting_{0};                   ///< Connections on their way to it. Any thread.
  std::shared_ptr<char> alive_ = std::make_shared<char>(); ///< Later handlers look whether this is there.
};

} // namespace sheaf::app::serve
