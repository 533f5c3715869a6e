// SPDX-License-Identifier: BSD-3-Clause
//
// One of the engine's event loops as this service sees it: the HTTP connections that live there, and what they share.
// Loop thread only, unless said otherwise.

#pragma once

#include "answer.hpp"
#include "connection.hpp"
#include "work_count.hpp"

#include "sheaf/engine.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <list>
#include <random>

namespace techempower {

class http_loop {
public:
  /// `work` counts the connections of all loops.
  http_loop(boost::asio::io_context& context, sheaf::engine& engine, work_count& work, std::chrono::seconds idle_max);

  boost::asio::io_context& context() noexcept { return context_; } ///< Any thread.
  sheaf::engine& engine() noexcept { return engine_; }
  date_line& date() noexcept { return date_; }
  std::chrono::seconds idle_max() const noexcept { return idle_max_; }

  /// A request for `n` random rows, each by a query of its own.
  sheaf::request world_request(std::size_t n);

  /// Makes a connection of this socket, which is of `context()`. Any thread.
  void take(tcp_socket socket);

  /// The connection is over, and gone with this.
  void end(connection& which);

  /// From now on a connection ends with its answer; those without a request end at once.
  void stop();
  bool stopping() const noexcept { return stopping_; }

  /// From now on a connection that waits for its client ends. Those that wait for the engine hear from it first.
  void drop_clients();

  /// The last call, without connections: counts as work until nothing happens here any more.
  void finish();

private:
  void watch_clients();

  boost::asio::io_context& context_;
  sheaf::engine& engine_;
  work_count& work_;
  const std::chrono::seconds idle_max_;

  // Of this loop only: data that all loops wrote to, or counted references of, would go to and fro between their
  // caches.
  const sheaf::statement statement_{"select id, randomnumber from world where id = :id"};
  std::minstd_rand random_{std::random_device{}()};
  std::uniform_int_distribution<std::int32_t> any_id_{1, 10'000};
  date_line date_;

  std::list<connection> connections_;
  boost::asio::steady_timer watch_{context_};
  bool stopping_ = false, dropping_ = false, finished_ = false;
};

} // namespace techempower
