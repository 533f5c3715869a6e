// SPDX-License-Identifier: BSD-3-Clause
//
// The table of books that the demo counts. Main thread.

#pragma once

#include "app/scenario/runner.hpp"

#include <cstdint>
#include <string>

namespace sheaf::app {

/// A table, and the kind of its database.
struct book_table {
  std::string name;
  bool sqlite = false;
};

/// The URL of an SQLite file that is made when it is opened.
std::string new_sqlite_file(const std::string& path);

struct made_table {
  std::uint64_t rows = 0, added = 0;
  std::chrono::nanoseconds took{0};
};

/// Sees to it that the table is there and has at least `rows` rows; adds what is missing, drops nothing. Shows its
/// progress on stderr when that is a terminal. Ends the command when the database refuses.
made_table make_books(engine& on, const book_table& which, std::uint64_t rows, const signal_watch& signals);

/// Runs one statement without a fan-out. Ends the command when it fails.
table run_statement(engine& on, const std::string& sql, parameters values, const signal_watch& signals);

} // namespace sheaf::app
