// SPDX-License-Identifier: BSD-3-Clause
//
// SQL functions that every SQLite connection of this process has from the first `add_sqlite_functions` on, for tests:
//
//   meet(n)      returns once n calls of it have come
//   in_turn(n)   returns once n others have
//   endless(0)   1; the statement that calls it counts as running until it is reset
//
// The first two return a number that is the connection's own.

#pragma once

namespace sheaf::test {

/// Also forgets who has met, and whose turn it was.
void add_sqlite_functions();

/// Statements with `endless(0)` in them that have begun and are not over. Any thread.
int endless_sqlite_statements();

} // namespace sheaf::test
