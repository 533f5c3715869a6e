// SPDX-License-Identifier: BSD-3-Clause
//
// Copies a statement's result into a table, value by value as SQLite has it. On the blocking executor.

#pragma once

#include "sheaf/table.hpp"
#include "sheaf/table_builder.hpp"

#include <cstddef>
#include <vector>

namespace sqlite_api { // SOCI's header puts sqlite3.h here
struct sqlite3_stmt;
}

namespace sheaf {

/// Names and declared types. Only after the first step: that one prepares the statement anew when the schema has
/// changed.
std::vector<column> columns_of(sqlite_api::sqlite3_stmt* statement);

/// Appends the current row; false, with a part of it appended, when that takes the result beyond `bytes_max`.
bool add_row(table_builder& rows, sqlite_api::sqlite3_stmt* statement, std::size_t bytes_max);

} // namespace sheaf
