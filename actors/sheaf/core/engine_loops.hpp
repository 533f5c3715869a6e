// SPDX-License-Identifier: BSD-3-Clause
//
// An engine's loops, each with its share of every database's sessions, and what the actors on them share.

#pragma once

#include "sheaf/backend.hpp"
#include "sheaf/core/admission.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/loop/event_loop.hpp"
#include "sheaf/options.hpp"
#include "sheaf/pool_stats.hpp"
#include "sheaf/session/session_pool.hpp"
#include "sheaf/telemetry/engine_log.hpp"
#include "sheaf/telemetry/metrics.hpp"

#include <boost/intrusive/list.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace sheaf {

class engine_loops;

/// A request that is being answered; listed with its loop so that a closing engine can answer it.
class live_request
  : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  virtual void give_up(const early_end& why) = 0;

protected:
  ~live_request() = default;
};

/// The way from a handle to its request.
struct request_link {
  std::weak_ptr<event_loop> loop;
  live_request* request = nullptr; ///< While it is being answered. On its loop only.
};

/// Answers the request of `link` with `why`, unless it is answered already; nothing for a null one. Any thread.
void end_request(const std::shared_ptr<request_link>& link, early_end why);

/// One loop with its share of the sessions. All but the loop itself is touched on its thread only.
struct engine_loop {
  engine_loop(engine_loops& all, std::size_t index);

  engine_loops& all;
  std::shared_ptr<event_loop> loop;
  std::vector<std::unique_ptr<session_pool>> pools; ///< One per database.
  sheaf::admission admission;
  boost::intrusive::list<live_request, boost::intrusive::constant_time_size<false>> requests;
  outcome_histograms outcomes;      ///< Of the requests that lived here. Read from any thread.
  std::optional<early_end> closing; ///< The answer to all requests, once set.
};

/// A database's kind, and what opens its sessions.
struct engine_database {
  const backend* kind = nullptr;
  std::unique_ptr<session_factory> factory;
};

class engine_loops {
public:
  /// `databases` are those of `how`, in its order.
  engine_loops(options how, std::vector<engine_database> databases);

  /// Starts the threads, and opens the sessions that are always to be there.
  void start();

  const options& settings() const noexcept { return settings_; }
  const engine_log& log() const noexcept { return log_; }
  const engine_database& database(std::size_t i) const noexcept { return databases_[i]; }
  const std::vector<std::unique_ptr<engine_loop>>& each() const noexcept { return loops_; }

  /// One database's sessions, all loops together. Any thread.
  pool_stats stats(std::size_t database) const;

  /// The statements of one database, all loops together, those `most` that took most of its time. Any thread.
  std::vector<statement_stats> statements(std::size_t database, std::size_t most) const;

  /// The loop of ours that runs on the calling thread, or null.
  engine_loop* here() const noexcept;
  /// The loop for a request from the calling thread: the one that it comes from, else the next one.
  engine_loop& home() noexcept;

  /// The loop for a query of a request at `home`: home if a session is at rest there, else where one is, else where
  /// one may be opened, else at home.
  engine_loop& place(engine_loop& home, std::size_t database) const noexcept;

private:
  const options settings_;
  const engine_log log_{settings_.logger};
  const std::vector<engine_database> databases_;
  std::vector<std::unique_ptr<engine_loop>> loops_;
  std::atomic<std::size_t> next_home_ = 0;
};

} // namespace sheaf
