// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/connection.hpp"

#include "sheaf/backend/soci_task.hpp"
#include "sheaf/backend/sqlite/native.hpp"
#include "sheaf/backend/sqlite/rows.hpp"
#include "sheaf/backend/sqlite/task_error.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

namespace sheaf {

using namespace sqlite_api;

namespace {

/// Virtual machine steps between two looks at the deadline: a fraction of a millisecond.
constexpr int steps_per_check = 10'000;

/// Waits for a lock between two tries: short at first, longer later, never so long that a stop comes late.
constexpr std::array lock_waits_ms{1, 2, 5, 10, 15, 20, 25};

} // namespace

/// Busy and progress handlers belong to a connection, so a task can replace them: they are installed for every job.
void sqlite_connection::install_handlers() {
  constexpr auto on_lock = [](void* self, int count) {
    return static_cast<sqlite_connection*>(self)->wait_for_lock(count);
  };
  constexpr auto on_progress = [](void* self) { return static_cast<sqlite_connection*>(self)->must_stop() ? 1 : 0; };
  sqlite3_busy_handler(db_, on_lock, this);
  sqlite3_progress_handler(db_, steps_per_check, on_progress, this);
}

int sqlite_connection::execute(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

// -- run
// ------------------------------------------------------------------------------------------------------------------

void sqlite_connection::prepare_for(const execution& job) noexcept {
  deadline_ = job.deadline;
  is_task_ = job.text == nullptr;
  stop_reason_ = stop_reason::none;
  stop_requested_ = false;
  sent_ = first_row_ = last_row_ = 0;
}

sqlite_connection::step sqlite_connection::run(const execution& job) {
  const std::lock_guard busy{job_};
  if (!reading_ && (!db_ || has_another_file())) {
    close_file();
    if (auto wrong = open_file())
      return {.part = {}, .end = std::move(*wrong)};
  }
  step out;
  if (must_stop()) {
    failure stopped{.code = errc::query_canceled, .phase = reading_ ? phase::fetch : phase::execute};
    out.end = reading_ ? abandon(std::move(stopped)) : std::move(stopped);
  } else {
    install_handlers();
    if (job.text)
      out = run_statement(job);
    else
      out.end = run_task_of(job);
  }
  if (!out.end)
    return out;
  reading_.reset();
  if (std::exchange(is_guarded_, false) && execute("pragma query_only = off") != SQLITE_OK)
    usable_ = false;
  if (!still_open())
    usable_ = false;
  else
    undo_open_transaction();
  if (auto* f = std::get_if<failure>(&*out.end)) {
    if (f->code == errc::connection_lost)
      usable_ = false;
    explain_stop(*f, is_task_);
  }
  return out;
}

std::vector<packed_answer> sqlite_connection::run_pack(const std::vector<execution>& pack) {
  std::vector<packed_answer> all;
  all.reserve(pack.size());
  for (const auto& job : pack)
    all.push_back({.data = run(job).end});
  return all;
}

answer sqlite_connection::run_task_of(const execution& job) {
  if (!job.query->read_only)
    prepare_to_write();
  note(sent_);
  auto out = run_task(job.query->run, session_, read_sqlite_task_error);
  note(first_row_);
  last_row_ = first_row_.load();
  if (!job.query->read_only && !std::holds_alternative<failure>(out) && has_another_file())
    return written_elsewhere();
  return out;
}

sqlite_connection::step sqlite_connection::run_statement(const execution& job) try {
  if (!reading_)
    if (auto wrong = begin(job))
      return {.part = {}, .end = std::move(*wrong)};
  return read(job);
} catch (const std::exception& e) { // no memory
  return {.part = {},
          .end = failure{.code = errc::internal, .phase = phase::execute, .message = e.what(), .reached_server = true}};
}

/// Takes the first step.
std::optional<failure> sqlite_connection::begin(const execution& job) {
  auto found = statements_.get(db_, *job.text);
  if (found.has_error())
    return std::move(found).error();
  auto& x = reading_.emplace(**found, sqlite3_total_changes64(db_));
  if (auto wrong = x.statement->bind(*job.text, job.query->parameters))
    return wrong;
  if (x.statement->writes()) {
    prepare_to_write();
    if (must_stop())
      return failure{.code = errc::query_canceled, .phase = phase::execute};
  }
  if (job.is_to_be_guarded()) {
    is_guarded_ = true;
    if (const int code = execute("pragma query_only = on"); code != SQLITE_OK)
      return step_failure(code, job);
  }
  note(sent_);
  x.code = x.statement->step();
  if (x.code == SQLITE_ROW || x.code == SQLITE_DONE)
    note(first_row_);
  x.rows.emplace(std::make_shared<const std::vector<column>>(columns_of(x.statement->get())), job);
  return {};
}

/// Takes rows: all of them, or as many as a part has.
sqlite_connection::step sqlite_connection::read(const execution& job) {
  auto& x = *reading_;
  auto* handle = x.statement->get();
  auto& rows = *x.rows;
  for (; x.code == SQLITE_ROW; x.code = x.statement->step()) {
    if (rows.is_full())
      return {.part = rows.take_part(), .end = {}};
    if (!add_row(rows.current(), handle, rows.bytes_max()))
      return {.part = {}, .end = abandon(rows.no_room())};
    if (auto wrong = rows.end_row())
      return {.part = {}, .end = abandon(std::move(*wrong))};
  }
  if (x.code != SQLITE_DONE)
    return {.part = {}, .end = step_failure(x.code, job)};
  if (x.statement->writes() && has_another_file())
    return {.part = {}, .end = written_elsewhere()};
  note(last_row_);
  std::uint64_t affected = 0;
  if (sqlite3_total_changes64(db_) != x.changes_before)
    affected = static_cast<std::uint64_t>(sqlite3_changes64(db_)); // of the statement itself, without its triggers
  else if (sqlite3_stmt_readonly(handle) != 0 && sqlite3_stmt_isexplain(handle) == 0 && !x.statement->pragma())
    affected = rows.rows();
  step last;
  if (rows.has_part())
    last.part = rows.take_part();
  last.end = rows.finish(affected);
  return last;
}

/// A reset would commit what an `insert … returning` has written. An interrupted statement is rolled back.
failure sqlite_connection::abandon(failure why) {
  sqlite3_interrupt(db_);
  reading_->statement->step();
  return why;
}

failure sqlite_connection::step_failure(int code, const execution& job) const {
  auto f = reading_->statement->explained(sqlite_failure(db_, code, *job.text, job.query->parameters), code);
  if (first_row_ != 0)
    f.phase = phase::fetch;
  f.reached_server = (code & 0xff) != SQLITE_BUSY; // without its lock, it did nothing
  return f;
}

/// SQLite only knows that it was interrupted, or that a lock was not to be had; we know why.
void sqlite_connection::explain_stop(failure& f, bool is_task) const {
  const bool interrupted = f.code == errc::query_canceled, locked = f.code == errc::serialization_failure;
  if (stop_reason_ == stop_reason::none || !(interrupted || locked || is_task))
    return;
  if (stop_reason_ == stop_reason::stopped) {
    f.code = errc::query_canceled;
    f.message = "the query was canceled";
  } else {
    f.code = errc::deadline_exceeded;
    f.message = locked ? "another session held a lock on the database until the deadline" : "the deadline passed";
  }
}

void sqlite_connection::undo_open_transaction() {
  // Twice: a late `stop` may interrupt the first.
  for (int tries = 0; tries < 2 && sqlite3_get_autocommit(db_) == 0; ++tries)
    execute("rollback");
  if (sqlite3_get_autocommit(db_) == 0)
    usable_ = false;
}

/// A task has the soci::session in its hands: it may have closed it, or opened something else.
bool sqlite_connection::still_open() {
  if (native_sqlite(session_) == db_)
    return true;
  // SOCI's close leaves a handle open that has statements, and these are ours.
  if (statements_.clear())
    sqlite3_close(db_);
  db_ = nullptr;
  return false;
}

// -- stop
// -----------------------------------------------------------------------------------------------------------------

void sqlite_connection::stop() noexcept {
  stop_requested_ = true;
  // The handlers see the flag. The interrupt also ends what calls them seldom; while a task runs the handle may not be
  // there.
  const std::lock_guard while_it_is_open{handle_};
  if (!is_task_ && db_)
    sqlite3_interrupt(db_);
}

bool sqlite_connection::must_stop() noexcept {
  if (stop_requested_ || (engine_ends_ && *engine_ends_))
    stop_reason_ = stop_reason::stopped;
  else if (clock::now() >= deadline_)
    stop_reason_ = stop_reason::deadline;
  return stop_reason_ != stop_reason::none;
}

/// SQLite's busy handler: waits a little; 0 when there is no use in trying again.
int sqlite_connection::wait_for_lock(int times_waited) noexcept {
  if (must_stop())
    return 0;
  const auto which = std::min(static_cast<std::size_t>(times_waited), lock_waits_ms.size() - 1);
  std::this_thread::sleep_until(std::min(clock::now() + std::chrono::milliseconds{lock_waits_ms[which]}, deadline_));
  return 1;
}

run_listener::moments sqlite_connection::progress() const noexcept {
  const auto at = [](const instant& x) { return clock::time_point{clock::duration{x.load()}}; };
  return {.sent = at(sent_), .first_row = at(first_row_), .last_row = at(last_row_)};
}

} // namespace sheaf
