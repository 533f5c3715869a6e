// SPDX-License-Identifier: BSD-3-Clause
//
// The storage of a table's rows: in the PGresult that they came in, packed into one block (both in pgresult_rows.hpp),
// or built cell by cell.

#pragma once

#include "sheaf/cell.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// Immutable once a table has it; counted by boost::intrusive_ptr, so that a small result is one allocation.
class table_storage {
public:
  /// The derived class: reading a cell is too short for a virtual call.
  enum class form : std::uint8_t { libpq, packed, built };

  table_storage(form how, column_list of) noexcept : columns(std::move(of)), column_count(columns->size()), is(how) {}
  virtual ~table_storage() = default;

  table_storage(const table_storage&) = delete;
  table_storage& operator=(const table_storage&) = delete;

  virtual std::uint64_t affected_rows() const noexcept = 0;
  virtual std::string_view command_tag() const noexcept { return {}; }

  std::size_t rows = 0;
  const column_list columns;
  const std::size_t column_count;
  const form is;

  mutable std::atomic<std::size_t> references = 0;
};

/// Filled by a table_builder.
class built_rows final : public table_storage {
public:
  explicit built_rows(column_list of) noexcept : table_storage(form::built, std::move(of)) {}

  void add(const cell& x);

  void locate(std::size_t row, std::size_t column, cell& x) const noexcept;
  std::uint64_t affected_rows() const noexcept override { return affected; }
  std::string_view command_tag() const noexcept override { return tag; }

  std::size_t bytes = 0; ///< As its cells count (counted_bytes.hpp).
  std::uint64_t affected = 0;
  std::string tag;
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
