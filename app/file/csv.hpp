// SPDX-License-Identifier: BSD-3-Clause
//
// A CSV file as rows (RFC 4180): the form that `psql` writes with `--csv`, and `\copy … csv` reads. Any thread.

#pragma once

#include "sheaf/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

struct csv_rows {
  std::vector<std::string> columns;                          ///< The names in the first line.
  std::vector<std::vector<std::optional<std::string>>> rows; ///< An empty field without quotes is nothing.
  std::vector<std::size_t> lines;                            ///< The line where each row begins.
};

/// A row with more or fewer fields than the first line, a quote within a field, one that does not end and text that is
/// not UTF-8 are `invalid_request`; the message names the line.
result<csv_rows> parse_csv(std::string_view text);

} // namespace sheaf::app
