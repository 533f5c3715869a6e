// SPDX-License-Identifier: BSD-3-Clause
//
// Collects a result's rows one by one: into one table, or into parts that are handed on as they fill. One thread at a
// time.

#pragma once

#include "sheaf/session/session.hpp"
#include "sheaf/table.hpp"
#include "sheaf/table_builder.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace sheaf {

class row_collector {
public:
  /// `job` is what the rows are an answer to; its bounds hold, and its budget lives as long as the collector.
  row_collector(column_list columns, const execution& job);

  /// Takes the next row's cells.
  table_builder& current() noexcept { return current_; }

  /// The bytes that `current` may count after the next row (`table_builder::bytes`).
  std::size_t bytes_max() const noexcept;

  /// Ends a row: `result_too_large` when that is one too many, or has taken too many bytes.
  std::optional<failure> end_row();

  /// Why there is no room for a row that is larger than `bytes_max` allows.
  failure no_room() const;

  /// Rows have to be handed on before there is room for more. Never when they are collected into one table.
  bool is_full() const noexcept;

  /// There are rows to hand on.
  bool has_part() const noexcept { return in_parts_ && current_.rows() > 0; }

  /// Hands them on; the next ones go to a new part.
  table take_part();

  /// All rows so far, those that were handed on among them.
  std::size_t rows() const noexcept { return rows_before_ + current_.rows(); }

  /// The end: the rows that are left, or with parts none.
  table finish(std::uint64_t affected_rows, std::string_view command_tag = {});

private:
  column_list columns_;
  std::size_t max_rows_, max_bytes_, max_held_bytes_;
  bool in_parts_;
  result_budget* budget_; ///< Null for none, and for parts.
  table_builder current_;
  std::size_t rows_before_ = 0, bytes_before_ = 0; ///< Sums over the parts that were handed on.
  std::size_t bytes_drawn_ = 0;                    ///< Drawn from the request's budget for `current_`.
};

} // namespace sheaf
