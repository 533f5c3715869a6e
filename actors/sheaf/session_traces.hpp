// SPDX-License-Identifier: BSD-3-Clause
//
// Whether a statement may leave something in its PostgreSQL session that the next one would find: a setting, a
// temporary table, a lock. Pure functions, any thread.

#pragma once

#include <string_view>

namespace sheaf {

/// False when `sql` reads or writes rows and names nothing that is known to outlive its statement in a session. A doubt
/// is a yes, which costs a round trip; but a function of the user's own that changes settings is not seen through.
bool may_leave_traces(std::string_view sql) noexcept;

/// Undoes them, as DISCARD ALL does (PostgreSQL manual, DISCARD), except that prepared statements stay; and sets what
/// SOCI sets in a new session.
inline constexpr std::string_view remove_traces_sql =
    "close all; set session authorization default; reset all; unlisten *; select pg_advisory_unlock_all(); "
    "discard temp; discard sequences; set extra_float_digits = 3";

} // namespace sheaf
