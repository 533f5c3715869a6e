// SPDX-License-Identifier: BSD-3-Clause
//
// Where a table's rows are: in the PGresult that they came in, packed into one block, or built cell by cell.

#pragma once

#include "sheaf/table.hpp"

#include <libpq-fe.h>

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
  /// Which class it is: reading a cell is too short for a virtual call.
  enum class form : std::uint8_t { libpq, packed, built };

  storage(form how, column_list of) noexcept : columns(std::move(of)), column_count(columns->size()), is(how) {}
  virtual ~storage() = default;

  storage(const storage&) = delete;
  storage& operator=(const storage&) = delete;

  virtual std::uint64_t affected_rows() const noexcept = 0;
  virtual std::string_view command_tag() const noexcept { return {}; }

  std::size_t rows = 0;
  const column_list columns;
  const std::size_t column_count;
  const form is;

  mutable std::atomic<std::size_t> references = 0;
};

/// A large result stays where libpq has put it.
class libpq_rows final : public table::storage {
public:
  libpq_rows(pgresult_ptr rows, column_list of) noexcept;

  /// The cell of a row and a column that exist, here as in the others. `x` is a NULL.
  void locate(std::size_t row, std::size_t column, cell& x) const noexcept;
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

  void locate(std::size_t row, std::size_t column, cell& x) const noexcept;
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
  static void operator delete(void* block, std::size_t) { ::operator delete(block); } // if the constructor throws

  packed_cell* cells() noexcept { return reinterpret_cast<packed_cell*>(this + 1); }
  const packed_cell* cells() const noexcept { return reinterpret_cast<const packed_cell*>(this + 1); }
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(cells() + rows * column_count); }

  sheaf::encoding encoding_;
  std::uint32_t tag_place_ = 0, tag_size_ = 0;
};

/// Filled by a table_builder.
class built_rows final : public table::storage {
public:
  explicit built_rows(column_list of) noexcept : storage(form::built, std::move(of)) {}

  void add(encoding how, const char* data, std::size_t size);

  void locate(std::size_t row, std::size_t column, cell& x) const noexcept;
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

inline void libpq_rows::locate(std::size_t row, std::size_t column, cell& x) const noexcept {
  const auto r = static_cast<int>(row);
  const auto c = static_cast<int>(column);
  const int size = PQgetlength(result_.get(), r, c);
  x.oid = (*columns)[column].oid;
  // libpq gives a NULL's length as 0, so most cells need no third call.
  if (size == 0 && PQgetisnull(result_.get(), r, c))
    return;
  x.encoding = encoding_;
  x.data = PQgetvalue(result_.get(), r, c);
  x.size = static_cast<std::size_t>(size);
}

inline void packed_rows::locate(std::size_t row, std::size_t column, cell& x) const noexcept {
  const auto& from = cells()[row * column_count + column];
  x.oid = (*columns)[column].oid;
  if (from.size < 0)
    return;
  x.encoding = encoding_;
  x.data = bytes() + from.place;
  x.size = static_cast<std::size_t>(from.size);
}

inline void built_rows::locate(std::size_t row, std::size_t column, cell& x) const noexcept {
  const auto& from = cells_[row * column_count + column];
  x.oid = (*columns)[column].oid;
  x.encoding = static_cast<sheaf::encoding>(from.encoding);
  x.size = from.size;
  if (x.encoding == encoding::integer || x.encoding == encoding::real)
    x.data = reinterpret_cast<const char*>(&from.place);
  else if (x.encoding != encoding::null)
    x.data = arena_.data() + from.place;
}

} // namespace sheaf
