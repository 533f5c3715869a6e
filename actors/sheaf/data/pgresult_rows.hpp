// SPDX-License-Identifier: BSD-3-Clause
//
// Rows as libpq has them, and a small result's copied out of it.

#pragma once

#include "sheaf/data/pgresult.hpp"
#include "sheaf/data/table_storage.hpp"

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

namespace sheaf {

/// A large result stays where libpq has put it.
class libpq_rows final : public table_storage {
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
class packed_rows final : public table_storage {
public:
  /// True when copying `rows` is the better choice.
  static bool suits(const pg_result& rows) noexcept;
  static const table_storage* make(const pg_result& rows, column_list of);

  void locate(std::size_t row, std::size_t column, cell& x) const noexcept;
  std::uint64_t affected_rows() const noexcept override;
  std::string_view command_tag() const noexcept override;

  static void operator delete(void* block) { ::operator delete(block); }

private:
  struct packed_cell {
    std::uint32_t place; ///< Offset in the bytes behind the cells.
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

} // namespace sheaf
