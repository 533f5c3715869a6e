// SPDX-License-Identifier: BSD-3-Clause
//
// What an engine's actors share: its options, its loops, and on each loop a share of every database's sessions.

#pragma once

#include "sheaf/blocking_executor.hpp"
#include "sheaf/engine_log.hpp"
#include "sheaf/options.hpp"
#include "sheaf/session_pool.hpp"

#include <boost/intrusive/list.hpp>

#include <caf/actor.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace sheaf {

struct checked_request;
struct stop;
class engine_core;

/// A request that is being answered; listed with its loop so that a closing engine can answer it.
class live_request
  : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  virtual void give_up(const stop& why) = 0;

protected:
  ~live_request() = default;
};

/// The way from a handle to its request.
struct request_link {
  std::weak_ptr<event_loop> loop;
  live_request* request = nullptr; ///< While it is being answered. On its loop only.
};

/// One loop with its share of the sessions. What is not the loop itself is touched on its thread only.
struct worker {
  worker(engine_core& core, std::size_t index);

  engine_core& core;
  std::shared_ptr<event_loop> loop;
  std::vector<std::unique_ptr<session_pool>> pools; ///< One per database.
  boost::intrusive::list<live_request, boost::intrusive::constant_time_size<false>> requests;
  outcome_histograms outcomes; ///< Of requests. Read from any thread.
  bool closing = false;
};

/// A reply to a request that was not run.
reply refusal(failure why);

class engine_core {
public:
  engine_core(options how, std::vector<std::unique_ptr<session_factory>> factories,
              std::unique_ptr<blocking_executor> blocking, caf::actor_system& system);

  /// Answers everything with `pool_closed`, ends the sessions, stops the loops. Bounded, see `close`.
  ~engine_core();

  const options& settings() const noexcept { return settings_; }
  session_factory& factory(std::size_t database) const noexcept { return *factories_[database]; }
  caf::actor_system& system() const noexcept { return system_; }
  const engine_log& log() const noexcept { return log_; }
  const std::vector<std::unique_ptr<worker>>& workers() const noexcept { return workers_; }

  /// Answers `what` by `callback`, once, on one of the loops. Any thread.
  std::shared_ptr<request_link> submit(request what, std::function<void(reply)> callback);

  /// The same, waiting for the reply; refused with `invalid_request` on a loop of ours. Any thread.
  reply run(request what);

  /// Checks a request: on the caller's thread, so that a large one costs the loops nothing.
  result<std::shared_ptr<const checked_request>> check(request what) const;

  /// The engine's front actor (protocol.hpp), made on first use. Any thread.
  struct front_actor {
    caf::actor handle;
    std::function<void()> detach; ///< Once it has returned, the actor does not come here any more.
  };
  caf::actor front(const std::function<front_actor()>& make);

  /// One database's sessions, all loops together. Any thread.
  pool_stats stats(std::size_t database) const;

  /// Where a request from the calling thread lives: on the loop that it comes from, else on the next one.
  worker& home() noexcept;
  /// The loop of ours that runs on the calling thread, or null.
  worker* here() const noexcept;

  /// Where a query of a request at `home` runs: at home if a session is free there, else where one is, else at home.
  worker& place(worker& home, std::size_t database) const noexcept;

private:
  void close();

  const options settings_;
  const engine_log log_{settings_.logger};
  const std::vector<std::unique_ptr<session_factory>> factories_;
  const std::unique_ptr<blocking_executor> blocking_; ///< Destroyed after the loops.
  caf::actor_system& system_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::atomic<std::size_t> next_home_ = 0;
  mutable std::atomic<std::uint64_t> last_id_ = 0; ///< Of requests without an id of the caller's.
  std::once_flag front_made_;
  front_actor front_;
};

} // namespace sheaf
