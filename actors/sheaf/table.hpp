// SPDX-License-Identifier: BSD-3-Clause
//
// A query's result: columns, rows, exact values. Immutable; a copy shares the rows; safe to read from any thread.

#pragma once

#include "sheaf/cell.hpp"
#include "sheaf/data/decode_compound.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf {

class table_storage;
void intrusive_ptr_add_ref(const table_storage* x) noexcept;
void intrusive_ptr_release(const table_storage* x) noexcept;

class table {
public:
  /// No columns, no rows.
  table() noexcept = default;

  std::size_t rows() const noexcept;
  std::size_t columns() const noexcept;
  bool empty() const noexcept { return rows() == 0; }

  /// Name and type of a column. Throws `bad_read` for an index out of range.
  column column_at(std::size_t index) const;

  /// Index of the column with this name (exact spelling, as the database gives it). An unknown name and one that
  /// several columns share are `bad_read` failures.
  result<std::size_t> find_column(std::string_view name) const;

  /// Rows that an INSERT, UPDATE, DELETE, MERGE, COPY or SELECT reports; 0 for other commands.
  std::uint64_t affected_rows() const noexcept;

  /// The PostgreSQL server's word for what the command did (`INSERT 0 2`, `CREATE TABLE`, `SELECT 5`); empty for other
  /// databases, and for a table off the wire. Lives as long as the table.
  std::string_view command_tag() const noexcept;

  /// Bytes of all values, without overhead. Adds them up: takes time for large tables.
  std::size_t bytes() const noexcept;

  /// The stored cell; a NULL for an index out of range.
  sheaf::cell cell_at(std::size_t row, std::size_t column) const noexcept;

  bool is_null(std::size_t row, std::size_t column) const noexcept;

  /// The value as `psql` (or the `sqlite3` shell) prints it; nothing for NULL. Throws `bad_read` for an index
  /// out of range.
  std::optional<std::string> text(std::size_t row, std::size_t column) const;
  /// The same, appended to `out`; false (and nothing appended) for NULL.
  bool append_text(std::string& out, std::size_t row, std::size_t column) const;

  /// The value at row and column (by index, from 0, or name) as a `T`: bool, any integer, float, double, std::string,
  /// std::string_view (textual columns, and types that never come in binary; lives as long as the table), bytes, date,
  /// timestamp (or any sys_time), std::optional of these, and std::vector of these for arrays (views excepted). The
  /// overloads of `decode` say which types are read as which. Never rounds, truncates or guesses: a wrong type, a value
  /// out of range, a NULL without optional, an unknown or ambiguous column is a failure (`bad_read`) that names
  /// row, column and both types.
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

  /// For makers of tables: table_builder, and the backends.
  explicit table(boost::intrusive_ptr<const table_storage> rows) noexcept : storage_(std::move(rows)) {}

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

  boost::intrusive_ptr<const table_storage> storage_; // null for a table without columns and rows
};

// A read that succeeds makes one call besides libpq's and allocates nothing but what its type needs; all that a failure
// costs is out of line.

template <class T>
decoding table::read(std::size_t row, std::size_t column, T& x) const {
  static_assert(readable<T>, "not a type that a cell can be read as: see table::try_get");
  cell where;
  return locate(row, column, where) ? decode(where, x) : decoding::no_cell;
}

template <class T>
result<T> table::try_get(std::size_t row, std::size_t column) const {
  T x{};
  if (const auto status = read(row, column, x); status != decoding::ok) [[unlikely]]
    return explain(status, row, column, cxx_name<T>::get());
  return x;
}

template <class T>
result<T> table::try_get(std::size_t row, std::string_view column) const {
  if (const auto index = index_of(column); index != columns())
    return try_get<T>(row, index);
  return explain_name(row, column, cxx_name<T>::get());
}

template <class T>
void table::fail(decoding why, std::size_t row, std::size_t column) const {
  throw error(explain(why, row, column, cxx_name<T>::get()));
}

template <class T>
T table::get(std::size_t row, std::size_t column) const {
  T x{};
  if (const auto status = read(row, column, x); status != decoding::ok) [[unlikely]]
    fail<T>(status, row, column);
  return x;
}

template <class T>
T table::get(std::size_t row, std::string_view column) const {
  if (const auto index = index_of(column); index != columns())
    return get<T>(row, index);
  throw error(explain_name(row, column, cxx_name<T>::get()));
}

template <class T>
T table::scalar() const {
  if (rows() == 1 && columns() == 1)
    return get<T>(0, 0);
  throw error(explain_scalar(cxx_name<T>::get()));
}

} // namespace sheaf
