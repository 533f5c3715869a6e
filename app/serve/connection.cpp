// SPDX-License-Identifier: BSD-3-Clause
//
// A connection's life, and how it reads.

#include "app/serve/connection.hpp"

#include "app/serve/connection_host.hpp"
#include "app/serve/head_checks.hpp"
#include "app/serve/problem.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

namespace sheaf::app::serve {

namespace asio = boost::asio;

namespace {

constexpr std::size_t head_read_bytes = 1 << 12, body_read_bytes = 1 << 15;

/// Bytes between two chunks, or behind the last: its size, and fields that nobody reads.
constexpr std::size_t chunk_line_bytes_max = 1 << 13;

/// A body in chunks may come in so many bytes for each of its own: a chunk of one byte takes six.
constexpr std::size_t chunked_bytes_for_each = 8;

/// The time for a client to close a connection whose last answer it has.
constexpr std::chrono::seconds linger_max{2};

} // namespace

connection::connection(connection_host& home, tcp_socket socket, asio::ip::address client)
  : home_(home), stream_(std::move(socket), home.shared().rules.tls), client_(std::move(client)) {}

connection::connection(connection_host& home, tcp_socket socket, moving_client client)
  : home_(home), stream_(std::move(socket), std::move(client.tls)), client_(client.address), state_(state::idle) {
  if (client.unread.empty())
    return;
  exchange_ = home_.take_exchange();
  const auto to = exchange_->unread.prepare(client.unread.size());
  exchange_->unread.commit(asio::buffer_copy(to, asio::buffer(client.unread)));
}

connection::~connection() {
  if (exchange_)
    home_.put_back(std::move(exchange_));
}

void connection::start() {
  if (state_ == state::idle || !stream_.is_tls()) {
    next_request();
    return;
  }
  give_up_ = clock::now() + home_.shared().limits.header_timeout;
  busy_ = true;
  stream_.async_handshake([this](error why) {
    busy_ = false;
    if (why)
      end();
    else
      wait_for_request();
  });
}

void connection::next_request() {
  if (exchange_ && exchange_->unread.size() > 0 && !home_.retired()) { // it came with the one before
    begin_request();
    parse();
  } else {
    wait_for_request();
  }
}

void connection::wait_for_request() {
  if (home_.stopping()) {
    last_ = true;
    linger();
    return;
  }
  if (home_.retired()) {
    home_.pass_on(*this);
    return;
  }
  state_ = state::idle;
  give_up_ = clock::now() + home_.shared().limits.idle_timeout;
  if (stream_.has_unread()) { // of the record in which the request before has come
    begin_request();
    read();
    return;
  }
  if (exchange_)
    home_.put_back(std::move(exchange_));
  busy_ = true;
  stream_.socket().async_wait(tcp_socket::wait_read, [this](error why) {
    busy_ = false;
    if (is_called_away(why)) {
      home_.pass_on(*this);
      return;
    }
    error closed;
    // A request that has come while the service was told to stop is still answered.
    if (why && !(home_.stopping() && stream_.socket().available(closed) > 0)) {
      end();
      return;
    }
    const auto give_up = give_up_;
    begin_request();
    if (stream_.is_tls()) { // bytes that are readable there are not yet a request's
      state_ = state::idle;
      give_up_ = give_up;
    }
    read();
  });
}

/// True when the wait for a request has ended because another loop is to answer it: nothing has been read.
bool connection::is_called_away(error why) {
  return home_.retired() && (!why || why == asio::error::operation_aborted) && stream_.socket().is_open();
}

void connection::begin_request() {
  if (!exchange_)
    exchange_ = home_.take_exchange();
  exchange_->reset(home_.shared().limits.body_bytes_max);
  exchange_->began = clock::now();
  state_ = state::head;
  give_up_ = exchange_->began + home_.shared().limits.header_timeout;
}

void connection::read() {
  auto& x = *exchange_;
  busy_ = true;
  stream_.async_read_some(x.unread.prepare(state_ == state::body ? body_read_bytes : head_read_bytes),
                          [this](error why, std::size_t bytes) { on_read(why, bytes); });
}

void connection::on_read(error why, std::size_t bytes) {
  busy_ = false;
  if (state_ == state::idle && why && is_called_away(why)) {
    home_.pass_on(*this);
    return;
  }
  auto& x = *exchange_;
  const bool has_begun = x.head_done || x.head_bytes + x.unread.size() > 0;
  if (timed_out_ && has_begun) {
    name_exchange();
    refuse(make_problem(http::status::request_timeout, "request_timeout", "the request took too long to come", x.id));
    return;
  }
  if (why == asio::error::eof && has_begun) {
    refuse_syntax(http::error::partial_message);
    return;
  }
  if (why) {
    end();
    return;
  }
  if (state_ == state::idle) {
    x.began = clock::now();
    state_ = state::head;
    give_up_ = x.began + home_.shared().limits.header_timeout;
  }
  x.unread.commit(bytes);
  parse();
}

/// A client may send an empty line before a request, or behind a body (RFC 9112, section 2.2). False when nothing comes
/// behind it yet.
bool connection::skip_empty_lines() {
  auto& unread = exchange_->unread;
  const auto text = [&] { return std::string_view{static_cast<const char*>(unread.data().data()), unread.size()}; };
  while (text().starts_with("\r\n"))
    unread.consume(2);
  if (unread.size() == 0) {
    wait_for_request();
    return false;
  }
  if (text() == "\r") {
    read();
    return false;
  }
  return true;
}

/// Goes through what has been received: until more is needed, or the request is whole.
void connection::parse() {
  auto& x = *exchange_;
  if (!x.head_done && x.head_bytes == 0 && !skip_empty_lines())
    return;
  const auto header_bytes_max = home_.shared().limits.header_bytes_max;
  for (;;) {
    if (x.unread.size() == 0) {
      read();
      return;
    }
    error why;
    const auto unread = x.unread.data();
    const auto taken = x.parser->put(unread, why);
    // Beast takes the fields in one go, and joins those that are folded.
    if (!why && !x.head_done && has_folded_line({static_cast<const char*>(unread.data()), taken}))
      why = http::error::bad_obs_fold;
    x.unread.consume(taken);
    const bool needs_more = why == http::error::need_more;
    if (!x.head_done) {
      x.head_bytes += taken;
      if (x.head_bytes + (needs_more ? x.unread.size() : 0) > header_bytes_max)
        why = http::error::header_limit;
    } else {
      x.body_bytes += taken;
      const auto bytes_max = chunk_line_bytes_max + (1 + chunked_bytes_for_each) * x.request().body().size();
      if ((needs_more && x.unread.size() > chunk_line_bytes_max) || (x.parser->chunked() && x.body_bytes > bytes_max))
        why = http::error::bad_chunk_extension; // or a trailer: Beast keeps what it does not understand yet
    }
    if (why && why != http::error::need_more) {
      refuse_syntax(why);
      return;
    }
    if (!x.head_done && x.parser->is_header_done() && !look_at_head())
      return;
    if (x.parser->is_done()) {
      if (x.head_fields) // those behind the body were not looked at
        x.parser->get().base() = std::move(*x.head_fields);
      serve();
      return;
    }
    if (needs_more) {
      read();
      return;
    }
  }
}

/// False when the request is answered already, or something else has to be done first.
bool connection::look_at_head() {
  auto& x = *exchange_;
  x.head_done = true;
  x.parser->eager(true);
  if (auto refused = check_framing(x)) {
    refuse(std::move(*refused));
    return false;
  }
  if (auto refused = check_head(home_.shared(), x)) {
    last_ = last_ || !x.parser->is_done(); // a body that is not read
    respond(std::move(*refused));
    return false;
  }
  if (x.parser->is_done())
    return true;
  if (x.parser->chunked())
    x.head_fields = x.request().base();
  state_ = state::body;
  give_up_ = clock::now() + home_.shared().limits.body_timeout;
  if (x.request().count(http::field::expect) == 0 || x.request().version() < 11)
    return true;
  busy_ = true;
  stream_.async_write(asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25), [this](error why, std::size_t) {
    busy_ = false;
    if (why)
      end();
    else
      parse();
  });
  return false;
}

/// Refuses what is not HTTP. Nobody knows where the next request would begin.
void connection::refuse_syntax(error why) {
  auto& x = *exchange_;
  if (!x.head_done)
    name_exchange();
  const auto data = x.unread.data();
  const std::string_view unread{static_cast<const char*>(data.data()), data.size()};
  const bool is_line = x.request().target().size() > home_.shared().limits.header_bytes_max ||
                       (x.head_bytes == 0 && unread.find("\r\n") == unread.npos);
  if (why == http::error::bad_version && !names_other_version(unread))
    why = http::error::bad_line_ending; // or a version of HTTP/1 that there is not
  refuse(problem_of_syntax(why, is_line, x.id));
}

/// Names an exchange whose head says nothing that could be trusted.
void connection::name_exchange() {
  if (exchange_->id.empty()) {
    exchange_->id = request_id({});
    exchange_->trace = continue_trace({});
  }
}

void connection::refuse(response why) {
  last_ = true;
  respond(std::move(why));
}

void connection::look(clock::time_point now) {
  if (now < give_up_)
    return;
  if (busy_ && (state_ == state::head || state_ == state::body)) {
    timed_out_ = true;
    error ignored;
    stream_.socket().cancel(ignored);
  } else if (busy_) {
    close_socket();
  } else if (state_ == state::events) {
    end();
  }
}

void connection::lose_client() {
  gone_ = true;
  if (state_ == state::running)
    exchange_->running.cancel();
  else if (busy_)
    close_socket();
  else
    end();
}

void connection::stop() {
  if (state_ == state::idle && busy_) {
    error ignored;
    stream_.socket().cancel(ignored);
  } else if (state_ == state::events) {
    if (busy_)
      close_socket();
    else
      end();
  }
}

void connection::retire() {
  if (state_ == state::idle && busy_) {
    error ignored;
    stream_.socket().cancel(ignored);
  } else if (state_ == state::events) {
    stop();
  }
}

moving_client connection::leave() {
  std::string unread;
  if (exchange_) {
    const auto data = exchange_->unread.data();
    unread.assign(static_cast<const char*>(data.data()), data.size());
  }
  error ignored; // then there is no socket
  return {stream_.socket().release(ignored), client_, stream_.release_tls(), std::move(unread)};
}

void connection::cut() {
  cut_ = true;
  if (state_ == state::running)
    exchange_->running.cancel();
  else if (busy_ && (state_ != state::writing || clock::now() >= give_up_))
    close_socket();
  else if (state_ == state::writing)
    give_up_ = std::min(give_up_, clock::now() + std::chrono::seconds{1});
}

/// Calls the handler that waits for it, and so ends the connection. An answer that is not whole but ends with its
/// connection would pass for whole (RFC 9112, section 8): after a reset it does not. Asio's destructor makes none.
void connection::close_socket() {
  error ignored;
  if (exchange_ && exchange_->ends_with_connection)
    stream_.socket().set_option(asio::socket_base::linger{true, 0}, ignored);
  stream_.socket().close(ignored);
}

/// Reads on until the client closes: to close a socket with unread data would take the answer back from the client (RFC
/// 9112, section 9.6).
void connection::linger() {
  if (state_ != state::lingering) {
    state_ = state::lingering;
    give_up_ = clock::now() + linger_max;
    if (stream_.is_tls()) {
      busy_ = true;
      stream_.async_shutdown([this](error) { end(); });
      return;
    }
    error ignored;
    stream_.socket().shutdown(tcp_socket::shutdown_send, ignored);
  }
  if (!exchange_)
    exchange_ = home_.take_exchange();
  exchange_->unread.clear();
  busy_ = true;
  stream_.socket().async_read_some(exchange_->unread.prepare(head_read_bytes), [this](error why, std::size_t) {
    busy_ = false;
    if (why)
      end();
    else
      linger();
  });
}

void connection::end() {
  if (state_ == state::events) {
    home_.shared().counts.end_events();
    finish_exchange(static_cast<unsigned>(exchange_->status));
  }
  close_socket();
  home_.end(*this);
}

} // namespace sheaf::app::serve
