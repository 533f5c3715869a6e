// SPDX-License-Identifier: BSD-3-Clause
//
// State that all loops of the service share: the file that it serves, the access rules, and the counters. Immutable but
// for the counters; any thread.

#pragma once

#include "app/serve/activity.hpp"
#include "app/serve/http_metrics.hpp"
#include "app/serve/known_columns.hpp"
#include "app/serve/limits.hpp"
#include "app/serve/route_table.hpp"
#include "app/serve/traffic.hpp"

#include "app/file/sheaf_file.hpp"

#include "sheaf/engine.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace sheaf::app::serve {

class service_log;

/// Rules on who may ask, and from where.
struct access_rules {
  std::string token;                        ///< Empty for none.
  bool checks_host = true;                  ///< Refuses a Host that is not in `hosts`.
  std::vector<std::string> hosts;           ///< Names without a port.
  std::string cors_origin;                  ///< A page of this origin may ask; empty for none.
  bool is_private = false;                  ///< Only this machine's users can ask: they may know what a database said.
  bool shows_sql = false;                   ///< And the statements, and their plans.
  boost::asio::ssl::context* tls = nullptr; ///< Null for plain HTTP.
};

class service {
public:
  service(const sheaf_file& served, const std::vector<std::string>& shortcuts, engine& own, engine& shared,
          const service_limits& bounds, access_rules who, traffic& counts, activity& seen,
          std::shared_ptr<service_log> log);

  const sheaf_file& file;
  const route_table routes;
  engine& own_sessions;   ///< A session for each query.
  engine& shared_session; ///< One session for all, as `?session=shared` has it.
  const service_limits& limits;
  const access_rules rules;
  traffic& counts;
  stream_counts streams;
  activity& seen;
  const std::shared_ptr<service_log> log; ///< Null for none.
  http_metrics metrics;
  known_columns columns;
  const std::string catalogue; ///< JSON.

  /// The file as OpenAPI 3.1, with the columns that are known by now.
  std::string openapi() const;

  /// All metrics in Prometheus' text format.
  std::string metrics_text() const;

  /// The event that `/events` sends once a second, without the line ends around it.
  std::string event() const;

  /// The one that it sends in between while something runs.
  struct moment {
    std::string event;
    bool is_busy = false; ///< A request runs, or a session is not idle.
  };
  moment now() const;

private:
  mutable std::mutex openapi_mutex_;
  mutable std::string openapi_;
  mutable std::optional<std::uint64_t> openapi_version_; ///< The version of the columns that are in it.
};

/// The requests of the file, as the page wants them:
/// `{"file", "shows_sql", "requests": [{"name", "path", "about", "effect", "parameters", "queries"}]}`.
std::string make_catalogue(const sheaf_file& file, bool shows_sql);

/// The file as OpenAPI 3.1, with the columns that are known.
std::string make_openapi(const sheaf_file& file, const known_columns& columns, bool needs_token);

} // namespace sheaf::app::serve
