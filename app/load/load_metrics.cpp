// SPDX-License-Identifier: BSD-3-Clause

#include "app/load/load_metrics.hpp"

#include "app/base/nearest.hpp"

#include "sheaf/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace sheaf::app {

namespace {

constexpr std::array<std::string_view, 5> of_all{"rate", "errors", "missed", "not_begun", "overlap"};
constexpr std::array<std::pair<std::string_view, double>, 5> named_percentiles{
    {{"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"p99.9", 99.9}}};
constexpr std::array<std::string_view, 11> statistics{"count", "min", "mean",  "max",    "p50", "p90",
                                                      "p95",   "p99", "p99.9", "errors", "rate"};
constexpr std::span<const std::string_view> statistics_of_times{statistics.data(), 9};

bool is_of_times(std::string_view statistic) {
  return std::find(statistics_of_times.begin(), statistics_of_times.end(), statistic) != statistics_of_times.end();
}

/// A path taken apart.
struct metric {
  enum class of : std::uint8_t { all, request, query } subject = of::all;
  enum class span : std::uint8_t { total, waiting, executing, failed } part = span::total;
  std::string_view name; ///< The name of the request or query; empty for all requests.
  std::string_view statistic;
};

bool take_front(std::string_view& text, std::string_view front) {
  if (!text.starts_with(front))
    return false;
  text.remove_prefix(front.size());
  return true;
}

bool take_back(std::string_view& text, std::string_view back) {
  if (!text.ends_with(back))
    return false;
  text.remove_suffix(back.size());
  return true;
}

/// Names may have dots of their own, so the statistic is taken off the end.
std::optional<metric> parse(std::string_view path) {
  if (std::find(of_all.begin(), of_all.end(), path) != of_all.end())
    return metric{.name = {}, .statistic = path};
  metric x;
  if (path.starts_with("failed.")) {
    x.subject = metric::of::request;
    x.part = metric::span::failed;
    take_front(path, "failed.");
    x.statistic = path;
    return is_of_times(path) ? std::optional{x} : std::nullopt;
  }
  if (take_front(path, "request."))
    x.subject = metric::of::request;
  else if (take_front(path, "query."))
    x.subject = metric::of::query;
  else
    return {};
  for (const auto s : statistics) {
    if (path == s && x.subject == metric::of::request) {
      x.statistic = s;
      return x;
    }
    if (path.size() > s.size() + 1 && path.ends_with(s) && path[path.size() - s.size() - 1] == '.' &&
        s.size() > x.statistic.size())
      x.statistic = s;
  }
  if (x.statistic.empty())
    return {};
  path.remove_suffix(x.statistic.size() + 1);
  if (x.subject == metric::of::query)
    x.part = take_back(path, ".waiting")     ? metric::span::waiting
             : take_back(path, ".executing") ? metric::span::executing
                                             : metric::span::total;
  if (x.part == metric::span::total && take_back(path, ".failed"))
    x.part = metric::span::failed;
  if (x.part == metric::span::failed && !is_of_times(x.statistic))
    return {};
  x.name = path;
  return x;
}

/// Rounds to a thousandth: the digits behind are noise.
operand rounded(double x) { return std::round(x * 1000) / 1000; }

operand share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// The numbers that a statistic is taken of.
struct numbers {
  histogram times;
  std::uint64_t all = 0, errors = 0, in_time = 0; ///< `all` has those that `times` leaves out.
};

numbers numbers_of(const load_record& from, const sheaf_file& file, const metric& which) {
  numbers x;
  for (std::size_t i = 0; i < from.requests.size(); ++i) {
    const auto& r = from.requests[i];
    if (which.subject == metric::of::request && (which.name.empty() || file.requests[i].name == which.name)) {
      x.times.merge(which.part == metric::span::failed ? r.failed : r.latency);
      x.all += r.count();
      x.errors += r.errors;
      x.in_time += r.in_time;
    }
    for (std::size_t j = 0; which.subject == metric::of::query && j < r.queries.size(); ++j)
      if (file.requests[i].queries[j].query.name == which.name) {
        const auto& q = r.queries[j];
        x.times.merge(which.part == metric::span::total     ? q.total
                      : which.part == metric::span::waiting ? q.waiting
                      : which.part == metric::span::failed  ? q.failed
                                                            : q.executing);
        x.all += q.total.count() + q.failed.count();
        x.errors += q.errors;
        x.in_time += q.in_time;
      }
  }
  return x;
}

} // namespace

double load_result::rate_of(std::uint64_t in_time) const noexcept {
  const auto seconds = std::chrono::duration<double>(measured).count();
  return seconds == 0 ? 0 : static_cast<double>(in_time) / seconds;
}

result<operand> metric_of(const load_result& measured, const sheaf_file& file, std::string_view path) {
  const auto which = parse(path);
  if (!which)
    return invalid_request(fmt::format("there is no {}", path));
  const auto& record = measured.record;
  const auto s = which->statistic;
  if (which->subject == metric::of::all)
    return s == "rate"      ? rounded(measured.rate_of(record.in_time()))
           : s == "errors"  ? share(record.errors(), record.count())
           : s == "missed"  ? share(record.missed, record.checked)
           : s == "overlap" ? rounded(record.overlap())
                            : operand{static_cast<std::int64_t>(record.not_begun)};
  const auto x = numbers_of(record, file, *which);
  if (s == "count")
    return operand{static_cast<std::int64_t>(x.times.count())};
  if (s == "errors")
    return share(x.errors, x.all);
  if (s == "rate")
    return rounded(measured.rate_of(x.in_time));
  if (x.times.count() == 0)
    return invalid_request(which->part == metric::span::failed ? "nothing failed at once" : "nothing was answered");
  if (s == "min" || s == "max" || s == "mean")
    return operand{s == "min" ? x.times.min() : s == "max" ? x.times.max() : x.times.mean()};
  const auto p =
      std::find_if(named_percentiles.begin(), named_percentiles.end(), [s](const auto& y) { return y.first == s; });
  return operand{x.times.percentile(p->second)};
}

std::optional<std::string> check_metric(const sheaf_file& file, std::string_view path) {
  const auto which = parse(path);
  if (path == "speed_up")
    return "speed_up is called overlap: it is how many queries ran at once, and no comparison with running them in "
           "turn";
  if (!which) {
    std::vector<std::string_view> names{of_all.begin(), of_all.end()};
    const auto dot = path.rfind('.');
    if (dot != path.npos)
      names.assign(statistics.begin(), statistics.end());
    return fmt::format("there is no {}{}; there are {}, request.S, request.NAME.S, query.NAME.S, "
                       "query.NAME.waiting.S and query.NAME.executing.S, where S is {}; and failed.S, "
                       "request.NAME.failed.S and query.NAME.failed.S, without errors and rate",
                       path, did_you_mean(dot == path.npos ? path : path.substr(dot + 1), names),
                       fmt::join(of_all, ", "), fmt::join(statistics, ", "));
  }
  std::vector<std::string_view> names;
  for (const auto& r : file.requests)
    if (which->subject == metric::of::request)
      names.push_back(r.name);
    else
      for (const auto& q : r.queries)
        names.push_back(q.query.name);
  if (which->name.empty() || std::find(names.begin(), names.end(), which->name) != names.end())
    return {};
  return fmt::format("there is no {} \"{}\"{}", which->subject == metric::of::request ? "request" : "query",
                     which->name, did_you_mean(which->name, names));
}

std::optional<operand> example_of_metric(std::string_view path) {
  const auto which = parse(path);
  if (!which)
    return {};
  const bool is_number = which->subject == metric::of::all || which->statistic == "count" ||
                         which->statistic == "errors" || which->statistic == "rate";
  return is_number ? operand{std::int64_t{1}} : operand{std::chrono::nanoseconds{std::chrono::milliseconds{1}}};
}

bool is_rate(std::string_view path) {
  const auto which = parse(path);
  return which && which->statistic == "rate";
}

bool bounds_errors(std::string_view path) {
  const auto which = parse(path);
  return which &&
         (which->statistic == "errors" || (which->part == metric::span::failed && which->statistic == "count"));
}

} // namespace sheaf::app
