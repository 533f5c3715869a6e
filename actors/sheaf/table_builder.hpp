// SPDX-License-Identifier: BSD-3-Clause
//
// Makes tables: for databases other than PostgreSQL, for C++ tasks, for tests, and for tables off the wire. One thread
// at a time.

#pragma once

#include "sheaf/table.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace sheaf {

class built_rows;

/// Builds a table cell by cell, row by row.
class table_builder {
public:
  explicit table_builder(std::vector<column> columns);
  static table_builder sharing(column_list columns); ///< A builder whose columns other tables have, too.
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
  std::size_t bytes() const noexcept; ///< What its cells count so far, as for `options::max_bytes`.

  /// Ends it, with a complete row. The builder is empty afterwards: without columns, without rows.
  table finish(std::uint64_t affected_rows = 0, std::string_view command_tag = {});

private:
  table_builder() noexcept;

  std::unique_ptr<built_rows> rows_;
};

} // namespace sheaf
