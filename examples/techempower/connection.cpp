// SPDX-License-Identifier: BSD-3-Clause

#include "connection.hpp"

#include "answer.hpp"
#include "http_loop.hpp"

#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>

namespace techempower {

namespace asio = boost::asio;

namespace {

/// The time for a client to close a connection whose last answer it has.
constexpr std::chrono::seconds linger_max{2};

/// The status for a failure: it says whether the same request may succeed a little later.
http::status status_of(const sheaf::failure& why) {
  switch (why.code) {
  case sheaf::errc::connect_failed:
  case sheaf::errc::connection_lost:
  case sheaf::errc::too_many_connections:
  case sheaf::errc::pool_timeout:
  case sheaf::errc::pool_queue_full:
  case sheaf::errc::pool_closed:
  case sheaf::errc::deadline_exceeded:
    return http::status::service_unavailable;
  default:
    return http::status::internal_server_error;
  }
}

/// One line a second at most, all loops together: a database that is down fails every request, and the reader of this
/// may be slow.
void report(const std::string& why) {
  static std::atomic<std::chrono::steady_clock::rep> next = 0; // that clock begins with the machine
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  auto due = next.load(std::memory_order_relaxed);
  const auto later = (now + std::chrono::seconds{1}).count();
  if (now.count() >= due && next.compare_exchange_strong(due, later, std::memory_order_relaxed))
    std::fprintf(stderr, "techempower: %s\n", why.c_str());
}

} // namespace

connection::connection(http_loop& home, tcp_socket socket) : home_(home), socket_(std::move(socket)) {
  error ignored; // a socket that is broken already says so when it is read
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

void connection::serve() {
  for (;;) {
    error why;
    unread_.consume(parser_->take(unread_.data(), why));
    if (why == http::error::need_more) {
      if (!home_.stopping()) {
        read();
        return;
      }
      if (!read_at_once()) {
        end();
        return;
      }
      continue;
    }
    if (!why && is_for_rows()) {
      query();
      return;
    }
    refuse_request(why);
    if (!send())
      return;
  }
}

void connection::read() {
  if (give_up_ == never) // a part of a request does not extend the time for the whole
    give_up_ = clock::now() + home_.idle_max();
  waits_for_request_ = true;
  socket_.async_read_some(unread_.prepare(unread_.max_size() - unread_.size()),
                          [this](error why, std::size_t bytes) { on_read(why, bytes); });
}

void connection::on_read(error why, std::size_t bytes) {
  waits_for_request_ = false;
  // The service's stop has interrupted the wait: `serve` looks whether a request has come meanwhile.
  if (why && !(why == asio::error::operation_aborted && home_.stopping() && socket_.is_open())) {
    end();
    return;
  }
  unread_.commit(bytes);
  serve();
}

bool connection::read_at_once() {
  error why;
  unread_.commit(socket_.read_some(unread_.prepare(unread_.max_size() - unread_.size()), why));
  return !why;
}

bool connection::is_for_rows() const {
  return parser_->asked() != request_parser::resource::none && parser_->method() == http::verb::get &&
         !parser_->has_body();
}

/// Answers requests that are not for rows, and bytes that are no request at all.
void connection::refuse_request(error why) {
  if (why) {
    last_ = true; // nobody knows where the next request begins
    refuse(why == http::error::header_limit ? http::status::request_header_fields_too_large
                                            : http::status::bad_request);
    return;
  }
  last_ = parser_->has_body(); // which is not read
  if (parser_->asked() == request_parser::resource::none)
    refuse(http::status::not_found);
  else if (parser_->method() != http::verb::get)
    refuse(http::status::method_not_allowed, "Allow: GET\r\n");
  else
    refuse(http::status::payload_too_large);
}

void connection::refuse(http::status status, std::string_view more) {
  const std::string_view reason = http::obsolete_reason(status);
  body_.assign(reason) += '\n';
  std::string lines{more};
  lines += ending();
  write_head(head_, {.status = status, .type = "text/plain", .more = lines, .body_bytes = body_.size()}, home_.date());
  if (parser_->method() == http::verb::head)
    body_.clear();
}

void connection::query() {
  give_up_ = never; // the engine answers by the request's deadline
  const auto n = parser_->queries();
  home_.engine().run_async(home_.world_request(n), [this](const sheaf::reply& rows) { answer(rows); });
}

void connection::answer(const sheaf::reply& rows) {
  if (!rows.ok()) {
    report(to_string(*rows.failure));
    refuse(status_of(*rows.failure));
  } else if (!write_world(body_, rows, parser_->asked() == request_parser::resource::queries)) {
    report("the table world has not the rows 1 to 10000");
    refuse(http::status::internal_server_error);
  } else {
    write_head(head_, {.more = ending(), .body_bytes = body_.size()}, home_.date());
  }
  if (send())
    serve();
}

/// The answer's words on the connection's end, which is known from here on.
std::string_view connection::ending() {
  last_ = last_ || home_.stopping() || !parser_->keep_alive();
  if (last_)
    return "Connection: close\r\n";
  return parser_->is_http_1_0() ? "Connection: keep-alive\r\n" : "";
}

/// True when the answer is on its way and the next request may come.
bool connection::send() {
  error why;
  const auto sent = socket_.write_some(std::array{asio::buffer(head_), asio::buffer(body_)}, why);
  if (why && why != asio::error::would_block) {
    end();
    return false;
  }
  if (sent == head_.size() + body_.size())
    return take_next();
  send_rest(sent);
  return false;
}

void connection::send_rest(std::size_t sent) {
  give_up_ = clock::now() + home_.idle_max();
  const std::array<asio::const_buffer, 2> rest{asio::buffer(head_) + sent,
                                               asio::buffer(body_) + (sent - std::min(sent, head_.size()))};
  asio::async_write(socket_, rest, [this](error why, std::size_t) {
    if (why)
      end();
    else if (take_next())
      serve();
  });
}

bool connection::take_next() {
  give_up_ = never;
  if (last_) {
    error ignored;
    socket_.shutdown(tcp_socket::shutdown_send, ignored);
    give_up_ = clock::now() + linger_max;
    linger();
    return false;
  }
  parser_.emplace();
  return true;
}

/// Reads on until the client closes: to close a socket with unread data would take the answer back from the client (RFC
/// 9112, section 9.6).
void connection::linger() {
  unread_.clear();
  socket_.async_read_some(unread_.prepare(unread_.max_size()), [this](error why, std::size_t) {
    if (why)
      end();
    else
      linger();
  });
}

void connection::stop() {
  error ignored;
  if (waits_for_request_)
    socket_.cancel(ignored);
}

void connection::drop() {
  error ignored;
  if (give_up_ != never)
    socket_.close(ignored); // calls the handler that waits for it
}

void connection::end() { home_.end(*this); }

} // namespace techempower
