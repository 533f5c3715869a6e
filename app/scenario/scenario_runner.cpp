// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/scenario_runner.hpp"

#include "app/base/duration.hpp"
#include "app/base/exit.hpp"
#include "app/scenario/row_line.hpp"
#include "app/scenario/setup_task.hpp"
#include "app/scenario/step_cursor.hpp"

#include "sheaf/backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

namespace sheaf::app {

namespace {

std::vector<std::string> sql_of_each(const request& sent) {
  std::vector<std::string> all;
  for (const auto& q : sent.queries)
    all.push_back(q.statement.sql());
  return all;
}

/// The values that the expectations of a comparison can name: the times by mode, and their ratio.
result<operand> field_of(const step_report& of, std::string_view name) {
  for (const auto& [mode, time] : of.modes)
    if (to_string(mode) == name)
      return operand{time};
  if (const auto ratio = of.speed_up(); ratio && name == "speed_up")
    return operand{std::round(*ratio * 1000) / 1000};
  return failure{.code = errc::invalid_request, .message = fmt::format("there is no {}", name)};
}

} // namespace

bool step_report::held() const noexcept {
  if (expectations.empty())
    return got.ok();
  return std::all_of(expectations.begin(), expectations.end(), [](const auto& x) { return x.held; });
}

std::optional<double> step_report::speed_up() const noexcept {
  std::chrono::nanoseconds shared{0}, own{0};
  for (const auto& [mode, median] : modes)
    (mode == session_mode::shared_session ? shared : own) = median;
  if (shared.count() == 0 || own.count() == 0)
    return {};
  return static_cast<double>(shared.count()) / static_cast<double>(own.count());
}

const failure* step_report::no_session() const noexcept {
  const auto is_one = [](const failure* x) {
    return x && (x->phase == phase::connect || x->code == errc::connect_failed);
  };
  if (held())
    return nullptr;
  if (got.failure && is_one(&*got.failure))
    return &*got.failure;
  for (const auto& x : got.outcomes)
    if (is_one(x.error_info()))
      return x.error_info();
  return nullptr;
}

scenario_runner::scenario_runner(engine& on, const sheaf_file& file, const variables& given, std::uint64_t seed,
                                 const signal_watch& signals, std::function<void(step_report)> on_step)
  : engine_(on), file_(file), signals_(signals), on_step_(std::move(on_step)), client_(file, given, generator{seed}) {}

// -- steps

void scenario_runner::finish(const request_step& how, const request& sent, reply got) {
  auto checked = client_.judge(how, got);
  on_step_({.request = how.request,
            .got = std::move(got),
            .sql = sql_of_each(sent),
            .expectations = std::move(checked),
            .modes = {}});
}

void scenario_runner::run(const request_step& how) {
  const auto made = client_.make(how);
  finish(how, made, app::run(engine_, made, signals_));
}

void scenario_runner::run(const parallel_step& all) {
  std::vector<request> sent;
  for (const auto& step : all.steps)
    sent.push_back(client_.make(std::get<request_step>(step.kind)));
  auto got = app::run_all(engine_, sent, signals_);
  for (std::size_t i = 0; i < sent.size(); ++i)
    finish(std::get<request_step>(all.steps[i].kind), sent[i], std::move(got[i]));
}

/// Runs the modes in turn, so that a slow moment hits all of them.
void scenario_runner::run(const compare_step& how) {
  const auto made = client_.make(how.request);
  step_report report{
      .request = how.request.request, .got = {}, .sql = sql_of_each(made), .expectations = {}, .modes = {}};
  std::vector<std::vector<std::chrono::nanoseconds>> times(how.modes.size());
  for (std::size_t round = 0; round <= how.times && report.got.ok(); ++round)
    for (std::size_t i = 0; i < how.modes.size() && report.got.ok(); ++i) {
      auto sent = made;
      sent.pack = packing::never;
      if (how.modes[i] == session_mode::shared_session)
        sent.width = 1;
      report.got = app::run(engine_, std::move(sent), signals_);
      if (round > 0) // the first warms up, and opens the sessions
        times[i].push_back(report.got.elapsed);
    }
  if (report.got.ok()) {
    for (std::size_t i = 0; i < how.modes.size(); ++i)
      report.modes.push_back({how.modes[i], median(std::move(times[i]))});
    report.expectations =
        client_.judge(how.request.expect, [&](std::string_view name) { return field_of(report, name); });
    for (auto& x : report.expectations)
      x.step = how.request.number;
  }
  on_step_(std::move(report));
}

void scenario_runner::run(const step_spec& step) {
  if (const auto* one = std::get_if<request_step>(&step.kind))
    run(*one);
  else if (const auto* all = std::get_if<parallel_step>(&step.kind))
    run(*all);
  else
    run(std::get<compare_step>(step.kind));
}

// -- scenarios

void scenario_runner::run_setup(const std::vector<setup_spec>& steps, std::string_view name) {
  for (auto begin = steps.begin(); begin != steps.end();) {
    const auto end = std::find_if(begin, steps.end(), [&](const auto& x) { return x.database != begin->database; });
    request one;
    const auto* kind = backend_for(*file_.find_database(begin->database)).value();
    const auto line = std::make_shared<row_line>(look_at(stderr));
    const std::shared_ptr<void> until_here{nullptr, [&](void*) { line->end(); }};
    one.queries.push_back(
        make_setup_query(*kind, {begin, end}, std::string{name},
                         [line](const setup_spec& x, std::size_t rows) { line->show(x.csv.string(), rows); }));
    const auto got = app::run(engine_, std::move(one), signals_);
    if (got.failure)
      throw command_error{exit_run_time_failure,
                          fmt::format("{} failed, and changed nothing: {}", name, to_string(*got.failure))};
    begin = end;
  }
}

void scenario_runner::run(const scenario_spec& scenario) {
  run_within(scenario, [&] {
    step_cursor steps{scenario.steps};
    while (const auto* step = steps.next())
      run(*step);
  });
}

void scenario_runner::run_within(const scenario_spec& scenario, const std::function<void()>& body) {
  try {
    run_setup(scenario.setup, "setup");
    body();
  } catch (...) { // thrown again: whatever it was, the teardown comes first
    try {
      run_setup(scenario.teardown, "teardown");
    } catch (const command_error&) { // the first failure is the one to tell
    }
    throw;
  }
  run_setup(scenario.teardown, "teardown");
}

} // namespace sheaf::app
