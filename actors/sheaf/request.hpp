// SPDX-License-Identifier: BSD-3-Clause
//
// The types that a user fills in (query, request) and gets back (reply).

#pragma once

#include "sheaf/statement.hpp"
#include "sheaf/table.hpp"

#include <any>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace soci {
class session;
}

namespace sheaf {

/// A C++ function that gets a database session of its own and returns what it made of it. Runs on the blocking
/// executor. Throwing is allowed: the exception becomes the query's failure.
using task = std::function<std::any(soci::session&)>;

/// Takes a result's rows in parts, while the query still runs. A part has a row at least, and some 64 KiB or one row
/// that is larger. `next`, called from any thread, asks for the next part; until then the session is kept, and the
/// database waits. Once `next` and all its copies are gone without a call, on any thread, the query ends
/// (`query_canceled`), unless the end of the rows has come with this part; they may outlive the engine. Called on a
/// thread of the engine's, one part after the other: it must not block, and a part that takes long is better handed to
/// another thread. Throwing ends the query (`internal`).
using row_sink = std::function<void(table part, std::function<void()> next)>;

/// The effect of a failing query on its request.
enum class error_policy : std::uint8_t {
  fail,    ///< The first failure cancels the rest and is the request's own.
  partial, ///< Each query has its own value or failure, also at the deadline; only a `required` one fails the request.
  first,   ///< As soon as `request::first` queries have succeeded the rest are cancelled; fails once so many cannot.
};

/// The shares of sessions that come free while all priorities wait: 16, 4 and 1 of 21.
enum class priority : std::uint8_t { high, normal, low };

/// The choice whether short reads may share a session, one behind the other in one round trip (docs/packing.md). A
/// query is packed where its database, its request and itself allow it: `never` in one of the three is a no.
enum class packing : std::uint8_t {
  automatic, ///< Of those that are declared `read_only`, and by their words only read, those that are known to be
             ///< short.
  never,     ///< Each query has a session for itself.
  always,    ///< All that may be packed, whether they are known to be short or not: for tests and measurements.
};

/// One statement or C++ task of a request.
struct query {
  std::string name;             ///< Unique within the request; empty is numbered `q1`, `q2`, … by position.
  sheaf::statement statement;   ///< Exactly one SQL statement, unless `run` is set.
  sheaf::parameters parameters; ///< A value for each `:name` of the statement.
  task run;                     ///< A C++ task instead of a statement.
  /// Takes the rows in parts instead of one table in the end, so that a result of any size takes little memory. The
  /// outcome's table has the columns and, as `affected_rows`, how many rows there were. It comes after the last part,
  /// whose `next` it does not wait for; a query that fails may have handed on some of its rows. Not for C++ tasks.
  row_sink on_rows;
  std::string database;                            ///< Name of one of the engine's databases; empty for its first.
  std::optional<std::chrono::nanoseconds> timeout; ///< Time from its start, within the request's deadline.
  bool required = true;                            ///< True when its failure fails the request under `partial`.
  /// It changes nothing, and may be run again when its session is lost or the server asks for it
  /// (`serialization_failure`, `deadlock_detected`): on another session, within the deadline, three more times at most,
  /// and as long as few others do the same. A task may be called as often. Not once rows went to `on_rows`.
  bool read_only = false;
  /// The database refuses whatever would change rows, also in the functions that the statement calls (PostgreSQL:
  /// `rejected_sql`, SQLSTATE 25006). It costs nothing where the statement's words tell that it only reads, and else
  /// one small statement more in the same round trip. Not for C++ tasks and for statements that are no queries:
  /// `invalid_request`.
  bool no_writes = false;
  /// Limits instead of the engine's. With `on_rows` nothing but these bounds the whole result, not the request either;
  /// each of its rows is bound by the engine's `max_bytes`. They are kept while rows arrive, and the statement is
  /// stopped (`result_too_large`); a PostgreSQL statement that has had small results only on its session, not before
  /// `max_bytes` have come, or three times as many where they come in text, or its end.
  std::optional<std::size_t> max_rows, max_bytes;
  packing pack = packing::automatic;

  query() = default;
  query(std::string name, sheaf::statement sql, sheaf::parameters values = {})
    : name(std::move(name)), statement(std::move(sql)), parameters(std::move(values)) {}

  /// A C++ task: `f` is called with a `soci::session&`, and what it returns is the query's value. A `table` is a result
  /// like any other; anything else is read with `outcome::value<T>()`.
  template <class F>
    requires std::invocable<F&, soci::session&>
  static query of_task(std::string name, F f) {
    query q;
    q.name = std::move(name);
    q.run = [f = std::move(f)](soci::session& s) mutable -> std::any {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, soci::session&>>) {
        f(s);
        return {};
      } else {
        return std::any{f(s)};
      }
    };
    return q;
  }
};

/// Queries that are independent of each other and are answered together.
struct request {
  std::vector<query> queries; ///< Replies come in this order. A request of none is answered with none.
  /// Time from when the engine takes the request; the engine's default when not set.
  std::optional<std::chrono::nanoseconds> deadline{};
  std::size_t width = 0; ///< Maximum number of queries running at once; 0 for the engine's default.
  error_policy on_error = error_policy::fail;
  std::size_t first = 1; ///< Number of queries that have to succeed under the policy `first`.
  /// Maximum for all results together, but for those that are taken in parts; no bound but each result's own when not
  /// set.
  std::optional<std::size_t> max_rows{};
  std::optional<std::size_t> max_bytes{}; ///< As `max_rows`.
  std::string id{};                       ///< Name in the log; empty is numbered.
  sheaf::priority priority = sheaf::priority::normal;
  packing pack = packing::automatic; ///< Of all its queries.
};

/// The times at which a query passed each point, since its request was taken. `not_reached` where it did not.
struct query_times {
  static constexpr std::chrono::nanoseconds not_reached{-1};

  std::chrono::nanoseconds queued{not_reached};    ///< Began to wait for a session.
  std::chrono::nanoseconds acquired{not_reached};  ///< Had a session.
  std::chrono::nanoseconds sent{not_reached};      ///< Its statement was on its way.
  std::chrono::nanoseconds first_row{not_reached}; ///< The first bytes of the answer were there.
  std::chrono::nanoseconds last_row{not_reached};  ///< The answer was complete.
  std::chrono::nanoseconds released{not_reached};  ///< The session went back.
  /// The query was over: it had an answer or a failure, or nobody waited for it any more (a timeout, a cancel), which
  /// may be before the database was done with it.
  std::chrono::nanoseconds answered{not_reached};

  /// The time from `queued` to the last point that was reached. For a query that timed out or was cancelled, that is
  /// the time until it was given up.
  std::chrono::nanoseconds total() const noexcept;
};

/// The outcome of one query.
struct outcome {
  std::string name;
  std::variant<sheaf::table, std::any, failure> data; ///< Rows, a C++ task's value, or the reason for having neither.
  query_times times{};                                ///< Times of the last attempt; `queued` is that of the first.
  std::uint32_t attempts = 1;                         ///< More than one when it was run again: see `query::read_only`.
  sheaf::notices notices{};                           ///< What the server said beside, in the last attempt.
  /// Number of the pack, from 1, that it was answered in; 0 for a session of its own. Those of one pack have the same
  /// `times`: these are the pack's, and no query in it has any of its own.
  std::uint32_t pack = 0;

  bool ok() const noexcept { return !std::holds_alternative<failure>(data); }

  /// The rows; throws the query's failure, or `bad_read` when a task returned something else.
  const sheaf::table& table() const;

  /// The value that a C++ task returned; throws the query's failure, or `bad_read` when it is not a `T`.
  template <class T>
  const T& value() const {
    if (const auto* x = std::any_cast<T>(&any()))
      return *x;
    throw error(bad_read("the task's value has another type", name));
  }

  /// The failure; null when there is none.
  const sheaf::failure* error_info() const noexcept { return std::get_if<failure>(&data); }

private:
  const std::any& any() const;
};

/// The answer to a request.
struct reply {
  std::vector<outcome> outcomes;         ///< One for each query, in the order they were given.
  std::optional<sheaf::failure> failure; ///< The request's own failure; names the query that caused it.
  std::chrono::nanoseconds elapsed{0};   ///< Time from taking the request to joining its last reply.

  bool ok() const noexcept { return !failure; }

  /// The outcome of the query of that name or position; throws `bad_read` when there is none.
  const outcome& operator[](std::string_view name) const;
  const outcome& operator[](std::size_t position) const;

  /// The sum of the queries' times, from having a session to the answer or to being given up; a pack counts once.
  /// Queries that run at once slow each other down, so this is not the time that they would take in turn.
  std::chrono::nanoseconds serial_sum() const noexcept;

  /// `serial_sum` / `elapsed`: the number of queries that ran at once, on average. 0 for a request that did not run.
  double overlap() const noexcept;
};

/// The error in `given` that shows without looking at its SQL, or nothing: names that are not unique, a query
/// with both a statement and a task or with neither, limits that are no limits, parameters that are given twice or hold
/// NUL. `invalid_request` (an empty statement: `rejected_sql`).
std::optional<failure> validate(const request& given);

} // namespace sheaf
