// SPDX-License-Identifier: BSD-3-Clause
//
// The databases' verdict on a file's statements. Main thread.

#pragma once

#include "app/file/sheaf_file.hpp"
#include "app/scenario/runner.hpp"

#include <chrono>

namespace sheaf::app {

/// The time for all statements of one database; a longer check is an error of that database.
inline constexpr std::chrono::seconds connect_check_deadline{10};

/// Prepares each statement of the requests in its database, several at once, and runs none: a refused statement is an
/// error, or a warning where a scenario's setup makes what the statement names. A database that cannot be asked is one
/// error. An SQLite file that would be created is not. Throws `interrupted`.
std::vector<finding> check_connected(const sheaf_file& file, const signal_watch& signals);

} // namespace sheaf::app
