// SPDX-License-Identifier: BSD-3-Clause
//
// Asks SQLite's own parser whether a text is a statement, without its database. Any thread.

#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace sheaf::app {

struct sqlite_refusal {
  std::string message;
  std::size_t position = 0; ///< Its place, in characters from 1; 0 when not known.
};

/// The reason why `text` is no statement; nothing when it is one, whatever it names: it is prepared in an empty
/// database, and tables and columns that are not there are no fault of its syntax. It is not run.
std::optional<sqlite_refusal> sqlite_refusal_of(const std::string& text);

} // namespace sheaf::app
