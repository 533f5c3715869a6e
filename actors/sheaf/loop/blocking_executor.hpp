// SPDX-License-Identifier: BSD-3-Clause
//
// Threads for work that can only block: opening sessions, SQLite, C++ tasks, PQcancel.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace sheaf {

/// Runs each job on a thread of its own for as long as it takes; threads start when needed, up to `threads_max`, and
/// are used again. Jobs beyond that wait in order.
///
/// Not asio::thread_pool: that one starts all its threads at once and waits without limit for jobs when it is
/// destroyed; a C++ task that never returns must not keep an engine from closing.
class blocking_executor {
public:
  /// A thread without a job ends after `idle_timeout`.
  explicit blocking_executor(std::size_t threads_max, std::chrono::nanoseconds idle_timeout = std::chrono::seconds{10});

  /// Jobs that have not begun are dropped (destroyed here, without being run), and jobs that run get a second to end.
  /// All threads are joined then, but for those that are still in a job: such a thread is left behind, and ends after
  /// its job. So a job must own, or share, whatever it touches.
  ~blocking_executor();

  blocking_executor(const blocking_executor&) = delete;
  blocking_executor& operator=(const blocking_executor&) = delete;

  /// Any thread, also from a job. `job` should not throw: nobody hears of it. Destroyed on the thread that ran it,
  /// before that takes another one.
  void run(std::function<void()> job);

private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

} // namespace sheaf
