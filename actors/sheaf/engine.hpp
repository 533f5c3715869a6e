// SPDX-License-Identifier: BSD-3-Clause
//
// The front door: takes requests from any thread, answers each exactly once.

#pragma once

#include "sheaf/options.hpp"
#include "sheaf/pool_stats.hpp"
#include "sheaf/request.hpp"

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace caf {
class actor_system;
}

namespace sheaf {

class engine_core;
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

class engine {
public:
  /// Checks `how`, but opens no session yet: an unreachable server is the failure of the first request. Runs on an
  /// actor system of its own.
  static result<std::unique_ptr<engine>> create(options how);

  /// The same on the caller's actor system, which must outlive the engine.
  static result<std::unique_ptr<engine>> create(options how, caf::actor_system& system);

  /// Throws `sheaf::error`: for programs that may as well end when it fails.
  explicit engine(options how);
  explicit engine(std::string url) : engine(for_database(std::move(url))) {}

  /// Answers what is in flight with `pool_closed` and returns within a bounded time, also when a C++ task never
  /// returns.
  ~engine();

  engine(engine&&) noexcept; ///< Only to be returned or stored: a moved-from engine may only be destroyed.

  /// Runs the request and waits for its reply. Any thread but the engine's own loops, where it is refused with
  /// `invalid_request`. Never throws for what a database or a request did: see `reply::failure`.
  reply run(request given);

  /// Runs the request; `callback` is called exactly once, on one of the engine's loops: it must not block, and what it
  /// throws is logged and goes no further. Any thread; a request from a callback stays on that callback's loop. Gives
  /// the handle to cancel it by.
  request_handle run_async(request given, std::function<void(reply)> callback);

  /// Runs the request. Any thread.
  std::future<reply> run_future(request given);

  /// Calls `f` on each event loop, one after another and each time in the same order, with the Asio context that this
  /// loop runs from then on; returns when it has been called on all, and throws what `f` throws. For a service that has
  /// its sockets and timers on the engine's own threads, so that a request and its reply never change threads. A loop's
  /// context, and whatever is made on it, is for that loop's thread; all of it must be gone before the engine is
  /// destroyed. Code that runs there must not block; what it throws later on is logged and goes no further. Any thread
  /// but the engine's own loops.
  void run_on_each_loop(const std::function<void(boost::asio::io_context&)>& f);

  /// Any thread; each number is from a moment ago.
  std::vector<pool_stats> stats() const;

  /// All counts and times, in Prometheus' text format: names and buckets as OpenTelemetry has them for databases,
  /// `sheaf_…` where it has none. Any thread.
  std::string metrics_text() const;

private:
  friend class protocol_access;
  struct own_system;
  engine(std::unique_ptr<own_system> own, std::unique_ptr<engine_core> core);

  std::unique_ptr<own_system> own_system_; ///< Null on a caller's actor system.
  std::unique_ptr<engine_core> core_;
};

} // namespace sheaf
