// SPDX-License-Identifier: BSD-3-Clause
//
// A failure as a value: a stable code, the phase it happened in, and one line that says what to do.

#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf {

/// The kind of a failure. The names are stable; `to_string` gives them as they stand here.
enum class errc : std::uint8_t {
  invalid_request = 1,   ///< The request itself is wrong: names, parameters, limits, URL. Nothing was sent.
  rejected_sql,          ///< The server refused the statement or its data (SQLSTATE classes 42, 22 and others).
  constraint_violated,   ///< SQLSTATE class 23.
  permission_denied,     ///< SQLSTATE 42501, class 28.
  serialization_failure, ///< SQLSTATE 40001.
  deadlock_detected,     ///< SQLSTATE 40P01.
  query_canceled,        ///< SQLSTATE 57014, or cancelled because a sibling failed or the caller asked.
  deadline_exceeded,     ///< The request's deadline or the query's timeout passed; `phase` says where.
  connection_lost,       ///< The session broke (SQLSTATE class 08, 57P01 to 57P03).
  connect_failed,        ///< No session could be opened.
  too_many_connections,  ///< SQLSTATE 53300: the server has no place left.
  pool_timeout,          ///< No session came free within `pool.acquire_timeout`.
  pool_queue_full,       ///< `pool.max_queue_size` queries wait already.
  overloaded,            ///< It could not be answered in time, by what its statements took lately, so it was not begun.
  pool_closed,           ///< The engine is shutting down.
  result_too_large,      ///< A result passed `max_rows` or `max_bytes`.
  in_doubt,              ///< A write whose outcome is unknown.
  internal,              ///< A defect (of the server: SQLSTATE class XX), or an exception out of a C++ task.
  disk_full, ///< SQLSTATE 53100, or an SQLite file at its limit: there is no room for what is to be written.
  bad_read,  ///< What was answered is read as what it is not: a cell as a type that does not fit, a column by a wrong
             ///< name.
};

/// The last of the codes above.
inline constexpr errc errc_last = errc::bad_read;

/// The point that a query had reached when it failed.
enum class phase : std::uint8_t { none, queue, connect, execute, fetch };

/// One failure. Holds no parameter's value and no password: what its texts say instead is `‹:id›`, the parameter's
/// name, or `…`. Details may have values of rows that are in the database.
struct failure {
  errc code = errc::internal;
  sheaf::phase phase = sheaf::phase::none;
  std::string query{};         ///< Name of the query, empty when the request as a whole failed.
  std::string sqlstate{};      ///< Five characters where a PostgreSQL server gave them, else empty.
  std::string message{};       ///< One line; a server's hint is behind it in parentheses.
  std::size_t position = 0;    ///< Place in the query's SQL, in characters from 1; 0 when not known.
  bool reached_server = false; ///< False when it is known that no part of the statement got there.
  bool of_value = false;       ///< A parameter's value is wrong, and not the SQL: the server stumbled over it.
  /// Something may have taken effect although it failed: something of this query, or, in `reply::failure`, of any query
  /// of the request. See `safe_to_retry`.
  bool may_have_effect = false;
  std::chrono::nanoseconds retry_after{0}; ///< Of `overloaded`: about when there may be room for it; 0 if not known.
  // What a PostgreSQL server says beside, of statements; not of C++ tasks.
  std::string detail{}, context{};             ///< Each up to 4 KiB, on one line or several.
  std::string table{}, column{}, constraint{}; ///< Names, such as that of the constraint that is violated.
};

/// What a PostgreSQL server says beside the rows of a query. Holds no parameter's value, as a failure; of a C++ task,
/// whose values are not known, it has neither what a function says nor what the server quotes.
struct notice {
  std::string severity{};                             ///< `NOTICE`, `WARNING`, `INFO`, `LOG` or `DEBUG`.
  std::string sqlstate{};                             ///< `00000` for most.
  std::string message{}, detail{}, hint{}, context{}; ///< Each up to 4 KiB, on one line or several.
};

/// The first notices of a query: 100 of them at most, with 16 KiB of text at most, and fewer where values of many MiB
/// would have to be looked for in each.
struct notices {
  std::vector<notice> kept{};
  std::uint64_t left_out = 0; ///< The number of those that came after them.

  bool empty() const noexcept { return kept.empty() && left_out == 0; }
};

/// A failure of wrong input, which the message describes; nothing was sent to a database.
inline failure invalid_request(std::string message, std::string query = {}) {
  return {.code = errc::invalid_request, .query = std::move(query), .message = std::move(message)};
}

/// A failure of reading from an answer what it does not have.
inline failure bad_read(std::string message, std::string query = {}) {
  return {.code = errc::bad_read, .query = std::move(query), .message = std::move(message)};
}

std::string_view to_string(errc code) noexcept;
std::string_view to_string(phase where) noexcept;

/// `code: message`, with query, phase and SQLSTATE as far as they are known. One line.
std::string to_string(const failure& why);

/// The code for an SQLSTATE as listed at `errc`; `rejected_sql` for what has no code of its own.
errc code_of_sqlstate(std::string_view sqlstate) noexcept;

/// True when it is proved that nothing has taken effect, and the same may well succeed when it is sent again: the query
/// of an outcome's failure, or the whole request of `reply::failure`. That is so
/// - where nothing reached the server, or no session could be had;
/// - where the server has undone the statement (`serialization_failure`, `deadlock_detected`), and this was declared
///   `read_only`, or is a plain query or change (`select`, `insert`, `update`, `delete`, `merge`) and calls none but
///   PostgreSQL's own functions. A C++ task, `call`, `do` and a function of the user's own may have committed, or
///   reached beyond the transaction that was undone;
/// - and, of a request, where none of its other queries may have taken effect: each has not begun, only reads, was
///   declared `read_only`, or was undone in the same way.
///
/// It goes by the words of the statements: a trigger, rule, view, operator or default that reaches beyond its
/// transaction is not seen. A number that was drawn from a sequence is no effect.
bool safe_to_retry(const failure& why) noexcept;

/// True when the caller has to change the request; sending the same one again fails again.
bool is_client_fault(const failure& why) noexcept;

/// Thrown only by accessors that unwrap a result (`get`, `value()`); never crosses an actor or a thread.
class error : public std::runtime_error {
public:
  explicit error(failure why) : std::runtime_error(to_string(why)), failure_(std::move(why)) {}

  const failure& why() const noexcept { return failure_; }

private:
  failure failure_;
};

/// A value or a failure. `value()` throws `sheaf::error` when there is none.
template <class T>
using result = boost::system::result<T, failure>;

[[noreturn]] inline void throw_exception_from_error(const failure& why, const boost::source_location&) {
  throw error(why);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, failure& x) {
  return f(x.code, x.phase, x.query, x.sqlstate, x.message, x.position, x.reached_server, x.of_value, x.may_have_effect,
           x.retry_after, x.detail, x.context, x.table, x.column, x.constraint);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, notice& x) {
  return f(x.severity, x.sqlstate, x.message, x.detail, x.hint, x.context);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, notices& x) {
  return f(x.kept, x.left_out);
}

} // namespace sheaf
