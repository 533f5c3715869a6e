// SPDX-License-Identifier: BSD-3-Clause
//
// The widest bounds that a request or an option may set, and the words for one that is out of them. Any thread.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf::limits {

inline constexpr std::size_t rows_max = 2'147'483'647;           ///< libpq counts a result's rows in an int.
inline constexpr std::size_t bytes_max = std::size_t{1} << 40;   ///< A result is held in memory.
inline constexpr std::size_t sessions_max = 262'143;             ///< PostgreSQL's own for max_connections.
inline constexpr std::size_t queue_max = 100'000'000;            ///< A place in it takes memory.
inline constexpr std::size_t statements_max = 1'000'000;         ///< Each takes memory on the server.
inline constexpr std::size_t loops_max = 64;                     ///< Each is a thread.
inline constexpr std::size_t parameters_max = 65'535;            ///< PostgreSQL's protocol counts them in 16 bits.
inline constexpr std::chrono::hours duration_max{10 * 365 * 24}; ///< Far from where a clock's count overflows.

/// Nothing when `low <= x <= high`, else `NAME is X; set it to between LOW and HIGH`.
std::optional<std::string> check(std::string_view name, std::size_t x, std::size_t low, std::size_t high);

/// The same for a duration, from `low` to `duration_max`.
std::optional<std::string> check(std::string_view name, std::chrono::nanoseconds x, std::chrono::nanoseconds low);

} // namespace sheaf::limits
