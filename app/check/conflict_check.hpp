// SPDX-License-Identifier: BSD-3-Clause
//
// Queries of one request that get in each other's way: they run at once, in no order. Any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

namespace sheaf::app {

/// A warning for each query that writes a table which another one of its request reads or writes. Statements that
/// PostgreSQL's parser does not take (some of SQLite's) are not checked.
std::vector<finding> conflicts_in(const request_spec& request, const sheaf_file& file);

} // namespace sheaf::app
