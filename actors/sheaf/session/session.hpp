// SPDX-License-Identifier: BSD-3-Clause
//
// A session owns one soci::session and runs one statement or task at a time, without blocking the loop it lives on.
// Everything here is called on that loop.

#pragma once

#include "sheaf/clock.hpp"
#include "sheaf/request.hpp"

#include <functional>
#include <memory>

namespace sheaf {

class blocking_executor;
class event_loop;
class result_budget;
struct database_options;

/// A statement or task for a session to run.
struct execution {
  const query* what = nullptr;
  const parsed_statement* text = nullptr;  ///< Null for a task.
  std::shared_ptr<const void> keep_alive;  ///< Keeps both until the session is done with them.
  clock::time_point deadline;              ///< SQLite's busy handler gives up then; the caller cancels by itself.
  std::size_t max_rows = 0, max_bytes = 0; ///< Bounds of the whole result.
  std::size_t max_held_bytes = 0;          ///< Bound of each row of a result in parts (`query::on_rows`).
  result_budget* budget = nullptr;         ///< The request's; null when it has no bound of its own.
};

/// The answer of a session: rows, a task's value, or a failure (its `query` is left to the caller).
using answer = std::variant<table, std::any, failure>;

/// Waits for a session's answer. Called on the session's loop; `on_answer` exactly once per `execute`.
class session_listener {
public:
  /// Points in time, for the query's report. A point that the session did not reach is not set.
  struct moments {
    clock::time_point sent{}, first_row{}, last_row{};
  };

  virtual void on_answer(answer&& what, const moments& when) = 0;

  /// Rows of a query with `on_rows`, before its answer. The session pauses until `resume`; after the last part it has
  /// nothing to wait for, and answers.
  virtual void on_rows(table&& /*part*/) {}

protected:
  ~session_listener() = default;
};

class session {
public:
  virtual ~session() = default;

  /// Starts `job`; only when the last one is over. `listener` lives until it has its answer or `cancel` is called; it
  /// never hears from the session before this returns. When the answer comes the session is clean: what a statement
  /// left behind (an open transaction) has been undone, or the session is not usable any more.
  virtual void execute(execution job, session_listener& listener) = 0;

  /// Stops what is running and forgets the listener: it hears nothing any more. `done` is called once, never before
  /// this returns, when the database has confirmed that it is finished with this session, or the connection is gone
  /// (then `usable()` is false).
  virtual void cancel(std::function<void()> done) = 0;

  /// Goes on after `session_listener::on_rows`; not from within that.
  virtual void resume() = 0;

  /// The points that the running job has reached, as far as the loop knows.
  virtual session_listener::moments progress() const noexcept { return {}; }

  /// False when the session is broken and has to be destroyed.
  virtual bool usable() const noexcept = 0;

  /// Called by the pool while the session is idle and breaks by itself (the server ended it).
  virtual void on_broken(std::function<void()> callback) = 0;

  /// For reports: `pg_backend_pid()` of a PostgreSQL session, a running number for others.
  virtual int id() const noexcept = 0;
};

/// Opens sessions of one database. Immutable; one per database, used from all loops.
class session_factory {
public:
  virtual ~session_factory() = default;

  /// The longest time that an attempt to open a session may take.
  virtual std::chrono::nanoseconds open_timeout() const { return std::chrono::seconds{10}; }

  /// Opens a session for `loop` without blocking it, and calls `done` there, once. `give_up` bounds the attempt as far
  /// as SOCI lets it: the first statement on a new connection, which is SOCI's own, is not bounded.
  virtual void open(event_loop& loop, clock::time_point give_up,
                    std::function<void(result<std::unique_ptr<session>>)> done) = 0;

  /// The lexical rules that its statements follow.
  virtual sheaf::dialect dialect() const noexcept = 0;
};

} // namespace sheaf
