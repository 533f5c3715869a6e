// SPDX-License-Identifier: BSD-3-Clause
//
// One state of the sheaf file being served: its engines, and on each loop the part that accepts and answers. A reload
// makes a new one beside it. Main thread.

#pragma once

#include "app/serve/http_loop.hpp"
#include "app/serve/service.hpp"
#include "app/serve/service_log.hpp"

#include "app/file/sheaf_file.hpp"

#include "sheaf/clock.hpp"

#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace sheaf::app::serve {

/// The settings that stay the same over reloads.
struct serve_setup {
  service_limits limits;
  access_rules rules;                 ///< Its `tls` is of the generation.
  std::string tls_cert, tls_key;      ///< Files; both empty for plain HTTP.
  std::vector<std::string> shortcuts; ///< See `route_table`.
  std::size_t loops = 0;              ///< 0 for one for each core, at most four and not more than a pool has sessions.
  std::shared_ptr<service_log> log;   ///< Of requests; null for none.
  std::shared_ptr<spdlog::logger> events; ///< Of the service and its engines.
};

class generation {
public:
  /// Accepts on copies of `listener`. Writes to the eventfd `wake` when it is over. Ends the command when the engine or
  /// TLS cannot be made.
  generation(const serve_setup& how, sheaf_file file, int listener, handover& way, traffic& counts, activity& seen,
             int wake);

  /// Stops at once, as `stop` does; waits until it is over.
  ~generation();
  generation(const generation&) = delete;
  generation& operator=(const generation&) = delete;

  /// Its loops, to take the connections of an earlier generation.
  std::vector<client_taker*> loops() const;

  /// Accepts no more, answers the running requests, and passes idle connections on. `stop` may still follow.
  void retire();

  /// Accepts no more, closes idle connections, answers the running requests; those not answered by `deadline` are cut
  /// off. A second call may set an earlier deadline.
  void stop(clock::time_point deadline);

  bool is_over() const noexcept { return busy_loops_.load() == 0; }

private:
  const sheaf_file file_;
  std::unique_ptr<boost::asio::ssl::context> tls_;
  std::unique_ptr<engine> own_sessions_, shared_session_;
  std::unique_ptr<service> service_;
  std::atomic<std::size_t> busy_loops_{0};
  std::vector<std::unique_ptr<http_loop>> loops_;
};

} // namespace sheaf::app::serve
