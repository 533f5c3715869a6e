// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/metrics_text.hpp"

#include "sheaf/core/engine_loops.hpp"

#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace sheaf {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

/// So many statements of each database are told of, those that take most of its time: each has six lines.
constexpr std::size_t statements_max = 50;

double in_seconds(std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); }

/// A family of metrics with the same name.
class family {
public:
  family(std::vector<MetricFamily>& all, MetricType type, const char* name, const char* help)
    : all_(all), at_(all.size()) {
    all.push_back(MetricFamily{name, help, type, {}});
  }

  void add(labels of, double value) {
    auto& m = add(std::move(of));
    (all_[at_].type == MetricType::Counter ? m.counter.value : m.gauge.value) = value;
  }

  void add(labels of, const duration_histogram::sums& value) {
    auto& h = add(std::move(of)).histogram;
    for (std::size_t i = 0; i < value.counts.size(); ++i) {
      h.sample_count += value.counts[i];
      const bool last = i == duration_histogram::bounds.size();
      h.bucket.push_back(
          {h.sample_count, last ? std::numeric_limits<double>::infinity() : in_seconds(duration_histogram::bounds[i])});
    }
    h.sample_sum = in_seconds(value.total);
  }

  void add(labels of, const statement_stats& value) {
    auto& s = add(std::move(of)).summary;
    s.sample_count = value.runs;
    s.sample_sum = in_seconds(value.total);
    s.quantile = {
        {0.25, in_seconds(value.lower_quartile)}, {0.5, in_seconds(value.median)}, {0.95, in_seconds(value.p95)}};
  }

  /// One for success and one for each code that has come up. `of_loop` gives each loop's.
  void add_outcomes(const labels& of, const engine_loops& loops, const auto& of_loop) {
    for (std::size_t code = 0; code < outcome_histograms::size; ++code) {
      duration_histogram::sums sum;
      for (const auto& w : loops.each())
        of_loop(*w)[code].add_to(sum);
      if (code != 0 && sum.count() == 0)
        continue;
      auto with_code = of;
      if (code != 0)
        with_code.push_back({"error_type", std::string{to_string(static_cast<errc>(code))}});
      add(std::move(with_code), sum);
    }
  }

private:
  ClientMetric& add(labels of) {
    auto& m = all_[at_].metric.emplace_back();
    m.label = std::move(of);
    return m;
  }

  std::vector<MetricFamily>& all_; ///< May grow, and move, meanwhile.
  const std::size_t at_;
};

labels with(labels of, const char* name, std::string value) {
  of.push_back({name, std::move(value)});
  return of;
}

/// Writes the families one after another: all of a name have to stand together.
class report {
public:
  explicit report(const engine_loops& loops) : loops_(loops) {}

  void add_durations() {
    const auto histogram = [&](const char* name, const char* help, const auto& of_pool) {
      family x{all_, MetricType::Histogram, name, help};
      each_pool([&](std::size_t i, const labels& of) {
        duration_histogram::sums sum;
        for (const auto& w : loops_.each())
          of_pool(w->pools[i]->metrics()).add_to(sum);
        x.add(of, sum);
      });
    };
    family operations{all_, MetricType::Histogram, "db_client_operation_duration_seconds",
                      "Queries, from having a session, or from asking for it in vain, to the reply."};
    each_pool([&](std::size_t i, const labels& of) {
      operations.add_outcomes(
          of, loops_, [i](const engine_loop& w) -> const auto& { return w.pools[i]->metrics().operation; });
    });
    histogram(
        "db_client_connection_create_time_seconds", "Opening a session.",
        [](const pool_metrics& x) -> const auto& { return x.create; });
    histogram(
        "db_client_connection_wait_time_seconds", "Waiting for a session, by those who got one.",
        [](const pool_metrics& x) -> const auto& { return x.wait; });
    histogram(
        "db_client_connection_use_time_seconds", "From getting a session until it was back.",
        [](const pool_metrics& x) -> const auto& { return x.use; });
    family requests{all_, MetricType::Histogram, "sheaf_request_duration_seconds",
                    "Requests, from being taken to the reply."};
    requests.add_outcomes(
        {}, loops_, [](const engine_loop& w) -> const auto& { return w.outcomes; });
  }

  void add_pools() {
    const auto one = [&](MetricType type, const char* name, const char* help, auto pool_stats::*number) {
      family x{all_, type, name, help};
      each_pool([&](std::size_t i, const labels& of) { x.add(of, static_cast<double>(loops_.stats(i).*number)); });
    };
    {
      family x{all_, MetricType::Gauge, "db_client_connections", "Sessions by state."};
      each_pool([&](std::size_t i, const labels& of) {
        const auto now = loops_.stats(i);
        x.add(with(of, "state", "idle"), static_cast<double>(now.idle));
        x.add(with(of, "state", "used"), static_cast<double>(now.active + now.cancelling));
      });
    }
    using enum MetricType;
    one(Gauge, "db_client_connection_max", "Sessions at most.", &pool_stats::max_size);
    one(Gauge, "db_client_connection_pending_requests", "Queries that wait for a session.", &pool_stats::waiting);
    one(Counter, "db_client_connection_timeouts_total", "Waits that acquire_timeout ended.", &pool_stats::timeouts);
    one(Gauge, "sheaf_connections_connecting", "Sessions that are being opened.", &pool_stats::connecting);
    one(Gauge, "sheaf_connections_cancelling", "Sessions whose statement is being stopped.", &pool_stats::cancelling);
    one(Counter, "sheaf_connection_failures_total", "Sessions that could not be opened.", &pool_stats::open_failures);
    one(Counter, "sheaf_connections_lost_total", "Sessions that broke, or had to be broken off.", &pool_stats::lost);
    one(Counter, "sheaf_connection_checks_total", "Idle sessions that were asked for a sign of life.",
        &pool_stats::checks);
    one(Counter, "sheaf_connection_leaks_total", "Sessions that were out longer than leak_detection_threshold.",
        &pool_stats::leaks);
    one(Counter, "sheaf_cancels_total", "Statements that were stopped.", &pool_stats::cancels);
    one(Counter, "sheaf_retries_total", "Queries that were run again.", &pool_stats::retries);
    one(Counter, "sheaf_retries_refused_total", "Queries that the retry budget had no room for.",
        &pool_stats::retries_refused);
    one(Counter, "sheaf_packs_total", "Packs that were sent.", &pool_stats::packs);
    one(Counter, "sheaf_packed_total", "Queries that were answered in a pack.", &pool_stats::packed);
    one(Counter, "sheaf_unpacked_total", "Queries of a pack that were run by themselves after all.",
        &pool_stats::unpacked);
  }

  void add_statements() {
    family x{all_, MetricType::Summary, "sheaf_statement_duration_seconds",
             "Statements, from being sent to the last row: sum and count of the runs that were learnt from, quantiles "
             "of the last ones, these "
             "without the way there and back."};
    each_pool([&](std::size_t i, const labels& of) {
      for (const auto& s : loops_.statements(i, statements_max))
        x.add(with(with(of, "query", s.query), "statement", s.id), s);
    });
  }

  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, all_);
    return std::move(out).str();
  }

private:
  /// Calls `f` with each database's position and labels.
  void each_pool(const auto& f) const {
    const auto& databases = loops_.settings().databases;
    for (std::size_t i = 0; i < databases.size(); ++i)
      f(i, labels{{"db_client_connection_pool_name", databases[i].name},
                  {"db_system_name", std::string{loops_.database(i).kind->name()}}});
  }

  const engine_loops& loops_;
  std::vector<MetricFamily> all_;
};

} // namespace

std::string metrics_text(const engine_loops& loops) {
  report x{loops};
  x.add_durations();
  x.add_pools();
  x.add_statements();
  return x.text();
}

} // namespace sheaf
