// SPDX-License-Identifier: BSD-3-Clause
//
// The small dealings with libpq that a PostgreSQL session needs: parameters out, errors and results in.

#pragma once

#include "sheaf/data/pgresult.hpp"
#include "sheaf/session/session.hpp"
#include "sheaf/table_builder.hpp"

#include <libpq-fe.h>

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// Finishes a PGconn with its owner.
struct pgconn_delete {
  void operator()(PGconn* x) const noexcept { PQfinish(x); }
};
using pgconn_ptr = std::unique_ptr<PGconn, pgconn_delete>;

/// The PGconn of a PostgreSQL session of SOCI's, which keeps owning it; null when a C++ task has closed it.
PGconn* native_connection(soci::session& s) noexcept;

/// A statement's parameters in the order of their numbers, in text format, as PQsendQueryPrepared takes them.
class parameter_texts {
public:
  /// Every name of `text` is in `values`, and no text has a NUL byte: the request was checked.
  parameter_texts(const parsed_statement& text, const parameters& values);

  const char* const* data() const noexcept { return pointers_.data(); } ///< A null pointer is NULL.
  int count() const noexcept { return static_cast<int>(pointers_.size()); }

  /// The types that the values declare; 0 where the server infers one from where the parameter stands.
  const Oid* types() const noexcept { return types_.data(); }
  bool declares_types() const noexcept { return declares_types_; }
  bool declare(const std::vector<Oid>& types) const noexcept; ///< The same ones; a NULL is of any type.

private:
  std::string texts_; ///< One after the other, each with its NUL.
  boost::container::small_vector<const char*, 8> pointers_;
  boost::container::small_vector<Oid, 8> types_;
  bool declares_types_ = false;
};

/// A server's error may mean that it has not even begun a prepared statement.
enum class staleness : std::uint8_t {
  none,
  possible, ///< It says one of the following, but perhaps of a statement that a function runs: that may have written.
  unknown,  ///< It does not know the statement's name.
  changed,  ///< The tables that it was planned for have changed.
  named,    ///< It has a statement of that name already.
  retyped,  ///< The parameters may have other types since a table was altered. The statement may have begun.
  refused,  ///< It does not take the types that were declared for the parameters, and has not begun.
};

/// The staleness that the error `r` of a prepared statement of this name shows. An SQLSTATE proves nothing, as anybody
/// can raise it; nor does the routine alone, as a statement that runs others gets their errors. But these have a
/// context.
staleness staleness_of(const PGresult* r, std::string_view name);

/// True for errors that a statement gets whose parameters have the types of tables as they were once: a number is out
/// of range, a text is no number, there is no such operator, or no such type any more.
bool may_be_retyped(const failure& why) noexcept;

/// True when these are the columns of `rows`, with their names and types.
bool are_columns_of(const PGresult& rows, const std::vector<column>& columns) noexcept;

/// libpq's own last message, in one line.
std::string last_error(const PGconn* conn);

/// The rows as a table, or `result_too_large`. `columns` may be null.
answer checked_table(pgresult_ptr rows, column_list columns, const execution& job);

/// Bytes that a result may come to at least before it can be larger than `job` allows, by what a row of so many columns
/// takes at least in the protocol, and a NULL (PostgreSQL manual, "Message Formats", DataRow).
std::size_t bytes_that_fit(const execution& job, std::size_t columns) noexcept;

/// Appends a row as libpq has it in single-row mode. False when it counts more than `bytes_max`.
bool add_row(table_builder& to, const PGresult& row, std::size_t bytes_max);

/// True when dates and timestamps read as ISO in this session, so that their binary form can be given as the server's
/// text.
bool has_iso_dates(const PGconn* conn) noexcept;
bool is_date_or_timestamp(Oid type) noexcept;

} // namespace sheaf
