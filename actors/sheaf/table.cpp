// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/table.hpp"

#include "sheaf/data/cell_text.hpp"
#include "sheaf/data/pgresult_rows.hpp"
#include "sheaf/data/table_storage.hpp"

#include <algorithm>
#include <utility>

namespace sheaf {

std::size_t table::rows() const noexcept { return storage_ ? storage_->rows : 0; }

std::size_t table::columns() const noexcept { return storage_ ? storage_->column_count : 0; }

column table::column_at(std::size_t index) const {
  if (index >= columns())
    throw error(
        bad_read("there is no column " + std::to_string(index) + "; the table has " + std::to_string(columns())));
  return (*storage_->columns)[index];
}

/// The one column of that name; `columns()` when there is none, or several.
std::size_t table::index_of(std::string_view name) const noexcept {
  const auto count = columns();
  auto found = count;
  for (std::size_t i = 0; i < count; ++i) {
    if ((*storage_->columns)[i].name != name)
      continue;
    if (found != count)
      return count;
    found = i;
  }
  return found;
}

result<std::size_t> table::find_column(std::string_view name) const {
  const auto index = index_of(name);
  return index != columns() ? result<std::size_t>{index} : result<std::size_t>{explain_name(name)};
}

std::uint64_t table::affected_rows() const noexcept { return storage_ ? storage_->affected_rows() : 0; }

std::string_view table::command_tag() const noexcept { return storage_ ? storage_->command_tag() : std::string_view{}; }

std::size_t table::bytes() const noexcept {
  std::size_t sum = 0;
  for (std::size_t row = 0; row < rows(); ++row)
    for (std::size_t column = 0; column < columns(); ++column)
      sum += cell_at(row, column).size;
  return sum;
}

bool table::locate(std::size_t row, std::size_t column, cell& x) const noexcept {
  const auto* from = storage_.get();
  if (!from || row >= from->rows || column >= from->column_count) [[unlikely]]
    return false;
  switch (from->is) {
  case table_storage::form::libpq:
    static_cast<const libpq_rows*>(from)->locate(row, column, x);
    break;
  case table_storage::form::packed:
    static_cast<const packed_rows*>(from)->locate(row, column, x);
    break;
  case table_storage::form::built:
    static_cast<const built_rows*>(from)->locate(row, column, x);
    break;
  }
  return true;
}

cell table::cell_at(std::size_t row, std::size_t column) const noexcept {
  cell x;
  locate(row, column, x);
  return x;
}

bool table::is_null(std::size_t row, std::size_t column) const noexcept {
  return cell_at(row, column).encoding == encoding::null;
}

std::optional<std::string> table::text(std::size_t row, std::size_t column) const {
  std::string out;
  return append_text(out, row, column) ? std::optional{std::move(out)} : std::nullopt;
}

bool table::append_text(std::string& out, std::size_t row, std::size_t column) const {
  cell x;
  const auto status = !locate(row, column, x)       ? decoding::no_cell
                      : !sheaf::append_text(out, x) ? decoding::malformed
                                                    : decoding::ok;
  if (status != decoding::ok)
    throw error(explain(status, row, column, "text"));
  return x.encoding != encoding::null;
}

} // namespace sheaf
