// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/http_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sheaf::app::serve {

namespace {

using boost::beast::http::verb;

/// Upper bounds in seconds, as OpenTelemetry has them for HTTP servers.
constexpr std::array bounds{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0};

constexpr std::array methods{"GET", "HEAD", "POST", "OPTIONS", "_OTHER"};

std::size_t index_of(verb method) {
  switch (method) {
  case verb::get:
    return 0;
  case verb::head:
    return 1;
  case verb::post:
    return 2;
  case verb::options:
    return 3;
  default:
    return 4;
  }
}

/// The statuses that the service answers with.
constexpr std::array<unsigned, 27> statuses{200, 204, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 421,
                                            422, 429, 431, 499, 500, 501, 502, 503, 504, 505, 507, 406, 0};

std::string escaped(const std::string& label) {
  std::string out;
  for (const char c : label)
    if (c == '\n')
      out += "\\n";
    else
      (c == '"' || c == '\\' ? out += '\\' : out) += c;
  return out;
}

} // namespace

http_metrics::http_metrics(std::vector<std::string> routes)
  : routes_(std::move(routes)), cells_(routes_.size() * methods.size() * statuses.size()) {}

http_metrics::~http_metrics() {
  for (const auto& x : cells_)
    delete x.load();
}

http_metrics::cell& http_metrics::cell_of(std::size_t route, std::size_t method, std::size_t status) {
  auto& place = cells_[(route * methods.size() + method) * statuses.size() + status];
  if (auto* there = place.load(std::memory_order_acquire))
    return *there;
  auto made = std::make_unique<cell>();
  cell* expected = nullptr;
  if (place.compare_exchange_strong(expected, made.get()))
    return *made.release();
  return *expected; // another loop was faster
}

void http_metrics::add(std::size_t route, verb method, unsigned status, std::chrono::nanoseconds took) {
  const auto found = std::find(statuses.begin(), statuses.end() - 1, status) - statuses.begin();
  auto& to = cell_of(route, index_of(method), static_cast<std::size_t>(found));
  const auto seconds = std::chrono::duration<double>(took).count();
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  to.counts[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  to.nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
}

void http_metrics::append_text(std::string& out, const char* scheme) const {
  constexpr const char* name = "http_server_request_duration_seconds";
  auto to = std::back_inserter(out);
  fmt::format_to(to, "# HELP {0} Time from a request's first byte to its answer's last.\n# TYPE {0} histogram\n", name);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const auto* x = cells_[i].load(std::memory_order_acquire);
    if (!x)
      continue;
    const auto status = i % statuses.size(), rest = i / statuses.size();
    const auto labels =
        fmt::format("http_request_method=\"{}\",http_response_status_code=\"{}\",http_route=\"{}\",url_scheme=\"{}\"",
                    methods[rest % methods.size()], statuses[status], escaped(routes_[rest / methods.size()]), scheme);
    std::uint64_t count = 0;
    for (std::size_t b = 0; b < buckets; ++b) {
      count += x->counts[b].load(std::memory_order_relaxed);
      fmt::format_to(to, "{}_bucket{{{},le=\"{}\"}} {}\n", name, labels,
                     b < bounds.size() ? fmt::format("{}", bounds[b]) : "+Inf", count);
    }
    const auto sum = static_cast<double>(x->nanoseconds.load(std::memory_order_relaxed)) / 1e9;
    fmt::format_to(to, "{0}_sum{{{1}}} {2}\n{0}_count{{{1}}} {3}\n", name, labels, sum, count);
  }
}

} // namespace sheaf::app::serve
