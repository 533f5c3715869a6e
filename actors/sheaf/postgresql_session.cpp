// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/postgresql_session.hpp"

#include "sheaf/blocking_executor.hpp"
#include "sheaf/postgresql_native.hpp"
#include "sheaf/result_budget.hpp"

#include <fmt/format.h>

#include <soci/soci.h>

#include <sys/socket.h>

#include <algorithm>

namespace sheaf {

namespace {

/// What may still come in, beyond twice `max_bytes`, until a statement whose result is too large has stopped.
constexpr std::size_t allowance_for_cancelling = 16 << 20;

/// libpq reads at least as much at once if it is there (pqReadData).
constexpr std::size_t room_in_libpq = 8192;

/// Between two cancels of the same statement, to begin with.
constexpr auto first_cancel_pause = std::chrono::milliseconds{10};

/// Reads of one result in a row, before others get their turn.
constexpr unsigned reads_per_turn = 16;

} // namespace

postgresql_session::postgresql_session(event_loop& loop, blocking_executor& blocking,
                                       std::shared_ptr<soci::session> connection, const database_options& limits)
  : loop_(loop), blocking_(blocking), connection_(std::move(connection)), conn_(native_connection(*connection_)),
    socket_(PQsocket(conn_)), backend_pid_(PQbackendPID(conn_)), cancel_wait_timeout_(limits.cancel_wait_timeout),
    prepared_(limits.statement_cache_size), cancel_timer_([this] { on_cancel_overdue(); }),
    cancel_again_([this] { stop_statement(); }), alive_(std::make_shared<postgresql_session*>(this)) {
  loop_.watch(socket_, *this);
}

postgresql_session::~postgresql_session() {
  if (state_ != state::in_task && state_ != state::broken)
    loop_.unwatch(socket_, *this);
  blocking_.run([connection = std::move(connection_)]() mutable { connection.reset(); });
}

/// Runs a member function from the loop, unless the session is gone by then.
void postgresql_session::post(void (postgresql_session::*f)()) {
  loop_.post([alive = std::weak_ptr{alive_}, f] {
    if (const auto self = alive.lock())
      ((*self)->*f)();
  });
}

// -- sending

void postgresql_session::execute(execution job, session_listener& listener) {
  job_ = std::move(job);
  listener_ = &listener;
  when_ = {};
  rows_.reset();
  parts_.reset();
  failure_.reset();
  task_answer_.reset();
  reads_ = 0;
  received_ = held_since_ = 0;
  cancel_pause_ = first_cancel_pause;
  if (job_.what->run)
    start_task();
  else
    send();
}

void postgresql_session::send() {
  state_ = state::running;
  fresh_ = false;
  statement_ = nullptr;
  const bool was_connected = PQstatus(conn_) == CONNECTION_OK;
  const parameter_texts values{*job_.text, job_.what->parameters};
  bool sent = true;
  if (!prepared_.enabled() || job_.what->on_rows) { // beside many rows, preparing costs nothing
    sent =
        PQsendQueryParams(conn_, job_.text->text.c_str(), values.count(), nullptr, values.data(), nullptr, nullptr, 0);
    if (sent && job_.what->on_rows)
      PQsetSingleRowMode(conn_);
  } else if ((statement_ = prepared_.find(*job_.text))) {
    using enum prepared_statement::binary;
    const bool binary =
        statement_->results == always || (statement_->results == under_iso_dates && has_iso_dates(conn_));
    sent =
        PQsendQueryPrepared(conn_, statement_->name.c_str(), values.count(), values.data(), nullptr, nullptr, binary);
  } else {
    sent = send_and_prepare(values.data(), values.count());
  }
  when_.sent = loop_.refresh_now();
  if (sent) {
    flush();
    return;
  }
  if (!was_connected)
    failure_ = failure{.code = errc::connection_lost,
                       .phase = phase::execute,
                       .message = "the connection to the server was lost before the query was sent"};
  else if (PQstatus(conn_) == CONNECTION_OK) // such as too many parameters
    failure_ = failure{.code = errc::invalid_request, .phase = phase::execute, .message = last_error(conn_)};
  post(&postgresql_session::lose_connection); // nobody hears from a session before `execute` returns
}

/// Prepares and executes in one round trip, as a pipeline. A statement that has to make room goes first, and has a sync
/// of its own, so that the new one still runs alone in its implicit transaction (VACUUM insists on that).
bool postgresql_session::send_and_prepare(const char* const* values, int count) {
  statement_ = &prepared_.add(*job_.text);
  fresh_ = preparing_ = true;
  bool sent = PQenterPipelineMode(conn_);
  if (const auto evicted = prepared_.evict()) {
    sent = sent &&
           PQsendQueryParams(conn_, ("deallocate " + *evicted).c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) &&
           PQpipelineSync(conn_);
    ++syncs_;
  }
  sent = sent && PQsendPrepare(conn_, statement_->name.c_str(), statement_->text.text.c_str(), 0, nullptr) &&
         PQsendQueryPrepared(conn_, statement_->name.c_str(), count, values, nullptr, nullptr, 0) &&
         PQpipelineSync(conn_);
  ++syncs_;
  return sent;
}

void postgresql_session::flush() {
  const int left = PQflush(conn_);
  if (left < 0) {
    post(&postgresql_session::lose_connection);
  } else if ((left > 0) != flushing_) {
    flushing_ = left > 0;
    loop_.watch_writes(socket_, *this, flushing_);
  }
}

// -- reading

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
    if (parts_ && parts_->is_full()) {
      hand_on();
      return false;
    }
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
bool postgresql_session::take(pg_result* r) {
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
      if (parts_)
        failure_->phase = phase::fetch;
    }
  }
  return false;
}

/// One row of a result in parts.
void postgresql_session::take_row(const pg_result& row) {
  held_since_ = received_;
  if (failure_ || !listener_)
    return;
  if (!parts_)
    parts_.emplace(columns_of(row), job_);
  add_row(parts_->current(), row);
  if (auto wrong = parts_->end_row())
    refuse(std::move(*wrong));
}

/// Keeps still from here until more is wanted: the server waits, as its socket fills.
void postgresql_session::hand_on() {
  if (!listener_ || failure_) {
    parts_->take_part();
    return;
  }
  paused_ = true;
  loop_.unwatch(socket_, *this);
  listener_->on_rows(parts_->take_part());
}

void postgresql_session::resume() {
  if (!std::exchange(paused_, false))
    return;
  loop_.watch(socket_, *this);
  if (take_all() && parts_ && !parts_->empty())
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
    learn_columns();
    settle();
  } else if (cleaned_ && PQtransactionStatus(conn_) == PQTRANS_IDLE) {
    rest();
  } else {
    lose_connection(); // it cannot be given to anybody else
  }
}

/// A prepared statement may have become useless since: its tables were altered, or somebody deallocated it. Nothing has
/// run then, so it is prepared anew, once.
bool postgresql_session::prepare_again() {
  if (!statement_ || fresh_ || !failure_ || PQtransactionStatus(conn_) != PQTRANS_IDLE)
    return false;
  const bool result_type_changed = failure_->sqlstate == "0A000";
  const bool is_unknown = failure_->sqlstate == "26000";
  if (!result_type_changed && !is_unknown)
    return false;
  prepared_.drop(*statement_);
  failure_.reset();
  send();
  return true;
}

/// Binary results cost less on both sides, but libpq asks for all columns or none, and not every type's binary form can
/// be turned into the server's exact text. So a statement's first result, in text, decides.
void postgresql_session::learn_columns() {
  using enum prepared_statement::binary;
  if (!statement_ || !rows_ || statement_->results != unknown)
    return;
  statement_->columns = columns_of(*rows_);
  statement_->results = always;
  for (const auto& [name, oid, type] : *statement_->columns) {
    if (!binary_is_exact(oid))
      statement_->results = never;
    else if (statement_->results == always && is_date_or_timestamp(oid))
      statement_->results = under_iso_dates;
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
