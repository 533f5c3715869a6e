// SPDX-License-Identifier: BSD-3-Clause
//
// A cell as text: what the database's own client prints for it. Pure functions, any thread.

#pragma once

#include "sheaf/cell.hpp"

#include <string>

namespace sheaf {

/// Appends the value as `psql` (or the `sqlite3` shell) prints it; a NULL appends nothing. False, and nothing appended,
/// when the bytes are not what the cell's encoding and type say.
bool append_text(std::string& out, const cell& x);

} // namespace sheaf
