// SPDX-License-Identifier: BSD-3-Clause
//
// The report of a scenario: for people, for programs, for CI. Main thread.

#pragma once

#include "app/base/output.hpp"
#include "app/base/terminal.hpp"
#include "app/scenario/scenario_runner.hpp"

#include <chrono>
#include <string_view>
#include <vector>

namespace sheaf::app {

struct scenario_report {
  std::string file, scenario;
  std::vector<step_report> steps;
  std::chrono::nanoseconds elapsed{0};
  std::uint64_t seed = 0;

  std::size_t missed() const noexcept; ///< Steps with an expectation that did not hold, or that failed.
};

/// One step, as soon as it is over: a line for the request, one for each expectation.
void write_step(output& to, const step_report& step, const terminal& where);

/// The last line: the number that held.
void write_summary(output& to, const scenario_report& report, const terminal& where);

/// One object: `file`, `scenario`, `seed`, `elapsed_ms`, `held` and `steps` with their requests, times, failures,
/// notices and expectations.
void write_json_report(output& to, const scenario_report& report);

/// JUnit's XML, which CI systems show: a test case for each expectation, and for each step without any.
void write_junit_report(output& to, const scenario_report& report);

} // namespace sheaf::app
