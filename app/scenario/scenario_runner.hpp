// SPDX-License-Identifier: BSD-3-Clause
//
// Runs a request or a scenario of a sheaf file once, step by step. Main thread.

#pragma once

#include "app/scenario/runner.hpp"
#include "app/scenario/scenario_client.hpp"

#include <functional>

namespace sheaf::app {

/// One request that was answered, or compared.
struct step_report {
  std::string request;
  reply got;                    ///< Of a comparison, the last reply.
  std::vector<std::string> sql; ///< The SQL of each query, for the places of failures.
  std::vector<checked_expectation> expectations;

  /// A mode of a comparison, and the median of its times.
  struct timed_mode {
    session_mode mode;
    std::chrono::nanoseconds median;
  };
  std::vector<timed_mode> modes;

  /// The time of `shared_session` over that of `own_sessions`, where both were measured.
  std::optional<double> speed_up() const noexcept;

  bool held() const noexcept; ///< All that was expected; without expectations: the request succeeded.

  /// The failure of a step that did not hold and for which no session could be opened; null otherwise.
  const failure* no_session() const noexcept;
};

class scenario_runner {
public:
  /// `on_step` hears of each request that was answered, in the order in which they were asked. All of these outlive the
  /// runner.
  scenario_runner(engine& on, const sheaf_file& file, const variables& given, std::uint64_t seed,
                  const signal_watch& signals, std::function<void(step_report)> on_step);

  /// Ends the command when a value cannot be made. Throws `interrupted`.
  void run(const request_step& how);

  /// Setup, steps, and, whatever happens, teardown. A setup that fails ends the command.
  void run(const scenario_spec& scenario);

  /// The same with `body` for the steps.
  void run_within(const scenario_spec& scenario, const std::function<void()>& body);

private:
  void run(const step_spec& step);
  void run(const parallel_step& steps);
  void run(const compare_step& how);
  void run_setup(const std::vector<setup_spec>& steps, std::string_view name);

  void finish(const request_step& how, const request& sent, reply got);

  engine& engine_;
  const sheaf_file& file_;
  const signal_watch& signals_;
  std::function<void(step_report)> on_step_;
  scenario_client client_;
};

} // namespace sheaf::app
