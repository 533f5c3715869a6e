// SPDX-License-Identifier: BSD-3-Clause
//
// PostgreSQL's own functions, as far as their effects matter. A name stands for all functions of that name, and a
// user's own may be called instead where its parameters fit better. Pure functions, any thread.

#pragma once

#include <span>
#include <string_view>

namespace sheaf {

/// True for a function that reads rows at most, and leaves nothing in its session. A doubt is a no.
bool only_reads(std::string_view function) noexcept;

/// True for a function that is known to leave something in its session: a setting, a lock, a seed, a connection; and
/// for one that runs a text.
bool leaves_traces(std::string_view function) noexcept;

/// True for a function of these that leaves what only the end of its session undoes.
bool spoils_session(std::string_view function) noexcept;

/// True for a word that is no function though a parenthesis may follow it, as in `in (1, 2)`.
bool is_followed_by_parentheses(std::string_view keyword) noexcept;

/// All functions of `only_reads`, in order.
std::span<const std::string_view> functions_that_only_read() noexcept;

} // namespace sheaf
