// SPDX-License-Identifier: BSD-3-Clause
//
// A query's result: columns, rows, exact values. Immutable; a copy shares the rows; safe to read from any thread.

#pragma once

#include "sheaf/cell.hpp"
#include "sheaf/decode_compound.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pg_result; // libpq's PGresult

namespace sheaf {

/// The columns of a table, shared by all results of a statement. Never null.
using column_list = std::shared_ptr<const std::vector<column>>;

/// Clears a PGresult with its owner.
struct pgresult_delete {
  void operator()(pg_result* x) const noexcept;
};
using pgresult_ptr = std::unique_ptr<pg_result, pgresult_delete>;

/// The columns that a PGresult names.
column_list columns_of(const pg_result& rows);

class table {
public:
  /// No columns, no rows.
  table() noexcept = default;

  /// Takes a PGresult with status PGRES_TUPLES_OK or PGRES_COMMAND_OK. A large one is kept as it is, a small one is
  /// copied to where it takes less memory. Columns in binary format must be of types that `binary_is_exact` names.
  /// `columns` are its own if they are known already; they are read off it otherwise.
  static table from_pgresult(pgresult_ptr rows, column_list columns = nullptr);

  std::size_t rows() const noexcept;
  std::size_t columns() const noexcept;
  bool empty() const noexcept { return rows() == 0; }

  /// Name and type of a column. Throws `invalid_request` for an index out of range.
  column column_at(std::size_t index) const;

  /// Index of the column with this name (exact spelling, as the database gives it). An unknown name and one that
  /// several columns share are `invalid_request` failures.
  result<std::size_t> find_column(std::string_view name) const;

  /// Rows that an INSERT, UPDATE, DELETE, MERGE, COPY or SELECT reports; 0 for other commands.
  std::uint64_t affected_rows() const noexcept;

  /// What a PostgreSQL server says the command did (`INSERT 0 2`, `CREATE TABLE`, `SELECT 5`); empty for other
  /// databases, and for a table off the wire. Lives as long as the table.
  std::string_view command_tag() const noexcept;

  /// Bytes of all values, without overhead. Adds them up: takes time for large tables.
  std::size_t bytes() const noexcept;

  /// The stored cell; a NULL for an index out of range.
  sheaf::cell cell_at(std::size_t row, std::size_t column) const noexcept;

  bool is_null(std::size_t row, std::size_t column) const noexcept;

  /// The value as `psql` (or the `sqlite3` shell) prints it; nothing for NULL. Throws `invalid_request` for an index
  /// out of range.
  std::optional<std::string> text(std::size_t row, std::size_t column) const;
  /// The same, appended to `out`; false (and nothing appended) for NULL.
  bool append_text(std::string& out, std::size_t row, std::size_t column) const;

  /// The value at row and column (by index, from 0, or name) as a `T`: bool, any integer, float, double, std::string,
  /// std::string_view (textual columns, and types that never come in binary; lives as long as the table), bytes, date,
  /// timestamp (or any sys_time), std::optional of these, and std::vector of these for arrays (views excepted). Which
  /// types are read as which stands at the overloads of `decode`. Never rounds, truncates or guesses: a wrong type, a
  /// value out of range, a NULL without optional, an unknown or ambiguous column is a failure (`invalid_request`) that
  /// names row, column and both types.
  template <class T>
  result<T> try_get(std::size_t row, std::size_t column) const;
  template <class T>
  result<T> try_get(std::size_t row, std::string_view column) const;

  /// As `try_get`, but throws `sheaf::error`.
  template <class T>
  T get(std::size_t row, std::size_t column) const;
  template <class T>
  T get(std::size_t row, std::string_view column) const;

  /// The only cell of a table of one row and one column; throws `sheaf::error` when it is not that.
  template <class T>
  T scalar() const;

  class storage;
  explicit table(boost::intrusive_ptr<const storage> rows) noexcept : storage_(std::move(rows)) {}

private:
  template <class T>
  decoding read(std::size_t row, std::size_t column, T& x) const;
  template <class T>
  [[noreturn, gnu::cold, gnu::noinline]] void fail(decoding why, std::size_t row, std::size_t column) const;

  bool locate(std::size_t row, std::size_t column, cell& x) const noexcept;
  std::size_t index_of(std::string_view name) const noexcept;

  failure explain(decoding why, std::size_t row, std::size_t column, std::string_view wanted) const;
  failure explain_name(std::string_view name) const;
  failure explain_name(std::size_t row, std::string_view name, std::string_view wanted) const;
  failure explain_scalar(std::string_view wanted) const;

  boost::intrusive_ptr<const storage> storage_; // null for a table without columns and rows
};

void intrusive_ptr_add_ref(const table::storage* x) noexcept;
void intrusive_ptr_release(const table::storage* x) noexcept;

class built_rows;

/// Builds a table cell by cell, row by row, for databases other than PostgreSQL, for tests and for tables off the wire.
class table_builder {
public:
  explicit table_builder(std::vector<column> columns);
  static table_builder sharing(column_list columns); ///< With columns that other tables have, too.
  table_builder(table_builder&&) noexcept;
  table_builder& operator=(table_builder&&) noexcept;
  ~table_builder();

  /// Appends the next cell; rows fill from left to right. Not for a table without columns.
  void add_null();
  void add_integer(std::int64_t x);
  void add_real(double x);
  void add_text(std::string_view x);
  void add_blob(std::string_view x);
  void add(const cell& x); ///< A copy of any cell; its type is that of its column here.

  /// Appends rows to a table without columns (`select` alone has such a result).
  void add_empty_rows(std::size_t count);

  std::size_t rows() const noexcept;  ///< Complete rows so far.
  std::size_t bytes() const noexcept; ///< Of the values so far.

  /// Ends it, with a complete row. The builder is empty afterwards: without columns, without rows.
  table finish(std::uint64_t affected_rows = 0);

private:
  table_builder() noexcept;

  std::unique_ptr<built_rows> rows_;
};

} // namespace sheaf

#include "sheaf/table_get.hpp"
