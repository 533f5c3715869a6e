// SPDX-License-Identifier: BSD-3-Clause
//
// Runs a C++ task on a session and turns what it returns or throws into an answer. On the blocking executor.

#pragma once

#include "sheaf/session.hpp"

namespace sheaf {

/// Calls `run` and never throws:
/// - a `table` that it returns is a table answer, anything else a value;
/// - `sheaf::error` is its own failure;
/// - an error of the database has the code of its SQLSTATE or SQLite result code, and the database's message without
/// the
///   statement, the details and the values that SOCI and the server attach;
/// - every other exception is `internal`, with its `what()` unless it is SOCI's.
answer run_task(const task& run, soci::session& session) noexcept;

} // namespace sheaf
