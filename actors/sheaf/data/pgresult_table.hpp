// SPDX-License-Identifier: BSD-3-Clause
//
// A PGresult as a table. Any thread.

#pragma once

#include "sheaf/data/pgresult.hpp"
#include "sheaf/table.hpp"

namespace sheaf {

/// Takes a PGresult with status PGRES_TUPLES_OK or PGRES_COMMAND_OK. A large one is kept as it is, a small one is
/// copied to where it takes less memory. Columns in binary format must be of types that `postgresql::binary_is_exact`
/// names. `columns` are its own if they are known already; they are read off it otherwise.
table table_of(pgresult_ptr rows, column_list columns = nullptr);

} // namespace sheaf
