// SPDX-License-Identifier: BSD-3-Clause
//
// The figures of a run, as one line of JSON.

#include "overload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace bench::overload {

namespace {

constexpr seconds recovery_window{0.2}, recovery_step{0.01};

double ms(clock::duration x) { return std::chrono::duration<double, std::milli>(x).count(); }

/// Of none: 0.
double quantile(std::vector<double> xs, double q) {
  if (xs.empty())
    return 0;
  const auto i = std::min(xs.size() - 1, static_cast<std::size_t>(q * static_cast<double>(xs.size())));
  std::nth_element(xs.begin(), xs.begin() + static_cast<std::ptrdiff_t>(i), xs.end());
  return xs[i];
}

class figures {
public:
  figures(const run_options& how, const run_result& got) : how_(how), got_(got), deadline_(how.deadline()) {}

  std::string text() const {
    std::vector<std::string> phases;
    for (const auto& p : got_.phases)
      if (p.name == "overload" || p.name == "after")
        phases.push_back(fmt::format(R"("{}": {})", p.name, of(p)));
    const auto back = recovery();
    return fmt::format(
        R"({{"program": "sheaf", "queries": {}, "sessions": {}, "loops": {}, "load": {}, "deadline_times": {}, )"
        R"("deadline_ms": {:.3f}, "capacity_per_s": {:.3f}, "arrivals": "{}", "priorities": "{}", "seed": {}, )"
        R"("alone_ms": {:.3f}, {}, "recovery_s": {}, "rss_mb_max": {:.1f}}})",
        how_.queries, how_.sessions, how_.loops, how_.load, how_.deadline_times, ms(deadline_), how_.capacity(),
        how_.arrivals, how_.priorities, how_.seed, got_.alone.count() * 1000, fmt::join(phases, ", "),
        back ? fmt::format("{:.2f}", back->count()) : "null", got_.rss_mb_max);
  }

private:
  std::string of(const phase_run& p) const {
    std::vector<double> good_ms, late_ms;
    double overrun_ms = 0;
    for (const auto& x : p.requests) {
      late_ms.push_back(ms(x.sent - x.due));
      overrun_ms = std::max(overrun_ms, ms(x.answered - x.sent - deadline_));
      if (x.in_time(deadline_))
        good_ms.push_back(ms(x.answered - x.sent));
    }
    const auto answered = p.after.answered - p.before.answered, cancelled = p.after.cancelled - p.before.cancelled;
    const auto begun = std::max<std::uint64_t>(answered + cancelled, 1);
    return fmt::format(
        R"({{"asked": {}, "in_time": {}, "goodput": {:.4f}, "failures": {{{}}}, "priorities": {{{}}}, )"
        R"("statements": {}, "cancelled": {}, "cancelled_share": {:.4f}, "p50_ms": {:.3f}, "p99_ms": {:.3f}, )"
        R"("overrun_ms_max": {:.3f}, "late_ms_p99": {:.3f}}})",
        p.requests.size(), good_ms.size(), goodput(p), failures(p), priorities(p), answered + cancelled, cancelled,
        static_cast<double>(cancelled) / static_cast<double>(begun), quantile(good_ms, 0.5), quantile(good_ms, 0.99),
        overrun_ms, quantile(late_ms, 0.99));
  }

  /// The requests that were answered in time while the phase lasted, whenever they were asked: else a queue that is
  /// left at its end would count for more than the sessions can do.
  double goodput(const phase_run& p) const {
    std::size_t good = 0;
    for (const auto& other : got_.phases)
      good += static_cast<std::size_t>(std::ranges::count_if(other.requests, [&](const asked& x) {
        return x.in_time(deadline_) && x.answered >= p.from && x.answered < p.until;
      }));
    return static_cast<double>(good) / (how_.capacity() * seconds{p.until - p.from}.count());
  }

  std::string failures(const phase_run& p) const {
    std::map<std::string, std::size_t> counts;
    for (const auto& x : p.requests)
      if (!x.ok)
        ++counts[fmt::format("{}/{}", to_string(x.code), to_string(x.where))];
      else if (!x.in_time(deadline_))
        ++counts["late"];
    std::vector<std::string> parts;
    for (const auto& [name, count] : counts)
      parts.push_back(fmt::format(R"("{}": {})", name, count));
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  std::string priorities(const phase_run& p) const {
    constexpr std::array<std::string_view, 3> names{"high", "normal", "low"};
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::size_t all = 0, good = 0;
      for (const auto& x : p.requests)
        if (static_cast<std::size_t>(x.priority) == i) {
          ++all;
          good += x.in_time(deadline_);
        }
      parts.push_back(fmt::format(R"("{}": {{"asked": {}, "in_time": {}}})", names[i], all, good));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  /// The time from the end of the overload until a window begins in which all that is asked is answered in time. None
  /// when there is no such window.
  std::optional<seconds> recovery() const {
    const auto& p = got_.phases.back();
    for (seconds at{0}; p.from + at + recovery_window <= p.until; at += recovery_step) {
      std::size_t all = 0, good = 0;
      for (const auto& x : p.requests)
        if (x.due >= p.from + at && x.due < p.from + at + recovery_window) {
          ++all;
          good += x.in_time(deadline_);
        }
      if (all > 0 && good == all)
        return at;
    }
    return std::nullopt;
  }

  const run_options& how_;
  const run_result& got_;
  clock::duration deadline_;
};

} // namespace

std::string to_json(const run_options& how, const run_result& got) { return figures{how, got}.text(); }

} // namespace bench::overload
