// SPDX-License-Identifier: BSD-3-Clause
//
// The parts of sheaf_overload: the load that is offered, the requests of it, and what is told of them.

#pragma once

#include "sheaf/request.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench::overload {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

struct run_options {
  std::string conninfo;
  std::size_t sessions = 4, loops = 1;
  std::size_t queries = 1;          ///< Of a request.
  double service_ms = 10;           ///< The time that a query sleeps in the database.
  double load = 2;                  ///< Requests that are offered, as a multiple of `capacity`.
  double deadline_times = 20;       ///< Deadline of a request, as a multiple of `own_time`.
  double counted_seconds = 2;       ///< Length of the part of the overload that counts.
  std::string arrivals = "poisson"; ///< Or `even`.
  std::string priorities = "none";  ///< Or `mixed`: a third of the requests each.
  std::uint64_t seed = 1;

  seconds service() const noexcept { return seconds{service_ms / 1000}; }
  /// The time that a request takes alone: its queries in rounds of as many as there are sessions.
  seconds own_time() const noexcept;
  /// Requests a second that keep all sessions busy.
  double capacity() const noexcept;
  clock::duration deadline() const noexcept;
  /// The time until a queue that is served in turn is as long as the deadline, ten deadlines at most. What comes before
  /// it is not the lasting state.
  clock::duration settling() const noexcept;
};

/// One request. Written by the thread that asks and then by the loop that answers; read once all are answered.
struct asked {
  clock::time_point due, sent, answered;
  std::int32_t id = 0; ///< The value that each of its queries has to give back.
  sheaf::priority priority = sheaf::priority::normal;
  bool ok = false;
  sheaf::errc code = sheaf::errc::internal; ///< When it is not ok.
  sheaf::phase where = sheaf::phase::none;  ///< The same.

  bool in_time(clock::duration deadline) const noexcept { return ok && answered - sent <= deadline; }
};

/// Statements up to a moment: those that were answered, and those that were stopped.
struct statements {
  std::uint64_t answered = 0, cancelled = 0;
};

/// A time of one offered load.
struct phase_run {
  std::string_view name;
  clock::time_point from, until;
  std::vector<asked> requests; ///< In the order of `due`.
  statements before, after;    ///< The counts at `from` and `until`.
};

struct run_result {
  seconds alone{}; ///< The median of requests that ran alone.
  /// `learning` at half the capacity, `settling` and `overload` at the load that was asked for, `after` at 0.8 times
  /// the capacity and evenly spaced.
  std::vector<phase_run> phases;
  double rss_mb_max = 0; ///< The most memory that the process had.
};

/// Offers the load by the clock, whatever the replies are. Throws std::runtime_error with one clear line when a request
/// fails for another reason than overload, or gets a wrong answer or none.
run_result offer(const run_options& how);

/// One line of JSON. `docs/performance.md` says what the figures are.
std::string to_json(const run_options& how, const run_result& got);

} // namespace bench::overload
