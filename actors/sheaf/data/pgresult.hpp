// SPDX-License-Identifier: BSD-3-Clause
//
// A PGresult and its owner, and the columns that it names. Any thread.

#pragma once

#include "sheaf/cell.hpp"

#include <memory>

struct pg_result; // libpq's PGresult

namespace sheaf {

/// Clears a PGresult with its owner.
struct pgresult_delete {
  void operator()(pg_result* x) const noexcept;
};
using pgresult_ptr = std::unique_ptr<pg_result, pgresult_delete>;

/// The columns that a PGresult names.
column_list columns_of(const pg_result& rows);

} // namespace sheaf
