// SPDX-License-Identifier: BSD-3-Clause
//
// The service as a whole: listens, and hands each new connection to the next of the engine's loops.

#pragma once

#include "http_loop.hpp"
#include "work_count.hpp"

#include "sheaf/engine.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace techempower {

/// Connections at once, on all loops together: below the 1024 descriptors that a process may usually have, with room
/// for the database's sessions.
inline constexpr std::size_t connections_max = 900;

class server {
public:
  /// Listens on 127.0.0.1 and serves until `stop`. `port` 0 is any free one. Throws std::system_error when it cannot
  /// listen. Not on one of the engine's loops.
  server(sheaf::engine& engine, unsigned short port, std::chrono::seconds idle_max);

  /// As `stop`.
  ~server() { stop(); }

  server(const server&) = delete;
  server& operator=(const server&) = delete;

  unsigned short port() const noexcept { return port_; }

  /// Takes no connections any more, answers what is in flight, and returns when all connections are closed. A client
  /// that keeps one waiting loses it after `time_max`; the engine answers by a request's deadline. Not on one of the
  /// engine's loops.
  void stop(std::chrono::seconds time_max = std::chrono::seconds{10});

private:
  /// Lives on the first loop.
  struct listener {
    explicit listener(boost::asio::io_context& context) : acceptor(context), pause(context) {}

    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer pause;
    std::size_t next = 0; ///< The loop that gets the next connection.
  };

  void on_each_loop(const std::function<void(std::unique_ptr<http_loop>&)>& f);
  void on_first_loop(const std::function<void()>& f);
  void listen(unsigned short port);
  void accept();

  sheaf::engine& engine_;
  work_count work_; ///< The connections, and the listener.
  std::vector<std::unique_ptr<http_loop>> loops_;
  std::optional<listener> listener_;
  unsigned short port_ = 0;
};

} // namespace techempower
