// SPDX-License-Identifier: BSD-3-Clause
//
// Counts answers by route, method and status, under OpenTelemetry's names. Any thread, without locks.

#pragma once

#include <boost/beast/http/verb.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sheaf::app::serve {

class http_metrics {
public:
  /// `routes` are the values of the label http_route; the last is for requests without a route.
  explicit http_metrics(std::vector<std::string> routes);
  ~http_metrics();
  http_metrics(const http_metrics&) = delete;
  http_metrics& operator=(const http_metrics&) = delete;

  /// Counts an answer.
  void add(std::size_t route, boost::beast::http::verb method, unsigned status, std::chrono::nanoseconds took);

  /// Appends Prometheus' text format. `scheme` is http or https.
  void append_text(std::string& out, const char* scheme) const;

private:
  static constexpr std::size_t buckets = 15; ///< The last is for all beyond.
  struct cell {
    std::array<std::atomic<std::uint64_t>, buckets> counts{};
    std::atomic<std::uint64_t> nanoseconds{0};
  };

  cell& cell_of(std::size_t route, std::size_t method, std::size_t status);

  std::vector<std::string> routes_;
  std::vector<std::atomic<cell*>> cells_; ///< Null for a combination that has not come up.
};

} // namespace sheaf::app::serve
