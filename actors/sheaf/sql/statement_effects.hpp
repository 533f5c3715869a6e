// SPDX-License-Identifier: BSD-3-Clause
//
// The effects that a statement may leave behind: in its database, and in its PostgreSQL session, where the next one
// would find them. Judged by its words alone. Pure functions, any thread.

#pragma once

#include <cstdint>
#include <string_view>

namespace sheaf {

/// The effect of a statement on the rows of its database.
enum class effect : std::uint8_t {
  reads,     ///< Begins as a query and names no command that writes. A function that it calls may write all the same.
  may_write, ///< Begins as a query, but names one: `with x as (delete …) select …`, `select 'update'`.
  writes,    ///< Anything else.
};

effect effect_of(std::string_view sql) noexcept;

/// False when `sql` reads or writes rows and names nothing that is known to outlive its statement in a session: a
/// setting, a temporary table, a lock. A doubt is a yes, which costs a round trip; but a function of the user's own
/// that changes settings is not seen through.
bool may_leave_traces(std::string_view sql) noexcept;

/// True when `sql` is known to leave something in its session, where a pooler gives it to the next client: it sets,
/// prepares, listens, makes a temporary table, takes a lock for longer than its transaction. A doubt is a no.
bool leaves_traces(std::string_view sql) noexcept;

/// True when PostgreSQL makes a plan for `sql`, whose columns it then answers for: `select`, `with`, `values`, `table`,
/// `insert`, `update`, `delete`, `merge`. Anything else (`call`, `execute`, `fetch`, …) may have other columns each
/// time and may have committed before it fails. A doubt is a no.
bool is_planned(std::string_view sql) noexcept;

} // namespace sheaf
