// SPDX-License-Identifier: BSD-3-Clause
//
// A connection sends a query's rows while the query still runs: a part of them is read from the database once the
// client has taken the one before. Bytes that have been sent cannot be taken back: when the query fails after that, the
// answer ends in the middle, and so that nobody takes it for whole, the connection with it.

#include "app/serve/connection.hpp"
#include "app/serve/connection_host.hpp"

#include "sheaf/clock.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace sheaf::app::serve {

namespace {

bool is_head(const exchange& x) { return x.request().method() == http::verb::head; }

} // namespace

/// Has the rows of the query that is declared to stream come here, if there is one.
void connection::stream_rows(request& asked, const request_spec& as_declared) {
  auto& x = *exchange_;
  const auto declared = std::find_if(as_declared.queries.begin(), as_declared.queries.end(),
                                     [](const query_spec& q) { return q.stream; });
  if (declared == as_declared.queries.end() || x.form.shape == answer_shape::scalar)
    return;
  const auto made = std::find_if(asked.queries.begin(), asked.queries.end(),
                                 [&](const query& q) { return q.name == declared->query.name; });
  x.stream = std::make_shared<row_stream>(row_stream{
      .query = static_cast<std::size_t>(made - asked.queries.begin()), .name = made->name, .rows = row_writer{x.form}});
  made->on_rows = [this, &here = home_.context(), stream = std::weak_ptr{x.stream}](table part,
                                                                                    std::function<void()> next) {
    boost::asio::post(here, [this, stream, part = std::move(part), next = std::move(next)]() mutable {
      if (stream.lock()) // else the request is over
        on_rows(std::move(part), std::move(next));
    });
  };
}

void connection::on_rows(table part, std::function<void()> next) {
  auto& x = *exchange_;
  auto& s = *x.stream;
  if (gone_)
    return;
  if (!s.has_begun && !s.first) {
    s.first = std::move(part);
    next();
    return;
  }
  x.out.clear();
  x.piece.clear();
  if (!s.has_begun) {
    x.status = http::status::ok;
    x.piece = reply_writer::begin(s.name);
    s.rows.begin(x.piece, *s.first);
    s.rows.write(x.piece, *s.first);
    s.first.reset();
  }
  s.rows.write(x.piece, part);
  if (std::exchange(s.has_begun, true)) {
    zip_piece(false);
  } else {
    begin_head("application/json");
    end_head(false);
  }
  if (!is_head(x))
    append_piece();
  s.next = std::move(next);
  write();
}

void connection::on_stream_written(error why) {
  auto& x = *exchange_;
  auto& s = *x.stream;
  if (s.end && why) {
    x.stream.reset();
    on_written(why);
  } else if (s.end) {
    end_stream(*std::exchange(s.end, std::nullopt));
  } else {
    state_ = state::running;
    give_up_ = clock::time_point::max();
    gone_ = static_cast<bool>(why);
    if (gone_ || is_head(x))
      x.running.cancel();
    else
      std::exchange(s.next, nullptr)();
  }
}

void connection::end_stream(reply r) {
  auto& x = *exchange_;
  auto& s = *x.stream;
  if (busy_) {
    s.end = std::move(r);
    return;
  }
  const auto stream = std::exchange(x.stream, nullptr);
  if (!s.has_begun) {
    if (s.first && r.outcomes[s.query].ok())
      r.outcomes[s.query].data = std::move(*s.first);
    respond(std::move(r));
    return;
  }
  if (is_head(x)) {
    on_written({});
    return;
  }
  note_failures(r);
  if (r.failure || !r.outcomes[s.query].ok()) {
    if (cut_ && x.code == to_string(errc::query_canceled))
      x.code = "draining";
    finish_exchange(static_cast<unsigned>(x.status));
    end();
    return;
  }
  home_.shared().columns.learn(x.where->index, r);
  x.rows.emplace(std::move(r), std::move(x.databases), std::move(s.rows), s.query);
  next_piece();
  write();
}

} // namespace sheaf::app::serve
