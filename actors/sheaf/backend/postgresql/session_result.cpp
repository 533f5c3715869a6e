// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL session reads a statement's result: whole, or in parts at the pace of their taker.

#include "sheaf/backend/postgresql/session.hpp"
#include "sheaf/session/result_budget.hpp"

#include <sys/socket.h>

#include <utility>

namespace sheaf {

namespace {

/// Bytes that may still come in, beyond twice `max_bytes`, until a statement whose result is too large has stopped.
constexpr std::size_t allowance_for_cancelling = 16 << 20;

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

void postgresql_session::read() {
  if (when_.first_row == clock::time_point{})
    when_.first_row = loop_.now();
  for (unsigned i = 0; i < reads_per_turn; ++i) {
    const bool large = reads_++ > 0; // a small result comes in one read
    if (reads_ == 2)
      meter_.start(socket_);
    const auto before = received_;
    const bool connected = PQconsumeInput(conn_);
    if (large && !check_size())
      return;
    if (!take_all())
      return;
    if (!connected) {
      lose_connection();
      return;
    }
    if (received_ - before < room_in_libpq) // there was no more
      break;
  }
  if (parts_ && !parts_->empty())
    hand_on(); // the server may take its time for the next row
}

/// Takes what has been read. False when that was the end, or has to be handed on before more is taken.
bool postgresql_session::take_all() {
  while (!PQisBusy(conn_)) {
    if (take(PQgetResult(conn_))) {
      complete();
      return false;
    }
    if (parts_ && parts_->is_full() && hand_on())
      return false;
  }
  return true;
}

/// libpq keeps a whole result and does not tell how much that is until it is complete, and reads a row of any size in
/// one go. So what has been read is checked before libpq makes rows of it: a value that is too large is never copied.
/// False when the connection had to go.
bool postgresql_session::check_size() {
  const auto before = std::exchange(received_, meter_.read());
  const bool in_parts = job_.what->on_rows != nullptr;
  const auto held = received_ - held_since_, held_max = in_parts ? job_.max_held_bytes : job_.max_bytes;
  std::optional<failure> wrong;
  if (held > held_max)
    wrong = too_large("max_bytes", held_max, in_parts ? bound_on::row : bound_on::result);
  else if (job_.budget && !in_parts)
    wrong = job_.budget->draw(0, received_ - before);
  if (!wrong)
    return true;
  refuse(std::move(*wrong));
  if (held <= 2 * held_max + allowance_for_cancelling)
    return true;
  lose_connection(); // it goes on sending all the same, or one row has made libpq's buffer larger than it may stay
  return false;
}

/// The result is not wanted after all: the statement is stopped, and what still comes of it is dropped.
void postgresql_session::refuse(failure why) {
  if (failure_)
    return;
  failure_ = std::move(why);
  stop_statement();
}

/// One result of the statement, or of the pipeline around it; null between two. True when it was the last.
bool postgresql_session::take(PGresult* r) {
  if (!r)
    return syncs_ == 0 || PQstatus(conn_) != CONNECTION_OK; // the syncs of a lost pipeline never come
  if (state_ == state::cleaning) {
    cleaned_ = cleaned_ && PQresultStatus(r) != PGRES_FATAL_ERROR;
    PQclear(r);
    return false;
  }
  pgresult_ptr result{r};
  switch (PQresultStatus(r)) {
  case PGRES_COMMAND_OK:
  case PGRES_TUPLES_OK:
    if (syncs_ > 1) // the evicted statement's
      break;
    if (!std::exchange(preparing_, false))
      rows_ = std::move(result);
    break;
  case PGRES_SINGLE_TUPLE:
    take_row(*result);
    break;
  case PGRES_PIPELINE_SYNC:
    return --syncs_ == 0;
  case PGRES_PIPELINE_ABORTED:
    break;
  case PGRES_EMPTY_QUERY:
    failure_ = failure{.code = errc::rejected_sql, .phase = phase::execute, .message = "the statement is empty"};
    break;
  case PGRES_COPY_IN:
  case PGRES_COPY_OUT:
  case PGRES_COPY_BOTH:
    failure_ = failure{.code = errc::rejected_sql,
                       .phase = phase::execute,
                       .message = "COPY from or to the client is not a query: use a file on the server, or a C++ task",
                       .reached_server = true};
    ::shutdown(socket_, SHUT_RDWR); // the server undoes it; libpq has no other way out that cannot wait
    return true;
  default:
    if (syncs_ <= 1 && !failure_) {
      failure_ = failure_of(r, *job_.text);
      if (statement_)
        stale_ = staleness_of(r, statement_->name);
      if (parts_)
        failure_->phase = phase::fetch;
    }
  }
  return false;
}

/// One row of a result in parts.
void postgresql_session::take_row(const PGresult& row) {
  held_since_ = received_;
  if (failure_ || !listener_)
    return;
  if (!parts_)
    parts_.emplace(columns_of(row), job_);
  add_row(parts_->current(), row);
  if (auto wrong = parts_->end_row())
    refuse(std::move(*wrong));
}

/// Keeps still from here until more is wanted: the server waits, as its socket fills. False when nobody wants the rows.
bool postgresql_session::hand_on() {
  if (!listener_ || failure_) {
    parts_->take_part();
    return false;
  }
  paused_ = true;
  unwatch();
  listener_->on_rows(parts_->take_part());
  return true;
}

/// Rows may have been read, and the connection found lost, in one go: the rows are handed on first.
void postgresql_session::resume() {
  if (!std::exchange(paused_, false))
    return;
  const bool connected = PQstatus(conn_) == CONNECTION_OK;
  if (connected)
    watch();
  if (!take_all())
    return;
  if (!connected)
    lose_connection();
  else if (parts_ && !parts_->empty())
    hand_on();
}

void postgresql_session::complete() {
  if (parts_ && !parts_->empty() && listener_ && !failure_)
    listener_->on_rows(parts_->take_part());
  if (state_ == state::running)
    when_.last_row = loop_.now();
  if (PQpipelineStatus(conn_) != PQ_PIPELINE_OFF)
    PQexitPipelineMode(conn_);
  if (statement_ && fresh_ && preparing_) { // it was not even prepared
    prepared_.drop(*statement_);
    statement_ = nullptr;
    preparing_ = false;
  }
  if (PQstatus(conn_) != CONNECTION_OK || PQsocket(conn_) < 0 || PQtransactionStatus(conn_) == PQTRANS_UNKNOWN) {
    lose_connection();
    return;
  }
  if (state_ == state::running) {
    if (prepare_again())
      return;
    check_columns();
    settle();
  } else if (cleaned_ && PQtransactionStatus(conn_) == PQTRANS_IDLE) {
    rest();
  } else {
    lose_connection(); // it cannot be given to anybody else
  }
}

/// A prepared statement may have become useless since: its tables were altered, or somebody deallocated it. It is
/// prepared anew: at once, when it is proven that nothing has run, and else by the next query that runs it.
bool postgresql_session::prepare_again() {
  if (!statement_ || fresh_ || stale_ == staleness::none)
    return false;
  prepared_.retire(*std::exchange(statement_, nullptr));
  if (stale_ != staleness::proven || PQtransactionStatus(conn_) != PQTRANS_IDLE || !listener_)
    return false;
  failure_.reset();
  send();
  return true;
}

/// Binary results cost less on both sides, but libpq asks for all columns or none, and not every type's binary form can
/// be turned into the server's exact text. So a statement's first result, in text, decides. The server refuses the
/// statement when its columns would change: rows with others are those of somebody else's statement.
void postgresql_session::check_columns() {
  using enum prepared_statement::binary;
  if (!statement_ || !rows_)
    return;
  if (statement_->results == unknown) {
    statement_->columns = columns_of(*rows_);
    statement_->results = always;
    for (const auto& [name, oid, type] : *statement_->columns) {
      if (!postgresql::binary_is_exact(oid))
        statement_->results = never;
      else if (statement_->results == always && is_date_or_timestamp(oid))
        statement_->results = under_iso_dates;
    }
  } else if (!are_columns_of(*rows_, *statement_->columns)) {
    rows_.reset();
    failure_ = failure{.code = errc::internal,
                       .phase = phase::fetch,
                       .message = "another statement has run: somebody has given the name " + statement_->name +
                                  ", which sheaf had prepared this one under, to a statement of their own",
                       .reached_server = true};
    prepared_.retire(*std::exchange(statement_, nullptr));
  }
}

void postgresql_session::rest() {
  state_ = state::idle;
  answer_now();
}

void postgresql_session::answer_now() {
  cancel_timer_.disarm();
  cancel_again_.disarm();
  if (cancel_done_) {
    job_ = {};
    std::exchange(cancel_done_, nullptr)();
    return;
  }
  auto what = take_answer();
  auto& listener = *std::exchange(listener_, nullptr);
  job_ = {};
  listener.on_answer(std::move(what), when_); // may give this session to the next query, or destroy it
}

answer postgresql_session::take_answer() {
  if (failure_)
    return std::move(*failure_);
  if (task_answer_)
    return std::move(*task_answer_);
  if (rows_)
    return checked_table(std::move(rows_), statement_ ? statement_->columns : nullptr, job_, received_);
  return table{};
}

} // namespace sheaf
