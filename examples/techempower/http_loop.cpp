// SPDX-License-Identifier: BSD-3-Clause

#include "http_loop.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace techempower {

namespace {

/// The longest delay in noticing the end of a wait for a client: one timer for all of them costs a request nothing.
constexpr std::chrono::milliseconds watch_interval{500};

} // namespace

http_loop::http_loop(boost::asio::io_context& context, sheaf::engine& engine, work_count& work,
                     std::chrono::seconds idle_max)
  : context_(context), engine_(engine), work_(work), idle_max_(idle_max) {
  watch_clients();
}

sheaf::request http_loop::world_request(std::size_t n) {
  sheaf::request asked;
  asked.queries.reserve(n);
  for (std::size_t i = 0; i < n; ++i)
    asked.queries.emplace_back("", statement_, sheaf::parameters{{"id", any_id_(random_)}});
  return asked;
}

void http_loop::take(tcp_socket socket) {
  work_.begin();
  boost::asio::post(context_, [this, socket = std::move(socket)]() mutable {
    auto& one = connections_.emplace_back(*this, std::move(socket));
    one.place = std::prev(connections_.end());
    one.serve();
  });
}

void http_loop::end(connection& which) {
  connections_.erase(which.place);
  work_.end();
}

void http_loop::stop() {
  stopping_ = true;
  for (auto& one : connections_)
    one.stop();
}

void http_loop::drop_clients() {
  dropping_ = true; // when the watch looks next
}

void http_loop::finish() {
  work_.begin();
  finished_ = true;
  watch_.cancel();
}

void http_loop::watch_clients() {
  watch_.expires_after(watch_interval);
  watch_.async_wait([this](auto) {
    if (finished_) {
      work_.end();
      return;
    }
    const auto now = clock::now();
    for (auto& one : connections_)
      if (dropping_ || one.wait_is_over(now))
        one.drop();
    watch_clients();
  });
}

} // namespace techempower
