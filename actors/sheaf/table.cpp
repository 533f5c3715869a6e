// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/table.hpp"

#include "sheaf/table_storage.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sheaf {

void intrusive_ptr_add_ref(const table::storage* x) noexcept { x->references.fetch_add(1, std::memory_order_relaxed); }

void intrusive_ptr_release(const table::storage* x) noexcept {
  if (x->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete x;
}

table table::from_pgresult(pgresult_ptr rows, column_list columns) {
  assert(rows);
  if (!columns)
    columns = columns_of(*rows);
  if (packed_rows::suits(*rows))
    return table{packed_rows::make(*rows, std::move(columns))};
  return table{new libpq_rows{std::move(rows), std::move(columns)}};
}

std::size_t table::rows() const noexcept { return storage_ ? storage_->rows : 0; }

std::size_t table::columns() const noexcept { return storage_ ? storage_->column_count : 0; }

column table::column_at(std::size_t index) const {
  if (index >= columns())
    throw error(
        {.code = errc::invalid_request,
         .message = "there is no column " + std::to_string(index) + "; the table has " + std::to_string(columns())});
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
  case storage::form::libpq:
    static_cast<const libpq_rows*>(from)->locate(row, column, x);
    break;
  case storage::form::packed:
    static_cast<const packed_rows*>(from)->locate(row, column, x);
    break;
  case storage::form::built:
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

table_builder::table_builder(std::vector<column> columns)
  : rows_(std::make_unique<built_rows>(std::make_shared<const std::vector<column>>(std::move(columns)))) {}

table_builder table_builder::sharing(column_list columns) {
  table_builder made;
  made.rows_ = std::make_unique<built_rows>(std::move(columns));
  return made;
}

table_builder::table_builder() noexcept = default;

table_builder::table_builder(table_builder&&) noexcept = default;
table_builder& table_builder::operator=(table_builder&&) noexcept = default;
table_builder::~table_builder() = default;

void table_builder::add_null() { rows_->add(encoding::null, nullptr, 0); }

void table_builder::add_integer(std::int64_t x) {
  rows_->add(encoding::integer, reinterpret_cast<const char*>(&x), sizeof x);
}

void table_builder::add_real(double x) { rows_->add(encoding::real, reinterpret_cast<const char*>(&x), sizeof x); }

void table_builder::add_text(std::string_view x) { rows_->add(encoding::text, x.data(), x.size()); }

void table_builder::add_blob(std::string_view x) { rows_->add(encoding::blob, x.data(), x.size()); }

void table_builder::add(const cell& x) { rows_->add(x.encoding, x.data, x.size); }

void table_builder::add_empty_rows(std::size_t count) {
  assert(rows_->column_count == 0);
  rows_->rows += count;
}

std::size_t table_builder::rows() const noexcept { return rows_->rows; }

std::size_t table_builder::bytes() const noexcept { return rows_->bytes; }

table table_builder::finish(std::uint64_t affected_rows) {
  rows_->affected = affected_rows;
  assert(rows_->cells() == rows_->rows * rows_->column_count);
  auto made = std::exchange(rows_, std::make_unique<built_rows>(std::make_shared<const std::vector<column>>()));
  return table{made.release()};
}

} // namespace sheaf
