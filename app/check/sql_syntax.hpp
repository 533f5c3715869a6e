// SPDX-License-Identifier: BSD-3-Clause
//
// What PostgreSQL's own parser says of a statement: whether it is one, and which tables it reads and writes. Any
// thread.

#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace sheaf::app {

struct sql_syntax {
  std::optional<std::string> refusal; ///< Why it does not parse; there are no tables then.
  std::size_t position = 0;           ///< Where, in characters from 1; 0 when not known.
  /// By name; with its schema, unless that is `public`. A table may be in both. What functions and views behind them
  /// touch does not show.
  std::set<std::string> read, written;
};

/// `text` has no parameters but PostgreSQL's (`$1`).
sql_syntax syntax_of(const std::string& text);

} // namespace sheaf::app
