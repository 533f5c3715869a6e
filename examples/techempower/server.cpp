// SPDX-License-Identifier: BSD-3-Clause

#include "server.hpp"

#include <utility>

namespace techempower {

namespace asio = boost::asio;

namespace {

/// A pause after the system could not give us a connection: the cause (mostly descriptors that are used up) takes a
/// while to pass.
constexpr std::chrono::milliseconds accept_pause{100};

} // namespace

server::server(sheaf::engine& engine, unsigned short port, std::chrono::seconds idle_max) : engine_(engine) {
  engine_.run_on_each_loop([&](asio::io_context& context) {
    loops_.push_back(std::make_unique<http_loop>(context, engine_, work_, idle_max));
  });
  try {
    on_first_loop([&] { listen(port); });
  } catch (...) {
    stop();
    throw;
  }
}

void server::on_each_loop(const std::function<void(std::unique_ptr<http_loop>&)>& f) {
  auto loop = loops_.begin();
  engine_.run_on_each_loop([&](asio::io_context&) { f(*loop++); });
}

void server::on_first_loop(const std::function<void()>& f) {
  on_each_loop([&](auto& loop) {
    if (&loop == &loops_.front())
      f();
  });
}

void server::listen(unsigned short port) {
  auto& a = listener_.emplace(loops_.front()->context()).acceptor;
  const asio::ip::tcp::endpoint here{asio::ip::address_v4::loopback(), port};
  a.open(here.protocol());
  a.set_option(asio::socket_base::reuse_address{true});
  a.bind(here);
  a.listen();
  port_ = a.local_endpoint().port();
  work_.begin();
  accept();
}

void server::accept() {
  auto& l = *listener_;
  if (!l.acceptor.is_open()) {
    work_.end();
    return;
  }
  auto& home = *loops_[l.next];
  l.next = (l.next + 1) % loops_.size();
  l.acceptor.async_accept(home.context(), [this, &l, &home](boost::system::error_code why, tcp_socket socket) {
    if (why && l.acceptor.is_open()) {
      l.pause.expires_after(accept_pause);
      l.pause.async_wait([this](auto) { accept(); });
      return;
    }
    if (!why && work_.now() <= connections_max) // else it is closed
      home.take(std::move(socket));
    accept();
  });
}

void server::stop(std::chrono::seconds time_max) {
  if (loops_.empty())
    return;
  on_first_loop([this] {
    if (listener_) {
      listener_->acceptor.close();
      listener_->pause.cancel();
    }
  });
  on_each_loop([](auto& loop) { loop->stop(); });
  if (!work_.wait_for_none(time_max)) {
    on_each_loop([](auto& loop) { loop->drop_clients(); });
    work_.wait_for_none();
  }
  on_each_loop([](auto& loop) { loop->finish(); });
  work_.wait_for_none();
  on_first_loop([this] { listener_.reset(); });
  on_each_loop([](auto& loop) { loop.reset(); });
  loops_.clear();
}

} // namespace techempower
