// SPDX-License-Identifier: BSD-3-Clause
//
// The experiment: one query, three on one session, three on a session each. Main thread.

#pragma once

#include "app/base/terminal.hpp"
#include "app/scenario/runner.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace sheaf::app {

/// A statement to run, and its noun for people.
struct experiment {
  std::string noun; ///< `count`: "one count", "three counts".
  std::string sql;
};

/// The two ways to run three queries.
struct demo_engines {
  engine& shared;   ///< One session for all of a request's queries.
  engine& separate; ///< A session for each of three.
};

struct measurement {
  std::vector<std::chrono::nanoseconds> one, shared, separate; ///< A time for each run.
  reply last_shared, last_separate;
};

/// Runs the experiment `runs` times, after once to warm up, the three ways in turn so that a slow moment hits all of
/// them. Ends the command when a query fails.
measurement measure(const demo_engines& engines, const experiment& trial, std::size_t runs,
                    const signal_watch& signals);

/// A table of medians, extremes and ratios, beside those of the article; then the timelines of the last run.
std::string report(const experiment& trial, const measurement& measured, bool with_article, const terminal& where);

} // namespace sheaf::app
