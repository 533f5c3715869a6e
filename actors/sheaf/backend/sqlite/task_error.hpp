// SPDX-License-Identifier: BSD-3-Clause
//
// The failure for a C++ task's error that is one of SQLite's, by way of SOCI. On the blocking executor.

#pragma once

#include "sheaf/error.hpp"

#include <optional>

namespace sheaf {

/// A `task_error_reader`.
std::optional<failure> read_sqlite_task_error();

} // namespace sheaf
