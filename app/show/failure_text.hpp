// SPDX-License-Identifier: BSD-3-Clause
//
// Failures, and a server's words beside rows, as the command line shows them. Any thread.

#pragma once

#include "sheaf/request.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// `query "total": rejected_sql: syntax error at or near "form" (line 1, column 10)`. One line, without a line end.
/// `sql` is the query's text, which turns the position into line and column.
std::string describe(const failure& why, std::string_view sql);

/// The line of `sql` that holds the failure's position and, below it, a caret; cut to `width` columns around the caret.
/// Empty when there is no position; else two lines with their ends.
std::string show_position(const failure& why, std::string_view sql, std::size_t width);

/// The server's words beside a failure's message, as `psql` shows them: lines that begin with `DETAIL:  ` and
/// `CONTEXT:  `. Empty, or lines with their ends.
std::string show_details(const failure& why);

/// The notices of a reply's queries as `psql` shows them: `NOTICE:  text`, with its details below, and at last the
/// number of notices that were not kept. The query is named when there are several. Empty, or lines with their ends.
std::string show_notices(std::span<const outcome> of);

/// The SQL of the query that failed, of a reply whose queries have these; empty when the failure is no query's.
std::string_view sql_of(const failure& why, const reply& of, const std::vector<std::string>& sql) noexcept;

/// Line and column of a position, all counted in characters from 1.
struct place {
  std::size_t line = 1, column = 1;
  std::string_view text; ///< The whole line.
};

/// The place of character `position` of `sql`; behind its end for a position beyond it.
place find_place(std::string_view sql, std::size_t position) noexcept;

} // namespace sheaf::app
