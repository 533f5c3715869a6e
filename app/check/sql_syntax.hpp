// SPDX-License-Identifier: BSD-3-Clause
//
// Asks PostgreSQL's own parser whether a text is a statement, and which tables it reads and writes. Any thread.

#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace sheaf::app {

struct sql_syntax {
  std::optional<std::string> refusal{}; ///< The reason why it does not parse; there are no tables then.
  std::size_t position = 0;             ///< Its place, in characters from 1; 0 when not known.
  bool unread = false; ///< Too large, for `syntax_bytes_max` or for the memory there is: nothing is known of it.
  /// Tables by name, with the schema unless that is `public`; what `with` defines is none. A table may be in both.
  /// Tables that are touched by functions and views alone do not show.
  std::set<std::string> read{}, written{};
};

inline constexpr const char* several_statements = "several statements: a query is one";

/// A statement nests as deep as it is long, and takes the parser some 256 bytes of stack for each of its own.
inline constexpr std::size_t syntax_bytes_max = 1 << 20;

/// `text` has no parameters but PostgreSQL's (`$1`).
sql_syntax syntax_of(const std::string& text);

} // namespace sheaf::app
