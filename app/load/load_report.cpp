// SPDX-License-Identifier: BSD-3-Clause

#include "app/load/load_report.hpp"

#include "app/base/cores.hpp"
#include "app/base/duration.hpp"
#include "app/base/number_text.hpp"
#include "app/base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace sheaf::app {

namespace {

constexpr double reported_percentiles[] = {50, 90, 95, 99, 99.9};
constexpr double shown_percentiles[] = {50, 95, 99, 99.9}; ///< For people: a line has 80 columns.

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "0 %" : fmt::format("{:.3g} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

/// The ratio of the medians of a request, in turn over at once. Nothing unless both were measured.
std::optional<double> speed_up(const load_report& of, std::size_t request) {
  const auto& at_once = of.result.record.requests[request].latency;
  if (!of.in_turn || at_once.count() == 0 || of.in_turn->requests[request].latency.count() == 0)
    return {};
  return in_ms(of.in_turn->requests[request].latency.percentile(50)) / in_ms(at_once.percentile(50));
}

// -- for people

class text_report {
public:
  text_report(std::string& to, const load_report& report, const sheaf_file& file, const terminal& where)
    : to_(to), report_(report), file_(file), where_(where) {}

  void write() {
    heading();
    if (report_.result.record.count() == 0) {
      line("Nothing that began while it was measured was answered.\n");
    } else {
      times();
      apart();
      waits();
      statements();
    }
    summary();
    for (const auto& x : report_.thresholds)
      line("  {}  {}  (it is {})\n", verdict(x.held), one_line(x.text), one_line(x.found()));
  }

private:
  template <class... T>
  void line(fmt::format_string<const T&...> format, const T&... arguments) {
    fmt::format_to(std::back_inserter(to_), format, arguments...);
  }

  std::string verdict(bool held) const {
    return paint(where_, held ? style::good : style::bad, held ? "held" : "MISSED");
  }

  void heading() {
    const auto& r = report_.result;
    line("{}: {} {}{} for {}{}, seed {}{}\n\n", report_.scenario, report_.clients,
         report_.clients == 1 ? "client" : "clients", report_.rate ? fmt::format(" at {:.6g}/s", *report_.rate) : "",
         to_text(r.measured),
         report_.warm_up.count() > 0 ? fmt::format(" after {} of warm-up", to_text(report_.warm_up)) : "", report_.seed,
         report_.interrupted ? " (interrupted)" : "");
  }

  /// A name, indented, in the width that all names take.
  std::string label(std::string_view name, bool is_query) const {
    const auto indented = (is_query ? "  " : "") + one_line(name);
    return padded(shortened(indented, name_width, where_.utf8), name_width);
  }

  void row(const std::string& name, const histogram& x, const std::string& rate, std::uint64_t errors) {
    const auto shown = [&](std::chrono::nanoseconds time) { return x.count() == 0 ? "-" : to_text(time); };
    line("{} {:>7} {:>8}", name, x.count(), rate);
    for (const double p : shown_percentiles)
      line(" {:>7}", shown(x.percentile(p)));
    line(" {:>7} {:>6}\n", shown(x.max()), errors);
  }

  /// Times of requests that failed without being out of time.
  void apart() {
    const auto failed = report_.result.record.failed();
    if (failed.count() > 0)
      line("Not among these: {} that failed at once or while they ran, p50 {}, p99 {}, max {}\n", failed.count(),
           to_text(failed.percentile(50)), to_text(failed.percentile(99)), to_text(failed.max()));
  }

  void times() {
    const auto& r = report_.result;
    line("{}\n", paint(where_, style::bold,
                       fmt::format("{} {:>7} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6}", padded("", name_width),
                                   "count", "rate", "p50", "p95", "p99", "p99.9", "max", "errors")));
    const auto rate_of = [&](std::uint64_t n) { return to_people(r.rate_of(n)) + "/s"; };
    const auto asked = std::count_if(r.record.requests.begin(), r.record.requests.end(),
                                     [](const request_record& x) { return x.count() > 0; });
    if (asked != 1)
      row(label("all requests", false), r.record.latency(), rate_of(r.record.in_time()), r.record.errors());
    each([&](const request_spec& spec, const request_record& x) {
      row(label(spec.name, false), x.latency, rate_of(x.in_time), x.errors);
      for (std::size_t i = 0; i < x.queries.size(); ++i)
        row(label(spec.queries[i].query.name, true), x.queries[i].total, rate_of(x.queries[i].in_time),
            x.queries[i].errors);
    });
  }

  void waits() {
    line("\n{}\n", paint(where_, style::bold,
                         fmt::format("{} {:>26}   {:>26}\n{} {:>8} {:>8} {:>8}   {:>8} {:>8} {:>8}",
                                     padded("", name_width), "waiting for a session", "executing",
                                     padded("", name_width), "p50", "p99", "max", "p50", "p99", "max")));
    each([&](const request_spec& spec, const request_record& x) {
      for (std::size_t i = 0; i < x.queries.size(); ++i) {
        line("{}",
             label(asked_alone() ? spec.queries[i].query.name : spec.name + '.' + spec.queries[i].query.name, true));
        for (const auto* h : {&x.queries[i].waiting, &x.queries[i].executing})
          line(" {:>8} {:>8} {:>8}{}", h->count() == 0 ? "-" : to_text(h->percentile(50)),
               h->count() == 0 ? "-" : to_text(h->percentile(99)), h->count() == 0 ? "-" : to_text(h->max()),
               h == &x.queries[i].waiting ? "  " : "\n");
      }
    });
  }

  /// The statements that the engine has learnt of; those of setup are among them.
  void statements() {
    const auto shown = std::min(report_.statements.size(), statements_shown);
    if (shown == 0)
      return;
    line("\n{}\n", paint(where_, style::bold,
                         fmt::format("{} {:>7} {:>7} {:>7}   {:>7} {:>7} {:>7} {:>8}", padded("statements", name_width),
                                     "runs", "rows", "bytes", "p25", "p50", "p95", "share")));
    for (std::size_t i = 0; i < shown; ++i) {
      const auto& x = report_.statements[i];
      line("{} {:>7} {:>7} {:>7}   {:>7} {:>7} {:>7} {:>6.1f} %\n", label(x.query, true), x.runs, to_people(x.rows),
           to_people(x.bytes), to_text(x.lower_quartile), to_text(x.median), to_text(x.p95), 100 * x.share);
    }
    if (const auto more = report_.statements.size() - shown; more > 0)
      line("  and {} more\n", more);
  }

  /// Of a request whose queries are as many as its file has: `for_each` makes more of one.
  static std::string limit_of(const request_spec& spec, double ratio) {
    const bool makes_more = std::any_of(spec.queries.begin(), spec.queries.end(),
                                        [](const query_spec& q) { return q.for_each.has_value(); });
    return makes_more ? "" : std::string{limit_of_cores(spec.queries.size(), ratio)};
  }

  bool asked_alone() const { return file_.requests.size() == 1; }

  template <class F>
  void each(F f) {
    for (std::size_t i = 0; i < file_.requests.size(); ++i)
      if (report_.result.record.requests[i].count() > 0)
        f(file_.requests[i], report_.result.record.requests[i]);
  }

  void summary() {
    const auto& r = report_.result.record;
    line("\n");
    if (r.overlap() > 0)
      fact("Overlap", fmt::format("{:.1f} queries of a request at once on average", r.overlap()));
    for (std::size_t i = 0; i < file_.requests.size(); ++i)
      if (const auto ratio = speed_up(report_, i))
        fact("Speed-up",
             fmt::format("{}: {:.2f} times as fast as in turn (p50 {} at once, {} in turn){}",
                         one_line(file_.requests[i].name), *ratio, to_text(r.requests[i].latency.percentile(50)),
                         to_text(report_.in_turn->requests[i].latency.percentile(50)),
                         limit_of(file_.requests[i], *ratio)));
    for (const auto& p : report_.pools)
      fact("Pool", fmt::format("{}: {:.1f} of {} sessions used on average, {} at most; {} waited at most", p.database,
                               p.active, p.max_size, p.most_active, p.most_waiting));
    std::string codes;
    for (const auto& [code, n] : r.codes)
      codes += fmt::format("{}{} {}", codes.empty() ? ": " : ", ", n, to_string(code));
    fact("Errors",
         fmt::format("{} of {} requests ({}){}", r.errors(), r.count(), percent(r.errors(), r.count()), codes));
    if (r.not_begun > 0)
      fact("Not begun", fmt::format("{} that were due: all {} clients were busy", r.not_begun, report_.clients));
    if (r.checked > 0)
      fact("Expected", fmt::format("{} expectations, {} missed", r.checked, r.missed));
    for (const auto& [text, n] : r.misses)
      line("  {}  {} {}\n", verdict(false), one_line(text), n == 1 ? "once" : fmt::format("{} times", n));
  }

  void fact(std::string_view name, const std::string& text) {
    line("{} {}\n", paint(where_, style::bold, fmt::format("{:<10}", name)), text);
  }

  static constexpr std::size_t name_width = 16, statements_shown = 10;

  std::string& to_;
  const load_report& report_;
  const sheaf_file& file_;
  const terminal& where_;
};

// -- for programs

using json = nlohmann::ordered_json;

json times_of(const histogram& x) {
  if (x.count() == 0)
    return {{"count", 0}};
  json out{{"count", x.count()}, {"min", in_ms(x.min())}, {"mean", in_ms(x.mean())}};
  for (const double p : reported_percentiles)
    out[fmt::format("p{}", p)] = in_ms(x.percentile(p));
  out["max"] = in_ms(x.max());
  return out;
}

json request_of(const load_result& of, const request_spec& spec, const request_record& x) {
  json queries = json::object();
  for (std::size_t i = 0; i < x.queries.size(); ++i) {
    const auto& q = x.queries[i];
    queries[spec.queries[i].query.name] = {{"rate", of.rate_of(q.in_time)},         {"errors", q.errors},
                                           {"total_ms", times_of(q.total)},         {"waiting_ms", times_of(q.waiting)},
                                           {"executing_ms", times_of(q.executing)}, {"failed_ms", times_of(q.failed)}};
  }
  return {{"rate", of.rate_of(x.in_time)},
          {"errors", x.errors},
          {"latency_ms", times_of(x.latency)},
          {"failed_ms", times_of(x.failed)},
          {"queries", std::move(queries)}};
}

/// A number has its unit beside it.
json threshold_of(const checked_expectation& x) {
  json out{{"line", x.at.line}, {"held", x.held}, {"expected", x.text}, {"found", nullptr}};
  if (!x.value)
    out["why"] = x.why;
  else if (const auto* time = std::get_if<std::chrono::nanoseconds>(&*x.value))
    out["found"] = in_ms(*time), out["unit"] = "ms";
  else if (const auto* count = std::get_if<std::int64_t>(&*x.value))
    out["found"] = *count;
  else
    out["found"] = std::get<double>(*x.value);
  if (x.is_rate)
    out["unit"] = "1/s";
  return out;
}

} // namespace

std::size_t load_report::missed() const noexcept {
  return static_cast<std::size_t>(
             std::count_if(thresholds.begin(), thresholds.end(), [](const auto& x) { return !x.held; })) +
         (result.record.missed > 0);
}

void write_load_report(output& to, const load_report& report, const sheaf_file& file, const terminal& where) {
  text_report{to.text(), report, file, where}.write();
  to.flush();
}

std::string to_json(const load_report& report, const sheaf_file& file) {
  const auto& record = report.result.record;
  json requests = json::object(), codes = json::object(), pools = json::array(), statements = json::array(),
       thresholds = json::array();
  for (std::size_t i = 0; i < file.requests.size(); ++i)
    if (record.requests[i].count() > 0)
      requests[file.requests[i].name] = request_of(report.result, file.requests[i], record.requests[i]);
  for (const auto& [code, n] : record.codes)
    codes[to_string(code)] = n;
  for (const auto& p : report.pools)
    pools.push_back({{"database", p.database},
                     {"max_size", p.max_size},
                     {"active", p.active},
                     {"most_active", p.most_active},
                     {"most_waiting", p.most_waiting}});
  for (const auto& x : report.statements)
    statements.push_back({{"database", x.database},
                          {"query", x.query},
                          {"sql", x.sql},
                          {"runs", x.runs},
                          {"share", x.share},
                          {"rows", x.rows},
                          {"bytes", x.bytes},
                          {"p25_ms", in_ms(x.lower_quartile)},
                          {"p50_ms", in_ms(x.median)},
                          {"p95_ms", in_ms(x.p95)}});
  for (const auto& x : report.thresholds)
    thresholds.push_back(threshold_of(x));
  json speed_ups = json::object();
  for (std::size_t i = 0; i < file.requests.size(); ++i)
    if (const auto ratio = speed_up(report, i))
      speed_ups[file.requests[i].name] = {{"ratio", *ratio},
                                          {"at_once_ms", times_of(record.requests[i].latency)},
                                          {"in_turn_ms", times_of(report.in_turn->requests[i].latency)}};
  json all{{"file", report.file},
           {"scenario", report.scenario},
           {"seed", report.seed},
           {"clients", report.clients},
           {"rate_asked", report.rate ? json(*report.rate) : json()},
           {"warm_up_ms", in_ms(report.warm_up)},
           {"measured_ms", in_ms(report.result.measured)},
           {"interrupted", report.interrupted},
           {"held", report.missed() == 0},
           {"rate", report.result.rate_of(record.in_time())},
           {"errors", record.errors()},
           {"error_codes", std::move(codes)},
           {"not_begun", record.not_begun},
           {"overlap", record.overlap()},
           {"latency_ms", times_of(record.latency())},
           {"failed_ms", times_of(record.failed())},
           {"requests", std::move(requests)},
           {"pools", std::move(pools)},
           {"statements", std::move(statements)},
           {"expectations", {{"checked", record.checked}, {"missed", record.missed}}},
           {"thresholds", std::move(thresholds)}};
  if (report.in_turn)
    all["speed_up"] = std::move(speed_ups);
  return all.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

} // namespace sheaf::app
