// SPDX-License-Identifier: BSD-3-Clause
//
// Where a table's rows are: in the PGresult that they came in, packed into one block, or built cell by cell.

#pragma once

#include "sheaf/table.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// Immutable once a table has it; counted by boost::intrusive_ptr, so that a small result is one allocation.
class table::storage {
public:
  explicit storage(column_list of) noexcept : columns(std::move(of)), column_count(columns->size()) {}
  virtual ~storage() = default;

  storage(const storage&) = delete;
  storage& operator=(const storage&) = delete;

  /// The cell of a row and a column that exist. `x` is a NULL.
  virtual void locate(std::size_t row, std::size_t column, cell& x) const noexcept = 0;
  virtual std::uint64_t affected_rows() const noexcept = 0;
  virtual std::string_view command_tag() const noexcept { return {}; }

  std::size_t rows = 0;
  const column_list columns;
  const std::size_t column_count;

  mutable std::atomic<std::size_t> references = 0;
};

/// A large result stays where libpq has put it.
class libpq_rows final : public table::storage {
public:
  libpq_rows(pgresult_ptr rows, column_list of) noexcept;

  void locate(std::size_t row, std::size_t column, cell& x) const noexcept override;
  std::uint64_t affected_rows() const noexcept override;
  std::string_view command_tag() const noexcept override;

private:
  const pgresult_ptr result_;
  const sheaf::encoding encoding_; ///< libpq asks for all columns in one format.
};

/// A small result, copied: a PGresult takes 2 KiB at least, and most are a row or two. Its cells and their bytes stand
/// behind the object, in the same block.
class packed_rows final : public table::storage {
public:
  /// Whether copying `rows` is the better choice.
  static bool suits(const pg_result& rows) noexcept;
  static const storage* make(const pg_result& rows, column_list of);

  void locate(std::size_t row, std::size_t column, cell& x) const noexcept override;
  std::uint64_t affected_rows() const noexcept override;
  std::string_view command_tag() const noexcept override;

  static void operator delete(void* block) { ::operator delete(block); }

private:
  struct packed_cell {
    std::uint32_t place; ///< In the bytes behind the cells.
    std::int32_t size;   ///< Negative for NULL.
  };

  packed_rows(const pg_result& rows, column_list of) noexcept;
  static void* operator new(std::size_t size, std::size_t behind) { return ::operator new(size + behind); }
  static void operator delete(void* block, std::size_t) {
    ::operator delete(block);
  } // NOLINT(misc-new-delete-overloads)

  packed_cell* cells() noexcept { return reinterpret_cast<packed_cell*>(this + 1); }
  const packed_cell* cells() const noexcept { return reinterpret_cast<const packed_cell*>(this + 1); }
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(cells() + rows * column_count); }

  sheaf::encoding encoding_;
  std::uint32_t tag_place_ = 0, tag_size_ = 0;
};

/// Filled by a table_builder.
class built_rows final : public table::storage {
public:
  explicit built_rows(column_list of) noexcept : storage(std::move(of)) {}

  void add(encoding how, const char* data, std::size_t size);

  void locate(std::size_t row, std::size_t column, cell& x) const noexcept override;
  std::uint64_t affected_rows() const noexcept override { return affected; }

  std::size_t bytes = 0;
  std::uint64_t affected = 0;
  std::size_t cells() const noexcept { return cells_.size(); }

private:
  /// Numbers stand in `place` itself, all else in the arena from there.
  struct built_cell {
    std::uint64_t place;
    std::uint64_t encoding : 8;
    std::uint64_t size : 56;
  };

  std::vector<built_cell> cells_; ///< Row by row.
  std::string arena_;
};

} // namespace sheaf
