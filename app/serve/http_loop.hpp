// SPDX-License-Identifier: BSD-3-Clause
//
// One of the engine's event loops as the service sees it: its listening socket, the connections that live there, and
// what they share. On that loop's thread, but for what says otherwise.

#pragma once

#include "access_log.hpp"
#include "connection.hpp"
#include "exchange.hpp"
#include "service.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <poll.h>

#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace sheaf::app::serve {

class http_loop {
public:
  /// Accepts on `listener`, a descriptor that it takes over. `on_empty` is called, on this thread, when it has stopped
  /// and has no connections any more.
  http_loop(boost::asio::io_context& context, service& of, int listener, std::function<void()> on_empty);
  ~http_loop();
  http_loop(const http_loop&) = delete;
  http_loop& operator=(const http_loop&) = delete;

  boost::asio::io_context& context() noexcept { return context_; }
  service& shared() noexcept { return service_; }
  date_line& date() noexcept { return date_; }
  access_log& log() noexcept { return log_; }
  activity_batch& seen() noexcept { return seen_; }

  /// A request of the file, whose statements no other loop shares: counting references to the same would send them to
  /// and fro between the loops' caches.
  const request_spec& request(std::size_t index) const { return requests_[index]; }

  /// Memory for a request; `put_back` keeps some of it for the next.
  std::unique_ptr<exchange> take_exchange();
  void put_back(std::unique_ptr<exchange> x);

  /// The connection is over, and gone with this.
  void end(connection& which);

  /// Stops accepting; connections end when they are idle. Those that are not by `deadline` are cut off.
  void stop(clock::time_point deadline);
  bool stopping() const noexcept { return stopping_; }

  /// The answer of the last `/readyz`, while it is worth something.
  struct readiness {
    clock::time_point until{};
    http::status status = http::status::ok;
    std::string body;
  };
  readiness& ready() noexcept { return ready_; }

private:
  void accept();
  void take(tcp_socket socket);
  void sweep_later();
  void sweep();
  void find_lost_clients();
  void check_empty();

  boost::asio::io_context& context_;
  service& service_;
  std::function<void()> on_empty_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type> acceptor_;
  boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, boost::asio::io_context::executor_type>
      accept_pause_, sweep_timer_;
  std::vector<request_spec> requests_;
  std::vector<std::unique_ptr<exchange>> spare_;
  std::list<connection> connections_; ///< Which give back to `spare_`.
  std::vector<connection*> watched_;
  std::vector<pollfd> polled_;
  date_line date_;
  access_log log_;
  activity_batch seen_;
  readiness ready_;
  clock::time_point next_second_{}, cut_at_ = clock::time_point::max();
  bool stopping_ = false, told_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>(); ///< What is called back later looks whether this is.
};

} // namespace sheaf::app::serve
