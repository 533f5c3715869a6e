// SPDX-License-Identifier: BSD-3-Clause
//
// The activity of a pool, in numbers. Plain data.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sheaf {

/// A snapshot of one database's sessions, all loops together.
struct pool_stats {
  std::string database;
  std::size_t max_size = 0, total = 0, idle = 0, active = 0, connecting = 0, cancelling = 0, waiting = 0;

  // The counts since the engine began.
  std::uint64_t opened = 0;          ///< Sessions that were opened.
  std::uint64_t open_failures = 0;   ///< Attempts to open one.
  std::uint64_t lost = 0;            ///< Sessions that broke, or had to be broken off.
  std::uint64_t timeouts = 0;        ///< Waits that `acquire_timeout` ended.
  std::uint64_t cancels = 0;         ///< Statements that were stopped.
  std::uint64_t checks = 0;          ///< Idle sessions that were asked for a sign of life.
  std::uint64_t leaks = 0;           ///< Sessions that were out longer than `leak_detection_threshold`.
  std::uint64_t retries = 0;         ///< Queries that were run again.
  std::uint64_t retries_refused = 0; ///< Those for which the retry budget had no room: see `query::read_only`.

  pool_stats& operator+=(const pool_stats& x) noexcept; ///< All numbers.
};

} // namespace sheaf
