// SPDX-License-Identifier: BSD-3-Clause
//
// The front door: takes requests from any thread, answers each exactly once. What threads, static storage, fork() and
// other actor systems may do is on one page: docs/lifetimes.md.

#pragma once

#include "sheaf/options.hpp"
#include "sheaf/pool_stats.hpp"
#include "sheaf/request.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace caf {
class actor_system;
}

namespace sheaf {

class engine_core;
struct engine_loop;
class engine_waits;
struct request_link;

/// A request that was sent. A copy is the same request; it may outlive the engine.
class request_handle {
public:
  request_handle() noexcept = default;
  explicit request_handle(std::shared_ptr<request_link> link) noexcept : link_(std::move(link)) {}

  /// Gives the request up: running queries are stopped on the server, the others do not begin, and the reply's failure
  /// is `query_canceled`, unless all is answered already. Returns at once; any thread, any number of times.
  void cancel() const;

private:
  std::shared_ptr<request_link> link_;
};

/// The reply to come, as a `std::future` that finds waits which could never end: on one of the engine's own loops, and
/// in a C++ task where each session of its database is held by a task that waits. Moved into a `std::future` it does
/// not.
class reply_future : public std::future<reply> {
public:
  reply_future() noexcept = default;
  reply_future(std::future<reply> plain, std::shared_ptr<engine_waits> waits, std::uint64_t databases) noexcept
    : std::future<reply>(std::move(plain)), waits_(std::move(waits)), databases_(databases) {}

  /// Waits for the reply, and gives it, once. Where it could never come the reply that is given is refused with
  /// `invalid_request`, and the other one is still to be had elsewhere.
  reply get();

  /// Throws `sheaf::error` (`invalid_request`) where it could never end.
  void wait() const;

  /// As `std::future` has it. Throws like `wait` on a loop, but not for a time that has passed already.
  template <class Rep, class Period>
  std::future_status wait_for(const std::chrono::duration<Rep, Period>& time) const {
    if (time > time.zero())
      check_loop();
    return std::future<reply>::wait_for(time);
  }
  template <class Clock, class Duration>
  std::future_status wait_until(const std::chrono::time_point<Clock, Duration>& time) const {
    return wait_for(time - Clock::now());
  }

private:
  void check_loop() const;
  bool is_ready() const { return std::future<reply>::wait_for(std::chrono::seconds{0}) == std::future_status::ready; }

  std::shared_ptr<engine_waits> waits_; ///< Null for one that was refused.
  std::uint64_t databases_ = 0;
};

/// Made, moved, assigned and destroyed on any thread, static storage included. What is called on an engine that was
/// moved from, or in a child process on the parent's, is refused: `run` and `run_future` answer with `invalid_request`,
/// all else throws it as `sheaf::error`.
class engine {
public:
  /// Checks `how`, but opens no session yet: an unreachable server is the failure of the first request. Runs on an
  /// actor system of its own.
  static result<std::unique_ptr<engine>> create(options how);

  /// The same on the caller's actor system. Where that ends first, it closes the engine, which answers all that comes
  /// later with `pool_closed`.
  static result<std::unique_ptr<engine>> create(options how, caf::actor_system& system);

  /// Throws `sheaf::error`: for programs that may as well end when it fails.
  explicit engine(options how);
  explicit engine(std::string url) : engine(for_database(std::move(url))) {}

  /// Answers what is in flight with `pool_closed` and returns within a bounded time, also when a C++ task never
  /// returns. In a callback or a C++ task of any engine it returns at once, and the rest happens on another thread, for
  /// which the actor system's end and the program's wait. In a child process it closes the descriptors, and says
  /// nothing to the servers, whose sessions are the parent's.
  ~engine();

  engine(engine&& from) noexcept;
  engine& operator=(engine&& from) noexcept; ///< Ends what was here, as the destructor does.

  /// Runs the request and waits for its reply. Any thread but the engine's own loops, where it is refused with
  /// `invalid_request`; so it is in a C++ task where each session of its database is held by a task that waits for
  /// another one. Never throws for what a database or a request did: see `reply::failure`.
  reply run(request given);

  /// Runs the request; `callback` is called exactly once, on one of the engine's loops: it must not block, and what it
  /// throws is logged and goes no further. An empty one is refused by `sheaf::error`. Any thread; a request from a
  /// callback stays on that callback's loop. Gives the handle to cancel it by.
  request_handle run_async(request given, std::function<void(reply)> callback);

  /// Runs the request. Any thread.
  reply_future run_future(request given);

  /// Calls `f` on each event loop, one after another and each time in the same order, with the Asio context that this
  /// loop runs from then on; returns when it has been called on all, and throws what `f` throws. For a service that has
  /// its sockets and timers on the engine's own threads, so that a request and its reply never change threads. A loop's
  /// context, and whatever is made on it, is for that loop's thread; all of it must be gone before the engine is
  /// destroyed. Code that runs there must not block; what it throws later on is logged and goes no further. Any thread
  /// but the engine's own loops, where it throws `sheaf::error` (`invalid_request`).
  void run_on_each_loop(const std::function<void(boost::asio::io_context&)>& f);

  /// Any thread; each number is from a moment ago.
  std::vector<pool_stats> stats() const;

  /// The latest times of the statements, by database: of each the `most` that took most of its time, in that order. Any
  /// thread; each number is from a moment ago.
  std::vector<statement_stats> statements(std::size_t most = SIZE_MAX) const;

  /// All counts and times, in Prometheus' text format: names and buckets as OpenTelemetry has them for databases,
  /// `sheaf_…` where it has none. Any thread.
  std::string metrics_text() const;

private:
  friend class protocol_access;
  struct own_system;
  engine(std::unique_ptr<own_system> own, std::unique_ptr<engine_core> core);

  std::optional<failure> unusable() const;
  engine_core& core() const;
  void end() noexcept;

  std::unique_ptr<own_system> own_system_; ///< Null on a caller's actor system.
  std::unique_ptr<engine_core> core_;      ///< Null once moved from.
};

} // namespace sheaf
