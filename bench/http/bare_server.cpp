// SPDX-License-Identifier: BSD-3-Clause
//
// Beast alone, as a limit: answers every request with `ok`, on as many threads as given, each with an io_context and a
// listening socket of its own. bench/http.py measures `/healthz` of `sheaf serve` beside it.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
public:
  explicit session(tcp::socket socket) : socket_(std::move(socket)) {}

  void read() {
    asked_ = {};
    http::async_read(socket_, buffer_, asked_, [self = shared_from_this()](auto why, std::size_t) {
      if (!why)
        self->write();
    });
  }

private:
  void write() {
    answer_ = {http::status::ok, asked_.version()};
    answer_.set(http::field::server, "bare");
    answer_.set(http::field::content_type, "text/plain");
    answer_.keep_alive(asked_.keep_alive());
    answer_.body() = "ok\n";
    answer_.prepare_payload();
    http::async_write(socket_, answer_, [self = shared_from_this()](auto why, std::size_t) {
      if (!why && self->answer_.keep_alive())
        self->read();
    });
  }

  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> asked_;
  http::response<http::string_body> answer_;
};

void accept(tcp::acceptor& from) {
  from.async_accept([&from](auto why, tcp::socket socket) {
    if (!why) {
      socket.set_option(tcp::no_delay{true});
      std::make_shared<session>(std::move(socket))->read();
    }
    accept(from);
  });
}

} // namespace

int main(int argc, char** argv) {
  const int loops = argc > 1 ? std::atoi(argv[1]) : 1;
  tcp::endpoint where{asio::ip::address_v4::loopback(), 0};
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors;
  std::vector<std::thread> threads;
  for (int i = 0; i < loops; ++i) {
    contexts.push_back(std::make_unique<asio::io_context>(1));
    acceptors.push_back(std::make_unique<tcp::acceptor>(*contexts.back(), where.protocol()));
    auto& a = *acceptors.back();
    a.set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>{true});
    a.bind(where);
    a.listen();
    where = a.local_endpoint();
    accept(a);
  }
  std::printf("listening on http://127.0.0.1:%d\n", where.port());
  std::fflush(stdout);
  for (auto& context : contexts)
    threads.emplace_back([&context] { context->run(); });
  for (auto& thread : threads)
    thread.join();
}
