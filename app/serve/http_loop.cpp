// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/http_loop.hpp"

#include "app/serve/service_log.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace sheaf::app::serve {

namespace {

using namespace std::chrono_literals;

/// The longest delay in noticing a client's slowness or absence: one timer for all of them costs a request nothing.
constexpr auto sweep_interval = 100ms;

/// A pause after the system could not give us a connection: the cause (mostly descriptors that are used up) takes a
/// while to pass.
constexpr auto accept_pause = 100ms;

} // namespace

http_loop::http_loop(boost::asio::io_context& context, service& of, int listener, handover& way,
                     std::function<void()> on_empty)
  : connection_host(context, of), way_(way), on_empty_(std::move(on_empty)), acceptor_(context), accept_pause_(context),
    sweep_timer_(context) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  if (address.ss_family == AF_INET6)
    protocol_ = boost::asio::ip::tcp::v6();
  acceptor_.assign(protocol_, listener);
  acceptor_.non_blocking(true);
  acceptor_.set_option(boost::asio::socket_base::enable_connection_aborted{true}); // else accept() waits for the next
  accept();
  sweep_later();
}

/// All loops share the queue of connections, those of the next generation too. So a connection leaves it only where it
/// is taken at once: one that waited for its callback while this loop is told to stop would be lost.
void http_loop::accept() {
  acceptor_.async_wait(acceptor_.wait_read, [this, alive = std::weak_ptr{alive_}](auto why) {
    if (alive.expired() || !acceptor_.is_open())
      return;
    tcp_socket socket{context_};
    if (!why)
      acceptor_.accept(socket, why);
    if (!why)
      take(std::move(socket));
    // Another loop may have been faster, or the client is gone already.
    if (!why || why == boost::asio::error::would_block || why == boost::asio::error::connection_aborted) {
      accept();
      return;
    }
    accept_pause_.expires_after(accept_pause);
    accept_pause_.async_wait([this, alive](auto) {
      if (!alive.expired() && acceptor_.is_open())
        accept();
    });
  });
}

void http_loop::take(tcp_socket socket) {
  boost::system::error_code why;
  const auto client = socket.remote_endpoint(why).address();
  if (why || !service_.counts.connect(client))
    return; // closed
  socket.non_blocking(true, why);
  socket.set_option(boost::asio::ip::tcp::no_delay{true}, why);
  auto& one = connections_.emplace_back(*this, std::move(socket), client);
  start(one);
}

void http_loop::start(connection& one) {
  one.place = std::prev(connections_.end());
  one.start();
}

void http_loop::adopt(moving_client x) {
  ++adopting_;
  boost::asio::post(context_, [this, x = std::move(x)]() mutable {
    --adopting_;
    take_adopted(std::move(x));
    check_empty();
  });
}

/// It may have been stopped meanwhile, or retired: the connection sees to that as it begins to wait.
void http_loop::take_adopted(moving_client x) {
  boost::system::error_code why;
  tcp_socket socket{context_};
  const int taken = x.take_socket();
  socket.assign(protocol_, taken, why);
  if (why) {
    ::close(taken);
    service_.counts.disconnect(x.address);
    return;
  }
  socket.non_blocking(true, why);
  start(connections_.emplace_back(*this, std::move(socket), std::move(x)));
}

void http_loop::pass_on(connection& which) {
  auto client = which.leave();
  connections_.erase(which.place);
  const auto address = client.address;
  if (!way_.pass(std::move(client)))
    service_.counts.disconnect(address);
  check_empty();
}

void http_loop::end(connection& which) {
  service_.counts.disconnect(which.client());
  connections_.erase(which.place);
  check_empty();
}

void http_loop::stop(clock::time_point deadline) {
  stopping_ = true;
  cut_at_ = deadline;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto at = connections_.begin(); at != connections_.end();)
    (at++)->stop();
  check_empty();
}

void http_loop::retire() {
  retired_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto at = connections_.begin(); at != connections_.end();)
    (at++)->retire();
  check_empty();
}

void http_loop::check_empty() {
  if (!(stopping_ || retired_) || !connections_.empty() || adopting_ > 0 || told_)
    return;
  told_ = true;
  if (service_.log)
    service_.log->flush();
  on_empty_();
}

void http_loop::sweep_later() {
  sweep_timer_.expires_after(sweep_interval);
  sweep_timer_.async_wait([this, alive = std::weak_ptr{alive_}](auto why) {
    if (why || alive.expired())
      return;
    sweep();
    sweep_later();
  });
}

void http_loop::sweep() {
  const auto now = clock::now();
  for (auto at = connections_.begin(); at != connections_.end();)
    (at++)->look(now);
  find_lost_clients();
  if (now >= cut_at_)
    for (auto at = connections_.begin(); at != connections_.end();)
      (at++)->cut();
  service_.seen.take(seen_);
  tell_listeners(now);
  if (service_.log)
    service_.log->flush();
}

/// Tells all there is each second and, in between, the pools while something runs.
void http_loop::tell_listeners(clock::time_point now) {
  if (std::none_of(connections_.begin(), connections_.end(), [](const auto& x) { return x.hears_events(); }))
    return;
  std::string event;
  if (now >= next_second_) {
    next_second_ = now + 1s;
    event = "data: " + service_.event() + "\n\n";
  } else {
    const auto moment = service_.now();
    if (!moment.is_busy && !std::exchange(was_busy_, moment.is_busy))
      return;
    was_busy_ = moment.is_busy;
    event = "event: now\ndata: " + moment.event + "\n\n";
  }
  for (auto at = connections_.begin(); at != connections_.end();)
    if (auto& one = *at++; one.hears_events())
      one.tell(event);
}

/// One look at all sockets that nothing is read from or written to. A client that has closed its half has gone: a
/// client that waits for an answer keeps it open.
void http_loop::find_lost_clients() {
  watched_.clear();
  polled_.clear();
  for (auto& one : connections_)
    if (one.is_blind()) {
      watched_.push_back(&one);
      polled_.push_back({.fd = one.descriptor(), .events = POLLRDHUP, .revents = 0});
    }
  if (watched_.empty() || ::poll(polled_.data(), polled_.size(), 0) <= 0)
    return;
  for (std::size_t i = 0; i < watched_.size(); ++i)
    if (polled_[i].revents != 0)
      watched_[i]->lose_client();
}

} // namespace sheaf::app::serve
