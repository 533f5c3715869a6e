// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/table_builder.hpp"

#include "sheaf/data/table_storage.hpp"

#include <cassert>
#include <utility>

namespace sheaf {

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

void table_builder::add_null() { rows_->add({}); }

void table_builder::add_integer(std::int64_t x) {
  rows_->add({.encoding = encoding::integer, .data = reinterpret_cast<const char*>(&x), .size = sizeof x});
}

void table_builder::add_real(double x) {
  rows_->add({.encoding = encoding::real, .data = reinterpret_cast<const char*>(&x), .size = sizeof x});
}

void table_builder::add_text(std::string_view x) {
  rows_->add({.encoding = encoding::text, .data = x.data(), .size = x.size()});
}

void table_builder::add_blob(std::string_view x) {
  rows_->add({.encoding = encoding::blob, .data = x.data(), .size = x.size()});
}

void table_builder::add(const cell& x) { rows_->add(x); }

void table_builder::add_empty_rows(std::size_t count) {
  assert(rows_->column_count == 0);
  rows_->rows += count;
}

std::size_t table_builder::rows() const noexcept { return rows_->rows; }

std::size_t table_builder::bytes() const noexcept { return rows_->bytes; }

table table_builder::finish(std::uint64_t affected_rows, std::string_view command_tag) {
  rows_->affected = affected_rows;
  rows_->tag = command_tag;
  assert(rows_->cells() == rows_->rows * rows_->column_count);
  auto made = std::exchange(rows_, std::make_unique<built_rows>(std::make_shared<const std::vector<column>>()));
  return table{made.release()};
}

} // namespace sheaf
