// SPDX-License-Identifier: BSD-3-Clause
//
// Runs a C++ task on a session and turns what it returns or throws into an answer. On the blocking executor.

#pragma once

#include "sheaf/base/redaction.hpp"
#include "sheaf/session/session.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// Called while an exception is handled: gives its failure if it is an error of one kind of database, by way of SOCI;
/// else nothing. The message has neither the statement nor the details nor the values that SOCI and the server attach.
using task_error_reader = std::optional<failure> (*)();

/// A task that failed. Its effects until then are unknown.
failure task_failure(errc code, std::string message);

/// The values that a task bound to its statement, as SOCI's `what()` has them behind the statement, with their names.
/// They are views into it.
std::vector<secret> values_in_what(std::string_view what_of_soci);

/// Calls `run` and never throws:
/// - a `table` that it returns is a table answer, anything else a value;
/// - `sheaf::error` is its own failure;
/// - an exception that `read` knows is the failure that it gives;
/// - every other exception is `internal`, with its `what()` unless it is SOCI's, which may hold values.
answer run_task(const task& run, soci::session& session, task_error_reader read) noexcept;

} // namespace sheaf
