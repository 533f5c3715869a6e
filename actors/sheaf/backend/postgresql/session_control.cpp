// SPDX-License-Identifier: BSD-3-Clause
//
// The work of a PostgreSQL session besides statements: it lends its connection to C++ tasks, cancels, cleans up, and
// loses its connection.

#include "sheaf/backend/postgresql/session.hpp"
#include "sheaf/backend/postgresql/task_error.hpp"
#include "sheaf/backend/soci_task.hpp"
#include "sheaf/base/error_text.hpp"
#include "sheaf/loop/blocking_executor.hpp"

#include <fmt/format.h>

#include <sys/socket.h>

#include <exception>
#include <random>
#include <string>
#include <string_view>

namespace sheaf {

namespace {

/// The longest pause between two cancels of the same statement; each pause is twice as long as the last.
constexpr clock::duration last_cancel_pause = std::chrono::seconds{1};

/// Undoes what a statement or task may have left in its session, as DISCARD ALL does (PostgreSQL manual, DISCARD),
/// except that prepared statements stay, but are looked for: those of `prepare` are none of ours. Sets what is set in a
/// new session, and a new seed for random(), as a new session has.
std::string remove_traces_sql(const std::string& settings) {
  static thread_local std::minstd_rand seeds{std::random_device{}()};
  return fmt::format("close all; set session authorization default; reset all; unlisten *; "
                     "select pg_advisory_unlock_all(); discard temp; discard sequences; {}; "
                     "select setseed({:.9f}); select count(*) as prepared from pg_prepared_statements where from_sql",
                     settings, std::uniform_real_distribution{-1.0, 1.0}(seeds));
}

/// Blocking executor.
answer run_on(postgresql_connection& connection, const task& run) {
  soci::session* session = nullptr;
  try {
    session = &connection.soci();
  } catch (const std::exception& e) {
    return failure{.code = errc::internal,
                   .phase = phase::execute,
                   .message = "no session of SOCI's can be made for the C++ task: " + to_one_line(e.what())};
  }
  return run_task(run, *session, read_postgresql_task_error);
}

} // namespace

// -- C++ tasks

void postgresql_session::start_task() {
  state_ = state::in_task;
  auto& x = *flight_;
  unwatch();
  x.task_cancel = {PQgetCancel(conn_), [](void* c) { PQfreeCancel(static_cast<PGcancel*>(c)); }};
  PQsetnonblocking(conn_, 0); // large objects and COPY expect it
  x.run->when.sent = loop_.refresh_now();
  notices_->begin(x.job());
  blocking_.run([heard = notices_, connection = connection_, run = x.job().query->run, keep = x.job().keep_alive,
                 loop = loop_.shared_from_this(), alive = std::weak_ptr{alive_}] {
    auto result = std::make_shared<answer>(run_on(*connection, run));
    loop->post([result, alive] {
      if (const auto self = alive.lock())
        (*self)->on_task_done(std::move(*result));
    });
  });
}

void postgresql_session::on_task_done(answer got) {
  if (state_ == state::broken)
    return; // given up meanwhile
  auto& x = *flight_;
  x.task_answer = std::move(got);
  x.run->when.last_row = loop_.refresh_now();
  state_ = state::running;
  conn_ = connection_->native();
  socket_ = PQsocket(conn_);
  if (conn_)
    notices_->listen_to(conn_); // the task may have another connection by now, or have listened itself
  if (socket_ < 0 || PQstatus(conn_) != CONNECTION_OK) {
    if (auto* f = std::get_if<failure>(&*x.task_answer); f && f->code == errc::internal) // SOCI has no code for it
      f->code = errc::connection_lost;
    state_ = state::in_task; // nothing of a statement is to be read
    lose_connection();
    return;
  }
  watch();
  PQsetnonblocking(conn_, 1);
  settle();
}

// -- cancelling

void postgresql_session::stop(session_run&) {
  loop_.arm(cancel_timer_, loop_.refresh_now() + cancel_wait_timeout_);
  cancel_statement();
  if (flight_->paused) // rows on their way have to be read before the server can say that it has stopped
    post(&postgresql_session::read_on);
}

/// Asks the server to stop. PQcancel blocks, so it runs on the executor; until it has returned the session keeps still,
/// lest the cancel hits its next statement. A cancel that overtakes its statement, which has another connection, does
/// nothing; so it is sent again until the statement is over.
void postgresql_session::cancel_statement() {
  const bool runs = state_ == state::running || state_ == state::in_task;
  if (!runs || std::exchange(cancel_on_its_way_, true))
    return;
  pack_was_cancelled_ = true;
  auto handle = flight_->task_cancel;
  if (state_ != state::in_task)
    handle = {PQgetCancel(conn_), [](void* x) { PQfreeCancel(static_cast<PGcancel*>(x)); }};
  blocking_.run([handle, loop = loop_.shared_from_this(), alive = std::weak_ptr{alive_}] {
    if (alive.expired())
      return; // too late to matter
    char ignored[256];
    PQcancel(static_cast<PGcancel*>(handle.get()), ignored, sizeof ignored);
    loop->post([alive] {
      if (const auto self = alive.lock())
        (*self)->on_cancel_sent();
    });
  });
}

void postgresql_session::on_cancel_sent() {
  cancel_on_its_way_ = false;
  if (state_ == state::over) {
    settle();
  } else {
    auto& pause = flight_->cancel_pause;
    pause = std::min(2 * pause, last_cancel_pause);
    loop_.arm(cancel_again_, loop_.now() + pause);
  }
}

/// The server does not confirm. Our end of the connection is enough to free the slot; the server notices when it wakes.
void postgresql_session::on_cancel_overdue() {
  if (state_ == state::in_task)
    ::shutdown(socket_, SHUT_RDWR); // the task's next call fails; its thread closes the connection in the end
  lose_connection();
}

// -- cleaning up

/// The statement or task is over. A cancel that is still on its way must hit neither our own cleaning up nor the next
/// statement, so it is waited for.
void postgresql_session::settle() {
  notices_->stop();
  if (cancel_on_its_way_)
    state_ = state::over;
  else if (is_spoiled())
    end_session();
  else if (PQtransactionStatus(conn_) == PQTRANS_IDLE && !needs_reset())
    rest();
  else
    clean_up();
}

/// Only the end of the session undoes what the statement may have left, even where it has failed.
bool postgresql_session::is_spoiled() const noexcept {
  const auto* text = flight_->job().text;
  return text && text->effects.spoils_session && reset_ != session_reset::never && !server_is_shared_;
}

void postgresql_session::end_session() {
  state_ = state::over; // there is an answer
  lose_connection();
}

/// Nothing survives its query: the next one on this session is another's. Traces that a plain statement cannot have
/// left are not looked for, beyond the settings that the server reports.
bool postgresql_session::needs_reset() const noexcept {
  if (server_is_shared_ || reset_ == session_reset::never)
    return false;
  const auto* text = flight_->job().text;
  return reset_ == session_reset::always || !text || text->effects.traces != traces::none ||
         !settings_when_clean_.are_those_of(conn_);
}

void postgresql_session::clean_up() {
  std::string sql;
  if (PQtransactionStatus(conn_) != PQTRANS_IDLE)
    sql = "rollback; ";
  if (needs_reset())
    sql += remove_traces_sql(settings_);
  undo(sql);
}

void postgresql_session::undo(const std::string& sql) {
  state_ = state::cleaning;
  notices_->stop(); // what the server says of this is not the query's
  cleaned_ = true;
  has_others_prepared_ = false;
  if (PQsendQuery(conn_, sql.c_str())) {
    flush();
  } else {
    unwatch();
    post(&postgresql_session::lose_connection); // nobody hears from a session before `push` returns
  }
}

void postgresql_session::take_undone(const PGresult& r) {
  cleaned_ = cleaned_ && PQresultStatus(&r) != PGRES_FATAL_ERROR;
  if (PQresultStatus(&r) == PGRES_TUPLES_OK && PQfname(&r, 0) == std::string_view{"prepared"})
    has_others_prepared_ = PQgetvalue(&r, 0, 0) != std::string_view{"0"};
}

/// The server forgets them all: it is rare, and a name from outside is never put into a text.
void postgresql_session::forget_prepared() {
  statements_.forget_prepared();
  undo("deallocate all");
}

// -- losing

/// Input while no statement runs: notices and notifications, which nobody asked for, or the end.
void postgresql_session::read_idle() {
  const bool connected = PQconsumeInput(conn_);
  PQisBusy(conn_);
  while (auto* notification = PQnotifies(conn_))
    PQfreemem(notification);
  if (!connected || PQstatus(conn_) != CONNECTION_OK)
    lose_connection();
}

void postgresql_session::lose_connection() {
  if (state_ == state::broken)
    return;
  if (state_ == state::running && PQstatus(conn_) != CONNECTION_OK)
    while (auto* last_word = PQgetResult(conn_)) // such as why the server ended it; does not wait any more
      take(last_word);
  const bool was_idle = state_ == state::idle, was_running = state_ == state::running;
  unwatch();
  state_ = state::broken;
  cancel_on_its_way_ = false;
  if (was_idle) {
    if (const auto callback = on_broken_)
      callback();
    return;
  }
  auto& x = *flight_;
  x.paused = false;
  if (x.wrong && x.wrong->sqlstate == "08P01") // a pooler's own words for a server connection that it has lost
    x.wrong->code = errc::connection_lost;
  // By these errors nothing has run, and it would have been sent again: it is told as a query that was not sent, so
  // that another session takes it.
  const bool has_not_run =
      x.wrong && !x.fresh && !x.resolved && (x.stale == staleness::unknown || x.stale == staleness::changed);
  if (has_not_run)
    x.wrong.reset();
  const bool has_answer = x.task_answer || (!was_running && x.rows); // whatever becomes of the session
  if (!x.wrong && !has_answer)
    x.wrong = failure{.code = errc::connection_lost,
                      .phase = x.rows || x.collected ? phase::fetch : phase::execute,
                      .message = x.is_to_follow || has_not_run
                                     ? "the connection to the server was lost before the query was sent"
                                     : "the connection to the server was lost while the query ran",
                      .reached_server = !x.is_to_follow && !has_not_run};
  answer_now();
}

} // namespace sheaf
