// SPDX-License-Identifier: BSD-3-Clause
//
// The report of a load: for people and for programs. Main thread.

#pragma once

#include "app/base/output.hpp"
#include "app/base/terminal.hpp"
#include "app/load/load_metrics.hpp"

#include "sheaf/pool_stats.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

/// The use of a database's sessions: means and extremes of looks taken at even distances.
struct pool_use {
  std::string database;
  std::size_t max_size = 0;
  double active = 0; ///< Sessions in use, on average.
  std::size_t most_active = 0;
  std::size_t most_waiting = 0; ///< Queries.
};

struct load_report {
  std::string file, scenario;
  std::uint64_t seed = 0;
  std::size_t clients = 0;
  std::optional<double> rate; ///< The rate a second that was asked for.
  std::chrono::nanoseconds warm_up{0};
  bool interrupted = false;
  load_result result;
  std::optional<load_record> in_turn; ///< Of a load that was run both ways: that of the queries one by one.
  std::vector<pool_use> pools;
  std::vector<statement_stats> statements; ///< Of the whole run, the warm-up too.
  std::vector<checked_expectation> thresholds;

  std::size_t missed() const noexcept; ///< Thresholds, and one more for expectations that did not hold.
};

/// Tables of requests, queries and statements, then errors, pools, expectations and thresholds.
void write_load_report(output& to, const load_report& report, const sheaf_file& file, const terminal& where);

/// The same as one JSON object; times in milliseconds.
std::string to_json(const load_report& report, const sheaf_file& file);

} // namespace sheaf::app
