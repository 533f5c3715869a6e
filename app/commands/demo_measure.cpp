// SPDX-License-Identifier: BSD-3-Clause
//
// Measures the three ways in turn and lays the numbers out. Main thread.

#include "app/commands/demo_measure.hpp"

#include "app/base/duration.hpp"
#include "app/base/exit.hpp"
#include "app/show/failure_text.hpp"
#include "app/show/timeline.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sheaf::app {

namespace {

reply run_queries(engine& on, const experiment& trial, std::size_t count, const signal_watch& signals) {
  request asked;
  asked.width = count; // Also on one session: there they wait for it.
  for (std::size_t i = 1; i <= count; ++i)
    asked.queries.emplace_back(fmt::format("{} {}", trial.noun, i), trial.sql);
  auto answered = run(on, std::move(asked), signals);
  if (answered.failure)
    throw command_error{exit_code_of(*answered.failure), describe(*answered.failure, trial.sql)};
  return answered;
}

struct article_numbers {
  std::string_view time, ratio;
};

std::string row(std::string_view label, const std::vector<std::chrono::nanoseconds>& times,
                std::chrono::nanoseconds one, const article_numbers* article, const terminal& where) {
  const auto [least, most] = std::minmax_element(times.begin(), times.end());
  const auto ratio = static_cast<double>(median(times).count()) / static_cast<double>(one.count());
  auto line = fmt::format("  {:<34} {:>8} {:>8} {:>8} {}", label, to_text(median(times)), to_text(*least),
                          to_text(*most), paint(where, style::bold, fmt::format("{:>7.2f}", ratio)));
  if (article != nullptr)
    line += paint(where, style::dim, fmt::format(" {:>8} {:>6}", article->time, article->ratio));
  return line + '\n';
}

} // namespace

measurement measure(const demo_engines& engines, const experiment& trial, std::size_t runs,
                    const signal_watch& signals) {
  measurement made;
  for (std::size_t i = 0; i <= runs; ++i) {
    const auto one = run_queries(engines.shared, trial, 1, signals);
    made.last_shared = run_queries(engines.shared, trial, 3, signals);
    made.last_separate = run_queries(engines.separate, trial, 3, signals);
    if (i == 0) // The warm-up, which also opened the sessions.
      continue;
    made.one.push_back(one.elapsed);
    made.shared.push_back(made.last_shared.elapsed);
    made.separate.push_back(made.last_separate.elapsed);
  }
  return made;
}

std::string report(const experiment& trial, const measurement& measured, bool with_article, const terminal& where) {
  constexpr article_numbers article[] = {{"2.26 s", "1.00"}, {"6.49 s", "2.88"}, {"2.74 s", "1.21"}};
  const auto beside = [&](std::size_t i) { return with_article ? &article[i] : nullptr; };
  const auto& noun = trial.noun;
  const auto one = median(measured.one);

  auto heading = fmt::format("  {:<34} {:>8} {:>8} {:>8} {:>7}", "", "median", "min", "max", "ratio");
  if (with_article)
    heading += fmt::format(" {:>15}", "in the article");
  std::string out = paint(where, style::bold, heading) + '\n';
  out += row(fmt::format("one {}", noun), measured.one, one, beside(0), where);
  out += row(fmt::format("three {}s, one session", noun), measured.shared, one, beside(1), where);
  out += row(fmt::format("three {}s, a session each", noun), measured.separate, one, beside(2), where);
  out += fmt::format("\nThe last run of three {}s on one session:\n{}", noun, timeline(measured.last_shared, where));
  out +=
      fmt::format("\nThe last run of three {}s on a session each:\n{}", noun, timeline(measured.last_separate, where));
  return out;
}

} // namespace sheaf::app
