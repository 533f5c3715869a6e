// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sqlite_connection.hpp"

#include "sheaf/result_budget.hpp"
#include "sheaf/soci_task.hpp"
#include "sheaf/sqlite_rows.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <thread>

namespace sheaf {

using namespace sqlite_api;

namespace {

/// Virtual machine steps between two looks at the deadline: a fraction of a millisecond.
constexpr int steps_per_check = 10'000;

/// How long to ask for WAL mode before going on without it.
constexpr auto wal_patience = std::chrono::seconds{1};

/// How long to wait for a lock before the next try: at first often, later seldom, never so seldom that a stop comes
/// late.
constexpr std::array lock_waits_ms{1, 2, 5, 10, 15, 20, 25};

sqlite3* handle_of(soci::session& s) {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(s.get_backend());
  return backend ? backend->conn_ : nullptr;
}

/// Why a file did not open, in words that lead somewhere. The path may be a secret of its own: it is not repeated.
failure open_failure(const sqlite_database& database, int code) {
  std::error_code error;
  const auto found = std::filesystem::status(database.url.path, error).type();
  std::string why;
  if (database.url.mode == sqlite_mode::memory)
    why = sqlite3_errstr(code);
  else if (found == std::filesystem::file_type::directory)
    why = "it is a folder, not a file";
  else if (found == std::filesystem::file_type::not_found && database.url.mode == sqlite_mode::rwc)
    why = "it cannot be created: its folder is missing or may not be written to";
  else if (found == std::filesystem::file_type::not_found)
    why = "it is not there; ?mode=rwc at the end of its URL creates it";
  else if ((code & 0xff) == SQLITE_NOTADB)
    why = "it is not an SQLite database, or it is encrypted";
  else if ((code & 0xff) == SQLITE_BUSY)
    why = "another program keeps it locked";
  else
    why = fmt::format("{} (SQLite result code {})", sqlite3_errstr(code), code);
  return {.code = errc::connect_failed,
          .phase = phase::connect,
          .message = fmt::format("the SQLite file of database {} cannot be opened: {}", database.name, why)};
}

/// Takes the row that `from` is at. A row that is one too many, or too large, is a failure.
std::optional<failure> take_row(table_builder& rows, sqlite3_stmt* from, const execution& job) {
  if (rows.rows() == job.max_rows)
    return too_large("max_rows", job.max_rows);
  const auto before = rows.bytes();
  if (!add_row(rows, from, job.max_bytes))
    return too_large("max_bytes", job.max_bytes);
  return job.budget ? job.budget->draw(1, rows.bytes() - before) : std::nullopt;
}

} // namespace

// -- open
// -----------------------------------------------------------------------------------------------------------------

// The URI holds nothing that SOCI 4.0.3 would split a connection string at.
sqlite_connection::sqlite_connection(const sqlite_database& database)
  : session_(soci::sqlite3, "dbname=" + database.uri), db_(handle_of(session_)),
    statements_(database.statement_cache_size) {}

result<std::shared_ptr<sqlite_connection>> sqlite_connection::open(sqlite_database& database,
                                                                   clock::time_point give_up) {
  std::shared_ptr<sqlite_connection> opened;
  try {
    opened.reset(new sqlite_connection{database});
  } catch (const soci::sqlite3_soci_error& e) {
    return open_failure(database, e.result());
  } catch (const std::exception&) {
    return open_failure(database, SQLITE_ERROR);
  }
  opened->deadline_ = give_up;
  opened->install_handlers();
  // SQLite opens anything; it reads the file's header for the first statement.
  if (const int code = opened->execute("pragma schema_version"); code != SQLITE_OK)
    return open_failure(database, code);
  if (database.url.mode != sqlite_mode::memory && sqlite3_db_readonly(opened->db_, "main") == 0)
    opened->switch_to_wal(database, give_up);
  return opened;
}

/// Busy and progress handlers belong to a connection, so a task can replace them: they are installed for every job.
void sqlite_connection::install_handlers() {
  constexpr auto on_lock = [](void* self, int count) {
    return static_cast<sqlite_connection*>(self)->wait_for_lock(count);
  };
  constexpr auto on_progress = [](void* self) { return static_cast<sqlite_connection*>(self)->must_stop() ? 1 : 0; };
  sqlite3_busy_handler(db_, on_lock, this);
  sqlite3_progress_handler(db_, steps_per_check, on_progress, this);
}

void sqlite_connection::switch_to_wal(sqlite_database& database, clock::time_point give_up) {
  std::lock_guard one_at_a_time{database.wal_switch};
  deadline_ = std::min(give_up, clock::now() + wal_patience);
  execute("pragma journal_mode=wal"); // a wish: the session works without it
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

answer sqlite_connection::run(const execution& job) {
  answer out;
  if (must_stop()) {
    out = failure{.code = errc::query_canceled, .phase = phase::execute};
  } else {
    install_handlers();
    out = job.text ? run_statement(job) : run_task_of(job);
    if (!still_open())
      usable_ = false;
    else
      undo_open_transaction();
  }
  if (auto* f = std::get_if<failure>(&out)) {
    if (f->code == errc::connection_lost)
      usable_ = false;
    explain_stop(*f, is_task_);
  }
  return out;
}

answer sqlite_connection::run_task_of(const execution& job) {
  note(sent_);
  auto out = run_task(job.what->run, session_);
  note(first_row_);
  last_row_ = first_row_.load();
  return out;
}

answer sqlite_connection::run_statement(const execution& job) try {
  auto found = statements_.get(db_, *job.text);
  if (found.has_error())
    return std::move(found).error();
  auto& statement = **found;
  const auto release = [](sqlite_statement* x) { x->release(); };
  const std::unique_ptr<sqlite_statement, decltype(release)> in_use{&statement};
  if (auto wrong = statement.bind(*job.text, job.what->parameters))
    return std::move(*wrong);
  return collect(statement, job);
} catch (const std::exception& e) { // no memory
  return failure{.code = errc::internal, .phase = phase::execute, .message = e.what(), .reached_server = true};
}

answer sqlite_connection::collect(sqlite_statement& statement, const execution& job) {
  auto* handle = statement.get();
  const auto changes_before = sqlite3_total_changes64(db_);
  note(sent_);
  int code = sqlite3_step(handle);
  if (code == SQLITE_ROW || code == SQLITE_DONE)
    note(first_row_);
  table_builder rows{columns_of(handle)};
  for (; code == SQLITE_ROW; code = sqlite3_step(handle)) {
    if (auto wrong = take_row(rows, handle, job)) {
      // A reset would commit what an `insert … returning` has written. An interrupted statement is rolled back.
      sqlite3_interrupt(db_);
      sqlite3_step(handle);
      return std::move(*wrong);
    }
  }
  if (code != SQLITE_DONE)
    return step_failure(code, job);
  note(last_row_);
  std::uint64_t affected = 0;
  if (sqlite3_total_changes64(db_) != changes_before)
    affected = static_cast<std::uint64_t>(sqlite3_changes64(db_)); // of the statement itself, without its triggers
  else if (sqlite3_stmt_readonly(handle) != 0 && sqlite3_stmt_isexplain(handle) == 0 && !statement.pragma())
    affected = rows.rows();
  return rows.finish(affected);
}

failure sqlite_connection::step_failure(int code, const execution& job) const {
  auto f = sqlite_failure(db_, code, !job.text->names.empty());
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
  if (handle_of(session_) == db_)
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
  if (!is_task_)
    sqlite3_interrupt(db_);
}

bool sqlite_connection::must_stop() noexcept {
  if (stop_requested_)
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

session_listener::moments sqlite_connection::progress() const noexcept {
  const auto at = [](const instant& x) { return clock::time_point{clock::duration{x.load()}}; };
  return {.sent = at(sent_), .first_row = at(first_row_), .last_row = at(last_row_)};
}

} // namespace sheaf
