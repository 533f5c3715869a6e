// SPDX-License-Identifier: BSD-3-Clause
//
// Opens PostgreSQL sessions, on the blocking executor.

#pragma once

#include "sheaf/session/session.hpp"

namespace sheaf {

/// The factory for `database.url` (see `parse_postgresql_url`). `blocking` outlives the factory and its sessions; the
/// factory, like its sessions' loops, may go while something is being opened.
result<std::unique_ptr<session_factory>> make_postgresql_factory(const database_options& database,
                                                                 blocking_executor& blocking);

} // namespace sheaf
