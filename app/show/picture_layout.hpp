// SPDX-License-Identifier: BSD-3-Clause
//
// The places of a picture's parts, so that no text leaves it or meets another. In pixels. Any thread.

#pragma once

#include "app/show/picture_phases.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// The width of a text, roughly; fonts differ, and this is for wide ones.
double text_width(std::string_view text, double font);

struct layout {
  static constexpr double width = 960;
  static constexpr double edge = 16;
  static constexpr double rows_top = 84;
  static constexpr double gap = 8;          ///< The gap between a text and a bar.
  static constexpr double cross_width = 14; ///< The width of a failure's mark, before its note.
  static constexpr double sliver = 2;       ///< The least width of a query that ran.
  static constexpr std::string_view serial_name = "sum of times";

  struct row {
    phases when;
    std::string name, note;
    bool ok;
  };

  explicit layout(const reply& got);

  std::vector<row> rows;         ///< The rows of the queries that are shown.
  std::vector<std::size_t> path; ///< `critical_path` of all queries.
  std::size_t left_out = 0;      ///< Queries that are not shown.
  double row_height = 0, bar_height = 0, font = 0;
  double left = 0, right = 0;         ///< The ends of the scale.
  std::chrono::nanoseconds span{1};   ///< The time that the scale shows.
  std::chrono::nanoseconds serial{0}; ///< The sum of the queries' times.
  bool cut = false;                   ///< It is much longer than the scale.
  std::string serial_note;
  bool repeats_axis = false; ///< Too many rows to look up from the last to the axis.
  double bottom = 0;         ///< The end of the rows.
  double serial_middle = 0, legend_middle = 0, height = 0;

  double x_of(std::chrono::nanoseconds time) const noexcept;
  double middle_of(std::size_t row) const noexcept;
  double end_of(std::size_t row) const noexcept; ///< The end of its bar.

private:
  void make_room(std::chrono::nanoseconds end, double note);
};

} // namespace sheaf::app
