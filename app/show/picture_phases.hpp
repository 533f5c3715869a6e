// SPDX-License-Identifier: BSD-3-Clause
//
// The parts that pictures have in common: a query's phases, the critical path. Any thread.

#pragma once

#include "sheaf/request.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// Queries that a picture shows; it says how many more there were.
inline constexpr std::size_t pictured_queries_max = 500;

/// A query's way through its request, as times since the request was taken. Never goes back: 0 <= queued <= acquired <=
/// answered <= end.
struct phases {
  std::chrono::nanoseconds queued{0};   ///< Its turn within the width had come.
  std::chrono::nanoseconds acquired{0}; ///< It had a session; the time before is waiting.
  std::chrono::nanoseconds answered{0}; ///< The first row was there, or the end of a query without an answer.
  std::chrono::nanoseconds end{0};
  bool ran = false; ///< False when it never had a session: all of it was waiting, up to the request's end.

  std::chrono::nanoseconds running() const noexcept { return end - acquired; }
};

phases phases_of(const query_times& times, std::chrono::nanoseconds elapsed) noexcept;

/// The queries that the request's end waited for, by position, the last first: the query that ended last, the one that
/// ended last before that one got its session, and so on. Of queries that ended together the first. Empty when none
/// ran.
std::vector<std::size_t> critical_path(const std::vector<phases>& queries);

/// `3 rows`, `a value` for a task's, or the failure's code.
std::string result_text(const outcome& of);

/// `waited 12.0 ms, executed 850 us, fetched 61.2 ms, total 74.1 ms`.
std::string phases_text(const phases& when);

} // namespace sheaf::app
