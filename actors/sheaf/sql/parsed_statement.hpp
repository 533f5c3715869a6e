// SPDX-License-Identifier: BSD-3-Clause
//
// A statement in the form in which a session sends it. Plain data.

#pragma once

#include "sheaf/sql/dialect.hpp"
#include "sheaf/sql/statement_effects.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// The number of characters (not bytes) in a text.
std::size_t characters(std::string_view utf8) noexcept;

/// A statement as a session sends it.
struct parsed_statement {
  /// `:name` replaced by `$1`, `$2`, … for PostgreSQL. SQLite knows `:name`, numbers each as `names` does, and names
  /// columns by the text of their expressions: that stays as it is.
  std::string text;
  std::vector<std::string> names; ///< Parameter `n` is `names[n - 1]`; a name that stands twice is listed once.
  std::size_t hash = 0;           ///< Hash of `text`, for the sessions' statement caches.
  bool empty = false;             ///< Nothing but white space, comments and semicolons.
  statement_effects effects{};
  bool positional = false; ///< Has parameters of the database's own kind too (`$1`; `?`, `@x`), left as they are.

  /// The position in the SQL that was given of a place in `text`. Both count characters (not bytes) from 1.
  std::size_t position_in_source(std::size_t position_in_text) const noexcept;

  struct replacement {
    std::size_t at_text, at_source; ///< Characters from 0.
    std::size_t text_length, source_length;
  };
  std::vector<replacement> replacements; ///< In order.
};

} // namespace sheaf
