// SPDX-License-Identifier: BSD-3-Clause
//
// A connection answers: whole if the answer is short, else in pieces as the client takes them.

#include "app/serve/connection.hpp"

#include "app/serve/connection_host.hpp"
#include "app/serve/problem.hpp"
#include "app/serve/service_log.hpp"

#include "sheaf/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sheaf::app::serve {

namespace {

constexpr std::size_t piece_bytes = 1 << 16;
constexpr std::size_t zip_from_bytes = 1 << 10;
constexpr std::size_t large_bytes = 8 << 20; ///< Values of an answer whose memory is given back at its end.

bool may_zip(const exchange& x, std::string_view type) {
  return x.head_done && !type.starts_with("text/event-stream") &&
         takes_gzip(field_of(x.request(), http::field::accept_encoding));
}

} // namespace

/// The lines that every answer begins with.
void connection::begin_head(std::string_view type) {
  auto& x = *exchange_;
  auto& out = x.out;
  auto to = std::back_inserter(out);
  const auto& rules = home_.shared().rules;
  out.clear();
  append_status_line(out, x.status);
  out += "Server: sheaf\r\n";
  out += home_.date().now();
  if (x.status != http::status::no_content)
    fmt::format_to(to, "Content-Type: {}\r\n", type);
  out += safety_fields(type);
  fmt::format_to(to, "X-Request-Id: {}\r\ntraceresponse: {}\r\n", x.id, x.trace.header());
  if (!rules.cors_origin.empty()) {
    out += "Vary: Origin\r\n";
    if (x.head_done && field_of(x.request(), http::field::origin) == rules.cors_origin)
      fmt::format_to(to,
                     "Access-Control-Allow-Origin: {}\r\n"
                     "Access-Control-Expose-Headers: Server-Timing, X-Request-Id, traceresponse\r\n",
                     rules.cors_origin);
  }
  last_ = last_ || home_.stopping() || !x.head_done || !x.parser->keep_alive();
  if (last_)
    out += "Connection: close\r\n";
  else if (x.request().version() < 11)
    out += "Connection: keep-alive\r\n";
}

void connection::respond(response a) {
  auto& x = *exchange_;
  x.status = a.status;
  x.code = std::move(a.code);
  if (!a.detail.empty())
    x.detail = std::move(a.detail);
  begin_head(a.type);
  if (a.body.size() > zip_from_bytes) {
    x.out += "Vary: Accept-Encoding\r\n";
    if (may_zip(x, a.type)) {
      gzip{}.add(x.piece, a.body, true);
      a.body = std::move(x.piece);
      x.out += "Content-Encoding: gzip\r\n";
    }
  }
  x.out += a.fields;
  if (a.status != http::status::no_content)
    fmt::format_to(std::back_inserter(x.out), "Content-Length: {}\r\n", a.body.size());
  x.out += "\r\n";
  if (!x.head_done || x.request().method() != http::verb::head)
    x.out += a.body;
  write();
}

void connection::respond(reply r) {
  auto& x = *exchange_;
  if (r.failure) {
    refuse_run(*r.failure);
    return;
  }
  for (const auto& o : r.outcomes)
    if (o.ok() && !fits_shape(o.table(), x.form.shape)) {
      respond(make_problem(http::status::unprocessable_entity, "not_scalar",
                           "with shape=scalar each result is one row with one column; that of " + o.name + " is not",
                           x.id));
      return;
    }
  x.status = http::status::ok;
  note_failures(r);
  if (x.where->act == action::run)
    home_.shared().columns.learn(x.where->index, r);
  const auto timing = server_timing(r);
  x.rows.emplace(std::move(r), std::move(x.databases), row_writer{x.form});
  x.piece.clear();
  const bool is_whole = x.rows->write(x.piece, piece_bytes);
  const auto held = is_whole ? 0 : x.rows->value_bytes();
  if (!is_whole && !home_.shared().counts.hold(held)) {
    x.rows.reset();
    x.piece.clear();
    respond(
        make_problem(http::status::service_unavailable, "too_many_answers", "too many answers are not read yet", x.id));
    return;
  }
  x.unread_bytes = held;
  begin_head("application/json");
  fmt::format_to(std::back_inserter(x.out), "Server-Timing: {}\r\n", timing);
  end_head(is_whole);
  const bool is_head = x.request().method() == http::verb::head;
  if (is_whole || is_head)
    x.rows.reset();
  if (!is_head)
    append_piece();
  write();
}

/// Notes the failures that did not fail the request, for the log.
void connection::note_failures(const reply& r) {
  for (const auto& o : r.outcomes)
    if (const auto* why = o.error_info()) {
      exchange_->code = to_string(why->code);
      exchange_->detail = to_string(*why);
    }
}

/// The lines about the body, of which `piece` is the first part or all.
void connection::end_head(bool is_whole) {
  auto& x = *exchange_;
  x.out += "Vary: Accept-Encoding\r\n";
  if (x.piece.size() > zip_from_bytes && may_zip(x, "application/json")) {
    x.out += "Content-Encoding: gzip\r\n";
    x.zip.emplace();
    zip_piece(is_whole);
  }
  x.is_chunked = !is_whole && x.request().version() >= 11;
  if (is_whole)
    fmt::format_to(std::back_inserter(x.out), "Content-Length: {}\r\n\r\n", x.piece.size());
  else if (x.is_chunked)
    x.out += "Transfer-Encoding: chunked\r\n\r\n";
  else // HTTP/1.0: the end of the connection is the end of the answer
    x.out += "\r\n";
  x.ends_with_connection = !(is_whole || x.is_chunked);
  last_ = last_ || x.ends_with_connection;
}

void connection::zip_piece(bool is_last) {
  auto& x = *exchange_;
  if (!x.zip)
    return;
  std::string zipped;
  x.zip->add(zipped, x.piece, is_last);
  x.piece = std::move(zipped);
}

void connection::append_piece() {
  auto& x = *exchange_;
  if (!x.is_chunked)
    x.out += x.piece;
  else if (!x.piece.empty()) // an empty chunk would be the end
    fmt::format_to(std::back_inserter(x.out), "{:x}\r\n{}\r\n", x.piece.size(), x.piece);
}

/// False when there is none.
bool connection::next_piece() {
  auto& x = *exchange_;
  if (!x.rows)
    return false;
  x.out.clear();
  x.piece.clear();
  const bool is_last = x.rows->write(x.piece, piece_bytes);
  zip_piece(is_last);
  append_piece();
  if (is_last) {
    x.rows.reset();
    if (x.is_chunked)
      x.out += "0\r\n\r\n";
  }
  return true;
}

void connection::write() {
  const auto& limits = home_.shared().limits;
  const auto& x = *exchange_;
  const auto began = clock::now();
  state_ = state::writing;
  give_up_ = began + limits.write_timeout;
  if (x.stream && limits.stream_rate_min > 0) // the query keeps its session for as long as the client reads
    give_up_ = std::min(give_up_, began + limits.write_timeout +
                                      x.stream->time_for(x.bytes_sent, limits.stream_rate_min) - x.stream->taken);
  busy_ = true;
  stream_.async_write(boost::asio::buffer(x.out), [this, began](error why, std::size_t bytes) {
    busy_ = false;
    exchange_->bytes_sent += bytes;
    if (exchange_->stream)
      exchange_->stream->taken += clock::now() - began;
    on_written(why);
  });
}

void connection::on_written(error why) {
  auto& x = *exchange_;
  if (x.stream && x.stream->has_begun) {
    on_stream_written(why);
    return;
  }
  if (why) {
    end_lost();
    return;
  }
  if (next_piece()) {
    write();
    return;
  }
  x.ends_with_connection = false;
  finish_exchange(static_cast<unsigned>(x.status));
  if (last_)
    linger();
  else
    next_request();
}

/// The client went away before it had its answer.
void connection::end_lost() {
  constexpr unsigned client_closed_request = 499;
  exchange_->code = "client_gone";
  finish_exchange(client_closed_request);
  end();
}

/// Writes down what became of the request.
void connection::finish_exchange(unsigned status) {
  auto& x = *exchange_;
  auto& all = home_.shared();
  const auto took = clock::now() - x.began;
  const auto held = std::exchange(x.unread_bytes, 0);
  all.counts.let_go(held);
  if (held >= large_bytes)
    all.counts.give_back_memory();
  const bool is_run = x.where && x.where->act == action::run;
  all.metrics.add(x.where ? x.where->number : all.routes.size(),
                  x.head_done ? x.request().method() : http::verb::unknown, status, took);
  if (is_run)
    home_.seen().add({.when = std::chrono::system_clock::now(),
                      .id = x.id,
                      .name = home_.request(x.where->index).name,
                      .code = x.code,
                      .status = status,
                      .took = took,
                      .detail = all.rules.is_private ? x.detail : std::string{},
                      .timeline = std::move(x.timeline)});
  if (!all.log)
    return;
  const auto client = client_.to_string();
  const auto method = x.head_done ? x.request().method_string() : boost::beast::string_view{};
  all.log->add({.request_id = x.id,
                .trace_id = x.trace.id,
                .method = {method.data(), method.size()},
                .path = x.asked.path,
                .client = client,
                .status = status,
                .bytes = x.bytes_sent,
                .duration = took,
                .code = x.code,
                .detail = x.detail});
}

// -- events

void connection::begin_events() {
  auto& x = *exchange_;
  if (home_.stopping() || home_.retired()) {
    respond(make_problem(http::status::service_unavailable, "draining", "the service ends", x.id));
    return;
  }
  x.status = http::status::ok;
  last_ = true; // the end of the connection is the end of the stream
  begin_head("text/event-stream");
  x.out += "\r\n";
  if (x.request().method() == http::verb::head) {
    write();
    return;
  }
  x.out += "event: history\ndata: ";
  home_.shared().seen.append_history(x.out);
  x.out += "\n\n";
  state_ = state::events;
  home_.shared().counts.begin_events();
  tell({});
}

void connection::tell(const std::string& event) {
  if (busy_)
    return; // it has not read the one before; `look` gives it up when it never does
  auto& x = *exchange_;
  if (!event.empty())
    x.out = event;
  give_up_ = clock::now() + home_.shared().limits.write_timeout;
  busy_ = true;
  stream_.async_write(boost::asio::buffer(x.out), [this](error why, std::size_t bytes) {
    busy_ = false;
    exchange_->bytes_sent += bytes;
    give_up_ = clock::time_point::max();
    if (why)
      end();
  });
}

} // namespace sheaf::app::serve
