// SPDX-License-Identifier: BSD-3-Clause
//
// The rows of one result as JSON: in one go, in pieces, or a table at a time. One thread at a time.

#pragma once

#include "app/show/format.hpp"

#include "sheaf/table.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace sheaf::app::serve {

enum class answer_shape : std::uint8_t { rows, objects, scalar };

struct answer_form {
  answer_shape shape = answer_shape::rows;
  json_form values;
};

class row_writer {
public:
  explicit row_writer(answer_form how) noexcept : how_(how) {}

  answer_shape shape() const noexcept { return how_.shape; }

  /// Begins a result: its columns.
  void begin(std::string& out, const table& rows);

  /// Appends rows, from `row` on, until `out` has `bytes_max` bytes or one row more. Returns the row that comes next.
  std::size_t write(std::string& out, const table& rows, std::size_t row = 0,
                    std::size_t bytes_max = std::numeric_limits<std::size_t>::max());

  /// Ends it. A command without rows has the number of those that it changed.
  static void end(std::string& out, const table& result);

  void write_cell(std::string& out, const table& rows, std::size_t row, std::size_t column);

  /// The values so far, of all results, that had bytes that are not UTF-8: each such byte has become U+FFFD.
  std::size_t replaced() const noexcept { return replaced_; }

private:
  void write_row(std::string& out, const table& rows, std::size_t row);

  answer_form how_;
  std::vector<std::string> keys_; ///< The keys of objects.
  std::size_t replaced_ = 0;
  bool any_ = false;
};

} // namespace sheaf::app::serve
