// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL session reads a statement's result: whole, or in parts at the pace of their taker.

#include "sheaf/backend/postgresql/server_error.hpp"
#include "sheaf/backend/postgresql/session.hpp"
#include "sheaf/base/error_text.hpp"
#include "sheaf/session/result_budget.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace sheaf {

namespace {

/// Bytes that may still come in, beyond what is refused, until a statement whose result is too large has stopped.
constexpr std::size_t allowance_for_cancelling = 16 << 20;

/// Bytes on their way for each that is counted (counted_bytes.hpp), at most. In text: a timestamp, in a row of its own.
constexpr std::size_t per_counted_in_binary = 1, per_counted_in_text = 3;

/// libpq reads at least as much at once if it is there (pqReadData).
constexpr std::size_t room_in_libpq = 8192;

/// Reads of one result in a row, before others get their turn.
constexpr unsigned reads_per_turn = 16;

} // namespace

void postgresql_session::on_io(bool readable, bool writable) {
  if (writable && flushing_)
    flush();
  if (!readable)
    return;
  if (state_ == state::running || state_ == state::cleaning)
    read();
  else
    read_idle();
}

/// Such as for want of memory: the server's answer is half read, and what it says next would be misread.
void postgresql_session::on_thrown(const std::exception_ptr& thrown) {
  if (flight_ && !flight_->wrong)
    flight_->wrong = failure{.code = errc::internal,
                             .phase = phase::fetch,
                             .message = "the result could not be read: " + type_of_thrown(thrown),
                             .reached_server = true};
  lose_connection();
}

void postgresql_session::read() {
  auto& x = *flight_;
  if (auto& first = x.run->when.first_row; first == clock::time_point{})
    first = loop_.now();
  for (unsigned i = 0; i < reads_per_turn; ++i) {
    const bool large = x.reads++ > 0; // a small result comes in one read
    if (x.reads == 2)
      meter_.start(socket_);
    const auto before = x.received;
    const bool connected = PQconsumeInput(conn_);
    if (large && !check_size())
      return;
    if (!take_all())
      return;
    if (!connected) {
      lose_connection();
      return;
    }
    if (x.received - before < room_in_libpq) // there was no more
      break;
  }
  if (x.collected && x.collected->has_part())
    hand_on(); // the server may take its time for the next row
}

/// Takes what has been read. False when that was the end, or has to be handed on before more is taken.
bool postgresql_session::take_all() {
  for (;;) {
    // Does nothing but where a result with rows comes next: libpq reads on only in PQisBusy.
    if (flight_->row_by_row && state_ == state::running)
      PQsetSingleRowMode(conn_);
    if (PQisBusy(conn_))
      return true;
    if (take(PQgetResult(conn_))) {
      complete();
      return false;
    }
    if (flight_->collected && flight_->collected->is_full() && hand_on())
      return false;
  }
}

/// libpq reads a row of any size in one go, and does not tell how much that is, or what it has collected, before it is
/// complete. So what has been read is checked before libpq makes rows of it: a value that is far too large is never
/// copied. False when the connection had to go.
bool postgresql_session::check_size() {
  auto& x = *flight_;
  const auto& job = x.job();
  x.received = meter_.read();
  const bool in_parts = job.query->on_rows != nullptr;
  const auto bytes_max = in_parts ? job.max_held_bytes : job.max_bytes;
  const auto held = x.received - x.held_since;
  const auto held_max = (x.binary ? per_counted_in_binary : per_counted_in_text) * bytes_max + room_in_libpq;
  if (held <= held_max)
    return true;
  refuse(too_large("max_bytes", bytes_max, in_parts ? bound_on::row : bound_on::result));
  if (held <= held_max + allowance_for_cancelling)
    return true;
  lose_connection(); // it goes on sending all the same, or one row has made libpq's buffer larger than it may stay
  return false;
}

/// The result is not wanted after all: the statement is stopped, and what still comes of it is dropped.
void postgresql_session::refuse(failure why) {
  if (flight_->wrong)
    return;
  flight_->wrong = std::move(why);
  flight_->collected.reset();
  cancel_statement();
}

/// One result of the statement, or of the pipeline around it; null between two. True when it was the last.
bool postgresql_session::take(PGresult* r) {
  if (!r) {
    if (state_ == state::running && is_pack() && syncs_ == 1 && flight_->commands > 0 && --flight_->commands == 0)
      end_packed();
    return syncs_ == 0 || PQstatus(conn_) != CONNECTION_OK; // the syncs of a lost pipeline never come
  }
  if (state_ == state::cleaning) {
    take_undone(*r);
    PQclear(r);
    return false;
  }
  auto& x = *flight_;
  pgresult_ptr result{r};
  switch (PQresultStatus(r)) {
  case PGRES_COMMAND_OK:
  case PGRES_TUPLES_OK:
    if (syncs_ > 1) // the evicted statement's
      break;
    if (std::exchange(x.awaits_guard, false)) {
      // it holds
    } else if (x.awaits == flight::preparation::parse) {
      const bool is_named = !x.asks_types && !x.statement->name.empty();
      x.statement->prepared |= is_named;
      x.awaits = is_named ? flight::preparation::none : flight::preparation::describe;
    } else if (x.awaits == flight::preparation::describe) {
      learn(*result);
    } else {
      x.rows = std::move(result);
    }
    break;
  case PGRES_SINGLE_TUPLE:
    if (!x.awaits_guard)
      take_row(*result);
    break;
  case PGRES_PIPELINE_SYNC:
    return --syncs_ == 0;
  case PGRES_PIPELINE_ABORTED:
    x.is_left |= !x.wrong; // else it is the rest of the statement that has failed
    break;
  case PGRES_EMPTY_QUERY:
    x.wrong = failure{.code = errc::rejected_sql, .phase = phase::execute, .message = "the statement is empty"};
    break;
  case PGRES_COPY_IN:
  case PGRES_COPY_OUT:
  case PGRES_COPY_BOTH:
    x.wrong = failure{.code = errc::rejected_sql,
                      .phase = phase::execute,
                      .message = "COPY from or to the client is not a query: use a file on the server, or a C++ task",
                      .reached_server = true};
    ::shutdown(socket_, SHUT_RDWR); // the server undoes it; libpq has no other way out that cannot wait
    return true;
  default:
    if (syncs_ <= 1 && !x.wrong) {
      x.wrong = failure_of(r, *x.job().text, x.job().query->parameters);
      x.stale = staleness_by(*r);
      if (x.collected)
        x.wrong->phase = phase::fetch;
    }
  }
  return false;
}

/// One row of a result that is taken row by row.
void postgresql_session::take_row(const PGresult& row) {
  auto& x = *flight_;
  x.held_since = x.received;
  if (x.wrong || !is_wanted())
    return;
  if (!x.collected) {
    const bool are_known = x.statement && x.statement->columns && are_columns_of(row, *x.statement->columns);
    x.collected.emplace(are_known ? x.statement->columns : columns_of(row), x.job());
  }
  auto& rows = *x.collected;
  if (!add_row(rows.current(), row, rows.bytes_max()))
    refuse(rows.no_room());
  else if (auto wrong = rows.end_row())
    refuse(std::move(*wrong));
}

/// Keeps still from here until more is wanted: the server waits, as its socket fills. False when nobody wants the rows.
bool postgresql_session::hand_on() {
  auto& x = *flight_;
  if (x.wrong || !is_wanted()) {
    x.collected->take_part();
    return false;
  }
  x.paused = true;
  unwatch();
  x.run->listener->on_rows(x.collected->take_part());
  return true;
}

void postgresql_session::go_on(session_run&) { read_on(); }

/// Rows may have been read, and the connection found lost, in one go: the rows are handed on first.
void postgresql_session::read_on() {
  if (!flight_ || !std::exchange(flight_->paused, false))
    return;
  const bool connected = PQstatus(conn_) == CONNECTION_OK;
  if (connected)
    watch();
  if (!take_all())
    return;
  if (!connected)
    lose_connection();
  else if (flight_->collected && flight_->collected->has_part())
    hand_on();
}

void postgresql_session::complete() {
  auto& x = *flight_;
  if (x.collected && x.collected->has_part() && is_wanted() && !x.wrong)
    x.run->listener->on_rows(x.collected->take_part());
  if (state_ == state::running)
    x.run->when.last_row = loop_.now();
  if (PQpipelineStatus(conn_) != PQ_PIPELINE_OFF)
    PQexitPipelineMode(conn_);
  if (state_ == state::running && is_pack()) {
    complete_pack();
    return;
  }
  const bool is_parsed = std::exchange(x.awaits, flight::preparation::none) == flight::preparation::none;
  if (!is_parsed && x.stale == staleness::none)
    statements_.drop(*std::exchange(x.statement, nullptr));
  if (PQstatus(conn_) != CONNECTION_OK || PQsocket(conn_) < 0 || PQtransactionStatus(conn_) == PQTRANS_UNKNOWN) {
    lose_connection();
    return;
  }
  if (state_ == state::running) {
    if (x.asks_types ? send_retyped() : send_again())
      return;
    if (x.statement)
      x.statement->bytes_most = std::max(x.statement->bytes_most, x.received);
    check_columns();
    settle();
  } else if (!cleaned_ || PQtransactionStatus(conn_) != PQTRANS_IDLE) {
    lose_connection(); // it cannot be given to anybody else
  } else if (has_others_prepared_) {
    forget_prepared();
  } else if (std::exchange(x.is_to_follow, false) && is_wanted()) {
    x.run->when = {};
    send();
  } else {
    settings_when_clean_ = reported_settings{conn_}; // the server may have other defaults by now
    rest();
  }
}

void postgresql_session::rest() {
  state_ = state::idle;
  answer_now();
}

/// The flight is over before anybody hears of it: they may push the next run, or destroy this session.
void postgresql_session::answer_now() {
  cancel_timer_.disarm();
  cancel_again_.disarm();
  auto& run = *flight_->run;
  if (is_pack()) {
    fill_pack();
    flight_.reset();
    behind_.clear();
    finish_pack(run, std::exchange(packed_, {}));
    return;
  }
  auto got = take_answer();
  flight_.reset();
  finish(run, std::move(got));
}

answer postgresql_session::take_answer() {
  auto& x = *flight_;
  if (x.wrong)
    return std::move(*x.wrong);
  if (x.task_answer)
    return std::move(*x.task_answer);
  if (!x.rows || !is_wanted())
    return table{};
  if (x.collected && !x.job().query->on_rows)
    return x.collected->finish(std::strtoull(PQcmdTuples(x.rows.get()), nullptr, 10), PQcmdStatus(x.rows.get()));
  return checked_table(std::move(x.rows), x.statement ? x.statement->columns : nullptr, x.job());
}

} // namespace sheaf
