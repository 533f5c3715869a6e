// SPDX-License-Identifier: BSD-3-Clause
//
// Runs a request or a scenario of a sheaf file: fills in values, sends, compares with what is expected. Main thread.

#pragma once

#include "generator.hpp"
#include "operand.hpp"
#include "runner.hpp"
#include "sheaf_file.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sheaf::app {

/// An expectation and what came of it.
struct checked_expectation {
  location at;
  std::string text; ///< `total.scalar > 0`
  bool held = false;
  std::string found; ///< The value, or why there is none.
};

/// One request that was answered.
struct step_report {
  std::string request;
  reply what;
  std::vector<std::string> sql; ///< Of each query, for the places of failures.
  std::vector<checked_expectation> expectations;

  bool held() const noexcept; ///< All that was expected; without expectations: the request succeeded.
};

class scenario_runner {
public:
  /// `on_step` hears of each request that was answered, in the order in which they were asked. All of these outlive the
  /// runner.
  scenario_runner(engine& on, const sheaf_file& file, const variables& given, std::uint64_t seed,
                  const signal_watch& signals, std::function<void(step_report)> on_step);

  /// Ends the command when a value cannot be made. Throws `interrupted`.
  void run(const request_spec& what, const request_step& how);

  /// Setup, steps, and, whatever happens, teardown. A setup that fails ends the command.
  void run(const scenario_spec& what);

private:
  void run(const std::vector<step_spec>& steps);
  void run(const step_spec& step);
  void run(const parallel_step& steps);
  void run_setup(const std::vector<setup_spec>& steps, std::string_view what);

  request make(const request_spec& what, const request_step& how);
  void finish(const request_spec& of, const request_step& how, const request& sent, reply got);
  result<std::string> fill(const template_text::hole& x);
  result<operand> look_up(std::string_view name) const;

  engine& engine_;
  const sheaf_file& file_;
  generator random_;
  const signal_watch& signals_;
  std::function<void(step_report)> on_step_;
  std::map<std::string, operand, std::less<>> known_; ///< Variables and what was captured.
};

} // namespace sheaf::app
