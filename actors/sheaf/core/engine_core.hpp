// SPDX-License-Identifier: BSD-3-Clause
//
// The inside of the public engine: takes requests from any thread onto its loops, and closes them.

#pragma once

#include "sheaf/base/inherited.hpp"
#include "sheaf/core/blocking_wait.hpp"
#include "sheaf/core/engine_loops.hpp"
#include "sheaf/loop/blocking_executor.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace sheaf {

/// A reply to a request that was not run.
reply refusal(failure why);

class engine_core {
public:
  /// Checks `how`, and finds each database's kind, but opens no session yet.
  static result<std::unique_ptr<engine_core>> create(options how, caf::actor_system& system);

  /// Answers everything with `pool_closed`, ends the sessions, stops the loops. Bounded, see `close`. Not on a loop of
  /// its own, nor in a C++ task of its own.
  ~engine_core();

  const engine_loops& loops() const noexcept { return loops_; }
  caf::actor_system& system() const noexcept { return system_; }
  const std::shared_ptr<engine_waits>& waits() const noexcept { return waits_; }

  /// Answers `given` by `callback`, once, on one of the loops. Any thread. A request is checked on the caller's thread,
  /// so that a large one costs the loops nothing.
  std::shared_ptr<request_link> submit(request given, std::function<void(reply)> callback);

  /// The same, waiting for the reply; refused with `invalid_request` where that could never come (blocking_wait.hpp).
  /// Any thread.
  reply run(request given);

  /// The engine's front actor (protocol.hpp), made on first use. Any thread.
  struct front_actor {
    caf::actor handle;
    std::function<void()> end; ///< Ends it. Once this has returned, the actor does not come here any more.
  };
  const caf::actor& front(const std::function<front_actor()>& make);

  /// This is a child process, and the engine its parent's: it has no thread here.
  bool is_inherited() const noexcept { return born_ != forks(); }

  /// In a child: closes the engine's descriptors, which leaves the parent's as they are. Nothing else may be done with
  /// it then, and it may not be destroyed.
  void abandon() noexcept;

private:
  struct system_end;
  class watch_of_system;

  engine_core(options how, std::vector<engine_database> databases, std::unique_ptr<blocking_executor> blocking,
              caf::actor_system& system);

  void close(const early_end& why);

  const unsigned born_ = forks();
  const std::unique_ptr<blocking_executor> blocking_; ///< Destroyed after the loops.
  engine_loops loops_;
  const std::shared_ptr<engine_waits> waits_;
  std::vector<dialect> dialects_; ///< Of the databases, by position.
  caf::actor_system& system_;     ///< Gone once `system_end` has come.
  const std::shared_ptr<system_end> end_of_system_;
  std::atomic<std::uint64_t> last_id_ = 0; ///< The number in the last id that a request got which had none.
  std::once_flag front_made_;
  front_actor front_;
};

} // namespace sheaf
