// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/session/row_collector.hpp"

#include "sheaf/session/result_budget.hpp"

#include <algorithm>

namespace sheaf {

namespace {

/// A part is worth handing on: what it takes to do so is little beside it. Rows without cells count too.
constexpr std::size_t part_bytes = 1 << 16, bytes_per_row = 16;

} // namespace

row_collector::row_collector(column_list columns, const execution& job)
  : columns_(std::move(columns)), max_rows_(job.max_rows), max_bytes_(job.max_bytes),
    max_held_bytes_(job.max_held_bytes), in_parts_(job.query->on_rows != nullptr),
    budget_(in_parts_ ? nullptr : job.budget), current_(table_builder::sharing(columns_)) {}

std::size_t row_collector::bytes_max() const noexcept {
  if (!in_parts_)
    return max_bytes_;
  return std::min(max_bytes_ - bytes_before_, current_.bytes() + max_held_bytes_);
}

std::optional<failure> row_collector::end_row() {
  if (rows() > max_rows_)
    return too_large("max_rows", max_rows_);
  const auto bytes = current_.bytes();
  if (bytes > max_bytes_ - bytes_before_)
    return too_large("max_bytes", max_bytes_);
  if (!budget_)
    return {};
  return budget_->draw(1, bytes - std::exchange(bytes_drawn_, bytes));
}

failure row_collector::no_room() const {
  const bool whole_is_bound = !in_parts_ || max_bytes_ - bytes_before_ <= current_.bytes() + max_held_bytes_;
  return whole_is_bound ? too_large("max_bytes", max_bytes_) : too_large("max_bytes", max_held_bytes_, bound_on::row);
}

bool row_collector::is_full() const noexcept {
  return in_parts_ && current_.bytes() + current_.rows() * bytes_per_row >= part_bytes;
}

table row_collector::take_part() {
  rows_before_ += current_.rows();
  bytes_before_ += current_.bytes();
  auto part = current_.finish();
  current_ = table_builder::sharing(columns_);
  return part;
}

table row_collector::finish(std::uint64_t affected_rows, std::string_view command_tag) {
  return current_.finish(affected_rows, command_tag);
}

} // namespace sheaf
