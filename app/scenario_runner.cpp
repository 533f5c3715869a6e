// SPDX-License-Identifier: BSD-3-Clause

#include "scenario_runner.hpp"

#include "exit.hpp"
#include "expression.hpp"
#include "reply_scope.hpp"
#include "request_maker.hpp"
#include "setup_task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sheaf::app {

namespace {

/// What a captured value is as text: as it would be bound.
std::string plain(const operand& x) {
  if (const auto* text = std::get_if<std::string>(&x))
    return *text;
  return to_text(x);
}

} // namespace

bool step_report::held() const noexcept {
  if (expectations.empty())
    return what.ok();
  return std::all_of(expectations.begin(), expectations.end(), [](const auto& x) { return x.held; });
}

scenario_runner::scenario_runner(engine& on, const sheaf_file& file, const variables& given, std::uint64_t seed,
                                 const signal_watch& signals, std::function<void(step_report)> on_step)
  : engine_(on), file_(file), random_(seed), signals_(signals), on_step_(std::move(on_step)) {
  for (const auto& [name, text] : given)
    known_.emplace(name, text);
}

// -- values

result<operand> scenario_runner::look_up(std::string_view name) const {
  if (const auto found = known_.find(name); found != known_.end())
    return found->second;
  if (const char* there = std::getenv(std::string{name}.c_str()))
    return operand{std::string{there}};
  return failure{.code = errc::invalid_request, .message = fmt::format("nothing is called \"{}\"", name)};
}

result<std::string> scenario_runner::fill(const template_text::hole& x) {
  const auto read = expression::parse(x.inner);
  if (read.has_error())
    return read.error();
  auto value = read->evaluate([this](std::string_view name) { return look_up(name); }, &random_);
  if (value.has_error())
    return std::move(value).error();
  return plain(*value);
}

request scenario_runner::make(const request_spec& what, const request_step& how) {
  parameters values;
  for (const auto& p : what.parameters) {
    const auto given = std::find_if(how.with.begin(), how.with.end(), [&](const auto& x) { return x.first == p.name; });
    if (given == how.with.end()) {
      if (!p.default_value)
        bad_input(fmt::format("{} needs a value for \"{}\"", what.name, p.name));
      values.emplace_back(p.name, *p.default_value);
      continue;
    }
    auto made = given->second.fill(p.type, [this](const template_text::hole& x) { return fill(x); });
    if (made.has_error())
      bad_input(fmt::format("{}: \"{}\": {}", what.name, p.name, made.error().message));
    values.emplace_back(p.name, std::move(*made));
  }
  return value_or_stop(make_request(file_.databases, what, values));
}

// -- running

void scenario_runner::finish(const request_spec& of, const request_step& how, const request& sent, reply got) {
  step_report report{.request = of.name, .what = std::move(got), .sql = {}, .expectations = {}};
  for (const auto& q : sent.queries)
    report.sql.push_back(q.statement.sql());
  for (const auto& [path, text] : how.expect) {
    checked_expectation x{
        .at = text.at, .text = fmt::format("{}: {}", path.text, text.text), .held = false, .found = {}};
    const auto it = field_of(report.what, path.text);
    const auto read = expression::parse_expectation(text.text);
    if (it.has_error()) {
      x.found = it.error().message;
    } else if (read.has_error()) {
      x.found = read.error().message;
    } else {
      x.found = to_text(*it);
      const auto holds = read->holds(
          [&](std::string_view name) -> result<operand> {
            if (name == "it")
              return *it;
            if (known_.contains(name))
              return look_up(name);
            return field_of(report.what, name);
          },
          &random_);
      x.held = holds.has_value() && *holds;
      if (holds.has_error())
        x.found += fmt::format(" ({})", holds.error().message);
    }
    report.expectations.push_back(std::move(x));
  }
  for (const auto& [name, path] : how.capture)
    if (auto value = field_of(report.what, path.text))
      known_.insert_or_assign(name.text, std::move(*value));
    else
      report.expectations.push_back(
          {path.at, fmt::format("capture {}: {}", name.text, path.text), false, value.error().message});
  on_step_(std::move(report));
}

void scenario_runner::run(const request_spec& what, const request_step& how) {
  auto made = make(what, how);
  auto got = app::run(engine_, made, signals_);
  finish(what, how, made, std::move(got));
}

void scenario_runner::run(const parallel_step& all) {
  std::vector<request> sent;
  for (const auto& step : all.steps) {
    const auto& how = std::get<request_step>(step.what);
    sent.push_back(make(*file_.find_request(how.request), how));
  }
  auto got = app::run_all(engine_, sent, signals_);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto& how = std::get<request_step>(all.steps[i].what);
    finish(*file_.find_request(how.request), how, sent[i], std::move(got[i]));
  }
}

void scenario_runner::run(const step_spec& step) {
  if (const auto* one = std::get_if<request_step>(&step.what))
    run(*file_.find_request(one->request), *one);
  else if (const auto* all = std::get_if<parallel_step>(&step.what))
    run(*all);
  else
    for (std::size_t i = 0; i < std::get<repeat_step>(step.what).times; ++i)
      run(std::get<repeat_step>(step.what).steps);
}

void scenario_runner::run(const std::vector<step_spec>& steps) {
  for (const auto& x : steps)
    run(x);
}

void scenario_runner::run_setup(const std::vector<setup_spec>& steps, std::string_view what) {
  for (auto begin = steps.begin(); begin != steps.end();) {
    const auto end = std::find_if(begin, steps.end(), [&](const auto& x) { return x.database != begin->database; });
    request one;
    one.queries.push_back(make_setup_query({begin, end}, std::string{what}));
    const auto got = app::run(engine_, std::move(one), signals_);
    if (got.failure)
      throw stop{exit_run_time_failure,
                 fmt::format("{} failed, and changed nothing: {}", what, to_string(*got.failure))};
    begin = end;
  }
}

void scenario_runner::run(const scenario_spec& what) {
  try {
    run_setup(what.setup, "setup");
    run(what.steps);
  } catch (...) {
    try {
      run_setup(what.teardown, "teardown");
    } catch (const stop&) { // the first failure is the one to tell
    }
    throw;
  }
  run_setup(what.teardown, "teardown");
}

} // namespace sheaf::app
