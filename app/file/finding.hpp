// SPDX-License-Identifier: BSD-3-Clause
//
// Errors and warnings in a file, with their places. Any thread.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// A place in a file, in characters from 1.
struct location {
  std::size_t line = 1, column = 1;

  friend bool operator==(const location&, const location&) = default;
  friend bool operator<(const location& a, const location& b) noexcept {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  }
};

struct finding {
  enum class severity { error, warning };

  severity how = severity::error;
  location at;
  std::string message; ///< One line.
};

/// `FILE:LINE:COLUMN: error: MESSAGE`, as compilers write it.
std::string to_text(const finding& found, std::string_view file);

/// The finding as a JSON object: `file`, `line`, `column`, `severity`, `message`.
std::string to_json(const finding& found, std::string_view file);

/// True when there is an error among them.
bool has_errors(const std::vector<finding>& all) noexcept;

} // namespace sheaf::app
