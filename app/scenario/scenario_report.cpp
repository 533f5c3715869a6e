// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/scenario_report.hpp"

#include "app/base/cores.hpp"
#include "app/base/duration.hpp"
#include "app/base/json_text.hpp"
#include "app/base/markup.hpp"
#include "app/base/text.hpp"
#include "app/show/failure_text.hpp"
#include "app/show/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace sheaf::app {

namespace {

/// The failure of a step that nothing was expected of.
std::string failure_of(const step_report& x) { return describe(*x.got.failure, sql_of(*x.got.failure, x.got, x.sql)); }

/// A time in proportion to the first of a comparison; nothing for that one itself.
std::string beside(const step_report::timed_mode& first, const std::chrono::nanoseconds& x) {
  if (&x == &first.median)
    return "";
  return fmt::format("  ({:.2f} of {})", static_cast<double>(x.count()) / static_cast<double>(first.median.count()),
                     to_string(first.mode));
}

void append_case(std::string& out, const scenario_report& of, std::size_t step, const std::string& name,
                 const std::string& missed) {
  const auto& x = of.steps[step];
  fmt::format_to(std::back_inserter(out), "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.6f}\"",
                 markup(of.scenario), markup(fmt::format("step {}: {}: {}", step + 1, x.request, name)),
                 in_ms(x.got.elapsed) / 1000);
  if (missed.empty())
    out += "/>\n";
  else
    fmt::format_to(std::back_inserter(out), ">\n   <failure message=\"{}\"/>\n  </testcase>\n", markup(missed));
}

/// A number has its unit beside it.
void append_found(std::string& out, const checked_expectation& x) {
  out += ", \"found\": ";
  if (!x.value)
    out += "null";
  else if (const auto* time = std::get_if<std::chrono::nanoseconds>(&*x.value))
    fmt::format_to(std::back_inserter(out), "{:.6f}, \"unit\": \"ms\"", in_ms(*time));
  else if (const auto* words = std::get_if<std::string>(&*x.value))
    append_json_string(out, *words);
  else if (const auto* number = std::get_if<double>(&*x.value); number && !std::isfinite(*number))
    append_json_string(out, to_text(*x.value));
  else
    out += to_text(*x.value);
  if (x.why.empty())
    return;
  out += ", \"why\": ";
  append_json_string(out, x.why);
}

} // namespace

std::size_t scenario_report::missed() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(steps.begin(), steps.end(), [](const step_report& x) { return !x.held(); }));
}

void write_step(output& to, const step_report& step, const terminal& where) {
  auto& out = to.text();
  const auto good = [&](bool held) { return paint(where, held ? style::good : style::bad, held ? "held" : "MISSED"); };
  fmt::format_to(std::back_inserter(out), "{}: {} {} in {}{}\n", paint(where, style::bold, step.request),
                 step.got.outcomes.size(), step.got.outcomes.size() == 1 ? "query" : "queries",
                 to_text(step.got.elapsed),
                 step.got.outcomes.size() < 2 ? "" : fmt::format(", {:.1f} at once on average", step.got.overlap()));
  for (const auto& [mode, median] : step.modes)
    fmt::format_to(std::back_inserter(out), "  {:<14}  {:>8}{}\n", to_string(mode), to_text(median),
                   beside(step.modes.front(), median));
  if (const auto ratio = step.speed_up())
    fmt::format_to(std::back_inserter(out), "  {:<14}  {:.2f}{}\n", "speed_up", *ratio,
                   limit_of_cores(step.got.outcomes.size(), *ratio));
  for (const auto& x : step.expectations)
    fmt::format_to(std::back_inserter(out), "  {}  {}  (it is {}{})\n", good(x.held), one_line(x.text),
                   one_line(x.found()), x.held ? "" : "; " + x.place());
  if (step.got.failure && step.expectations.empty())
    fmt::format_to(std::back_inserter(out), "  {}  {}\n", good(false), one_line(failure_of(step)));
}

void write_summary(output& to, const scenario_report& report, const terminal& where) {
  const auto missed = report.missed();
  std::size_t expectations = 0;
  for (const auto& x : report.steps)
    expectations += x.expectations.size();
  fmt::format_to(std::back_inserter(to.text()), "{}: {} requests, {} expectations, {} in {} (seed {})\n",
                 report.scenario, report.steps.size(), expectations,
                 missed == 0 ? paint(where, style::good, "all held")
                             : paint(where, style::bad, fmt::format("{} missed", missed)),
                 to_text(report.elapsed), report.seed);
  to.flush();
}

void write_json_report(output& to, const scenario_report& report) {
  auto& out = to.text();
  const auto text = [&](std::string_view name, std::string_view x) {
    append_json_string(out, name);
    out += ": ";
    append_json_string(out, x);
  };
  out += "{";
  text("file", report.file);
  out += ", ";
  text("scenario", report.scenario);
  fmt::format_to(std::back_inserter(out), ", \"seed\": {}, \"elapsed_ms\": {:.3f}, \"held\": {}, \"steps\": [",
                 report.seed, in_ms(report.elapsed), report.missed() == 0);
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const auto& x = report.steps[i];
    out += i > 0 ? ",\n {" : "\n {";
    text("request", x.request);
    fmt::format_to(std::back_inserter(out),
                   ", \"ok\": {}, \"held\": {}, \"queries\": {}, \"elapsed_ms\": {:.3f}, \"serial_sum_ms\": {:.3f}, "
                   "\"overlap\": {:.2f}",
                   x.got.ok(), x.held(), x.got.outcomes.size(), in_ms(x.got.elapsed), in_ms(x.got.serial_sum()),
                   x.got.overlap());
    if (x.got.failure) {
      out += ", ";
      text("error", failure_of(x));
    }
    for (const auto& [mode, median] : x.modes)
      fmt::format_to(std::back_inserter(out), ", \"{}_ms\": {:.3f}", to_string(mode), in_ms(median));
    if (const auto ratio = x.speed_up())
      fmt::format_to(std::back_inserter(out), ", \"speed_up\": {:.3f}", *ratio);
    write_notices(to, x.got);
    out += ", \"expectations\": [";
    for (std::size_t j = 0; j < x.expectations.size(); ++j) {
      const auto& e = x.expectations[j];
      fmt::format_to(std::back_inserter(out), "{}{{\"line\": {}, \"held\": {}, ", j > 0 ? ", " : "", e.at.line, e.held);
      text("expected", e.text);
      append_found(out, e);
      out += '}';
    }
    out += "]}";
  }
  out += "\n]}\n";
  to.flush();
}

void write_junit_report(output& to, const scenario_report& report) {
  std::string cases;
  std::size_t all = 0, failures = 0;
  const auto add = [&](std::size_t step, const std::string& name, const std::string& missed) {
    ++all;
    failures += !missed.empty();
    append_case(cases, report, step, name, missed);
  };
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const auto& x = report.steps[i];
    if (x.expectations.empty())
      add(i, "is answered", x.got.ok() ? "" : failure_of(x));
    for (const auto& e : x.expectations)
      add(i, e.text, e.held ? "" : fmt::format("it is {} ({}:{})", e.found(), report.file, e.at.line));
  }
  fmt::format_to(
      std::back_inserter(to.text()),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{0}\" failures=\"{1}\" time=\"{2:.6f}\">\n"
      " <testsuite name=\"{3}\" tests=\"{0}\" failures=\"{1}\" time=\"{2:.6f}\">\n{4} </testsuite>\n</testsuites>\n",
      all, failures, in_ms(report.elapsed) / 1000, markup(report.scenario), cases);
  to.flush();
}

} // namespace sheaf::app
