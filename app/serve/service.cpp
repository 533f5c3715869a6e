// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/service.hpp"

#include "app/base/duration.hpp"
#include "app/base/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace sheaf::app::serve {

namespace {

std::vector<std::size_t> streams_max(const sheaf_file& of, const service_limits& bounds) {
  std::vector<std::size_t> all;
  for (const auto& d : of.databases)
    all.push_back(bounds.streams_max > 0 ? bounds.streams_max : std::max<std::size_t>(d.pool.max_size / 2, 1));
  return all;
}

} // namespace

service::service(const sheaf_file& served, const std::vector<std::string>& shortcuts, engine& own, engine& shared,
                 const service_limits& bounds, access_rules who, traffic& counted, activity& watched,
                 std::shared_ptr<service_log> to)
  : file(served), routes(served, shortcuts), own_sessions(own), shared_session(shared), limits(bounds),
    rules(std::move(who)), counts(counted), streams(streams_max(served, bounds)), seen(watched), log(std::move(to)),
    metrics(routes.patterns()), columns(served), catalogue(make_catalogue(served, rules.shows_sql)) {}

namespace {

constexpr std::size_t statements_shown = 10;

/// The statements that took most of the time since the service began, with each one's share of its database's.
void append_statements(std::string& out, std::vector<statement_stats> all) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.total > b.total; });
  all.resize(std::min(all.size(), statements_shown));
  out += '[';
  for (const auto& x : all) {
    out += out.back() == '[' ? "{\"database\":" : ",{\"database\":";
    append_json_string(out, x.database);
    out += ",\"query\":";
    append_json_string(out, x.query);
    fmt::format_to(
        std::back_inserter(out),
        ",\"id\":\"{}\",\"runs\":{},\"rows\":{:.1f},\"median_ms\":{:.3f},\"p95_ms\":{:.3f},\"share\":{:.3f}}}", x.id,
        x.runs, x.rows, in_ms(x.median), in_ms(x.p95), x.share);
  }
  out += ']';
}

void append_pools(std::string& out, const std::vector<pool_stats>& all) {
  out += '[';
  for (const auto& x : all) {
    out += out.back() == '[' ? "{\"database\":" : ",{\"database\":";
    append_json_string(out, x.database);
    fmt::format_to(std::back_inserter(out),
                   ",\"max_size\":{},\"total\":{},\"idle\":{},\"active\":{},\"connecting\":{},\"cancelling\":{},"
                   "\"waiting\":{},\"opened\":{},\"open_failures\":{},\"lost\":{},\"timeouts\":{},\"cancels\":{}}}",
                   x.max_size, x.total, x.idle, x.active, x.connecting, x.cancelling, x.waiting, x.opened,
                   x.open_failures, x.lost, x.timeouts, x.cancels);
  }
  out += ']';
}

bool is_busy(const std::vector<pool_stats>& all) {
  return std::any_of(all.begin(), all.end(),
                     [](const pool_stats& x) { return x.active + x.connecting + x.cancelling + x.waiting > 0; });
}

} // namespace

std::string service::openapi() const {
  const auto version = columns.version();
  {
    const std::lock_guard held{openapi_mutex_};
    if (openapi_version_ == version)
      return openapi_;
  }
  auto made = make_openapi(file, columns, !rules.token.empty()); // without the lock, which would hold up other loops
  const std::lock_guard held{openapi_mutex_};
  openapi_ = made;
  openapi_version_ = version;
  return made;
}

std::string service::metrics_text() const {
  auto out = own_sessions.metrics_text();
  auto to = std::back_inserter(out);
  metrics.append_text(out, rules.tls ? "https" : "http");
  fmt::format_to(to,
                 "# HELP http_server_active_requests Requests that the engine works on.\n"
                 "# TYPE http_server_active_requests gauge\nhttp_server_active_requests {}\n"
                 "# HELP sheaf_http_connections Connections of clients.\n"
                 "# TYPE sheaf_http_connections gauge\nsheaf_http_connections {}\n"
                 "# HELP sheaf_http_event_streams Clients that hear events.\n"
                 "# TYPE sheaf_http_event_streams gauge\nsheaf_http_event_streams {}\n",
                 counts.in_flight(), counts.connections(), counts.event_streams());
  return out;
}

service::moment service::now() const {
  const auto own = own_sessions.stats(), shared = shared_session.stats();
  moment made{"{", counts.in_flight() > 0 || is_busy(own) || is_busy(shared)};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  fmt::format_to(std::back_inserter(made.event), "\"time_ms\":{},\"connections\":{},\"in_flight\":{},\"pools\":",
                 std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), counts.connections(),
                 counts.in_flight());
  append_pools(made.event, own);
  append_pools(made.event += ",\"shared\":", shared);
  made.event += '}';
  return made;
}

std::string service::event() const {
  auto out = now().event;
  out.back() = ',';
  append_statements(out += "\"statements\":", own_sessions.statements(statements_shown));
  seen.append_now(out += ',');
  out += '}';
  return out;
}

} // namespace sheaf::app::serve
