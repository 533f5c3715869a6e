// SPDX-License-Identifier: BSD-3-Clause
//
// Clients that run a scenario's steps again and again, on the engine's own event loops: a client needs no thread and
// no lock. The public functions are for the main thread.

#pragma once

#include "app/load/load_record.hpp"
#include "app/scenario/scenario_client.hpp"

#include "sheaf/clock.hpp"
#include "sheaf/engine.hpp"

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace sheaf::app {

struct load_plan {
  const sheaf_file& file;
  const scenario_spec& scenario;
  const variables& given;
  std::uint64_t seed = 0;
  std::size_t clients = 1;
  std::optional<double> rate; ///< Iterations a second, begun by free clients; without it each begins again at once.
  bool both_ways = false;     ///< Each client runs every second iteration with the queries of each request in turn.
};

class load_generator {
public:
  /// The engine and what the plan refers to outlive the generator, which does nothing yet.
  load_generator(engine& on, load_plan plan);

  /// Begins no more, cancels the running requests and waits for them, which the engine answers in bounded time.
  ~load_generator();

  load_generator(const load_generator&) = delete;
  load_generator& operator=(const load_generator&) = delete;

  void start();

  /// Iterations that begin from now on, for this long, count, and none after them. Under a rate, those count that are
  /// due in that time: 8 s at 1000/s are 8,000 of them, whatever begins late.
  /// Gives the end of that time. Once.
  clock::time_point measure(std::chrono::nanoseconds length);

  void stop();   ///< The measurement is over: no iteration begins any more, and none goes on with another request.
  void cancel(); ///< Running requests are stopped on the server.

  /// Written to when all has been answered after `stop`. For poll().
  int idle_fd() const noexcept { return idle_fd_; }

  /// The counts so far; those of iterations whose queries ran in turn are the second's.
  load_record record();
  load_record record_in_turn();

  /// The answers since the last call of this function; `latency` is without what failed at once.
  struct recent {
    histogram latency;
    std::uint64_t errors = 0; ///< Failures of both kinds.
  };
  recent take_recent();

  /// Ends the command if a client could not make its request.
  void check() const;

private:
  class lane;
  class client;

  template <class F>
  void on_each_lane(F f);
  clock::time_point due(std::size_t iteration) const noexcept;
  void one_less_busy() noexcept;
  void fail(std::exception_ptr why) noexcept;
  bool is_over() const noexcept { return stopped_ || has_failed_; } ///< Nothing begins any more.

  engine& engine_;
  const load_plan plan_;
  int idle_fd_ = -1;
  std::vector<std::unique_ptr<lane>> lanes_; ///< One for each event loop, used there alone.
  std::optional<clock::time_point> began_;   ///< Set before the lanes start.
  std::atomic<bool> stopped_ = false, has_failed_ = false;
  std::atomic<std::size_t> busy_ = 0; ///< Iterations that run, and one more until `stop`.
  mutable std::mutex mutex_;          ///< Guards what follows.
  std::exception_ptr failed_;
};

} // namespace sheaf::app
