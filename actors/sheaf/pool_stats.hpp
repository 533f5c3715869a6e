// SPDX-License-Identifier: BSD-3-Clause
//
// The activity of a pool and of its statements, in numbers. Plain data.

#pragma once

#include <chrono>
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
  std::uint64_t packs = 0;           ///< Packs that were sent.
  std::uint64_t packed = 0;          ///< Queries that were answered in one.
  std::uint64_t unpacked = 0;        ///< Queries of a pack that were run by themselves after all.

  pool_stats& operator+=(const pool_stats& x) noexcept; ///< All numbers.
};

/// The latest runs of one statement, 32 of them on each loop. Of the statements that a loop has sent to a database, the
/// 500 used last are kept; not C++ tasks, and not those of more than 4 KiB.
struct statement_stats {
  std::string database;
  std::string query;        ///< Name of the query that sent it first, without the number of a fan-out's (`orders[3]`).
  std::string sql;          ///< As it is sent: of PostgreSQL with `$1` for the first parameter.
  std::string id;           ///< 16 digits that stand for `sql`: the label `statement` in `engine::metrics_text`.
  std::uint64_t runs = 0;   ///< Since it has been kept.
  std::uint64_t packed = 0; ///< Those of them that were answered in a pack.
  /// Of these runs, each from sending it to its last row; of those in a pack, an equal share of the pack's.
  std::chrono::nanoseconds total{};
  double share = 0; ///< Of `total` of all statements of its database that are kept.
  /// From sending it to its last row, less the least time that any answer of that server took in the last minute: about
  /// the time that the server worked on it, or waited.
  std::chrono::nanoseconds lower_quartile{}, median{}, p95{};
  double rows = 0, bytes = 0; ///< Means; the later runs weigh more.
};

} // namespace sheaf
