// SPDX-License-Identifier: BSD-3-Clause
//
// A run: one statement or task on its way through a session. On its session's loop.

#pragma once

#include "sheaf/clock.hpp"
#include "sheaf/request.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sheaf {

class result_budget;

/// A statement or task for a session to run.
struct execution {
  const sheaf::query* query = nullptr;
  const parsed_statement* text = nullptr;  ///< Null for a task.
  std::shared_ptr<const void> keep_alive;  ///< Keeps both until the session is done with them.
  clock::time_point deadline;              ///< SQLite's busy handler gives up then; the caller drops the run by itself.
  std::size_t max_rows = 0, max_bytes = 0; ///< Bounds of the whole result.
  std::size_t max_held_bytes = 0;          ///< Bound of each row of a result in parts (`query::on_rows`).
  result_budget* budget = nullptr;         ///< Its part of the request's; null when that has no bound of its own.

  /// The database has to see to it that nothing is written: the words alone do not tell.
  bool is_to_be_guarded() const noexcept { return query->no_writes && text && text->effects.effect != effect::reads; }
};

/// The answer to a run: rows, a task's value, or a failure (its `query` is left to the caller).
using answer = std::variant<table, std::any, failure>;

/// The answer to one statement of a pack.
struct packed_answer {
  /// Nothing where the statement has not run, or has to run again by itself: those before it have spoiled it, or the
  /// server knew another statement than the session thought.
  std::optional<answer> data{};
  notices said{};
};

/// Waits for a run's answer. Called on the session's loop; `on_answer`, or of a pack `on_pack`, exactly once for each
/// run that is not dropped.
class run_listener {
public:
  /// Points in time, for the query's report. A point that the run did not reach is not set.
  struct moments {
    clock::time_point sent{}, first_row{}, last_row{};
  };

  virtual void on_answer(answer&& got, const moments& when) = 0;

  /// One answer for each statement of the pack, in their order.
  virtual void on_pack(std::vector<packed_answer>&& /*got*/, const moments& /*when*/) {}

  /// Rows of a query with `on_rows`, before its answer. The run pauses until it is resumed; after the last part it has
  /// nothing to wait for, and is answered.
  virtual void on_rows(table&& /*part*/) {}

protected:
  ~run_listener() = default;
};

/// A place in a session's line, for one statement or task, or for a pack: statements that go to the database at once,
/// one behind the other, and are answered together. Its owner fills in `job` or `pack`, and `listener`, and pushes it,
/// and keeps it where it is until it is at rest again; from the push until then the session alone changes it.
struct session_run {
  enum class status : std::uint8_t {
    at_rest, ///< In no line.
    in_line, ///< Pushed: its listener will have the answer.
    dropped, ///< Nobody wants the answer any more, but the database may not be done with it.
  };

  execution job{};               ///< Of a pack, only what keeps it alive.
  std::vector<execution> pack{}; ///< Reads without `on_rows`, none of which leaves a trace in the session.
  run_listener* listener = nullptr;
  status state = status::at_rest;
  run_listener::moments when{};            ///< The points that it has reached, as far as the loop knows.
  std::optional<std::size_t> stopped_in{}; ///< The statement of a pack that ran when it was stopped, if that is known.
  std::function<void()> when_at_rest{};    ///< Called at the end of a drop.
};

} // namespace sheaf
