// SPDX-License-Identifier: BSD-3-Clause
//
// A session pool over scripted sessions, on a loop of its own.

#pragma once

#include "sheaf/session/session_pool.hpp"
#include "sheaf/telemetry/engine_log.hpp"
#include "support/captured_log.hpp"
#include "support/loop_test.hpp"
#include "support/scripted_session.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace sheaf::test {

class PoolTest : public LoopTest {
protected:
  ~PoolTest() override {
    if (pool)
      close();
  }

  /// Waits until the loop has done what has been posted to it, and what that has posted in turn.
  void settle() {
    for (int i = 0; i < 4; ++i)
      on_loop([] {});
  }

  void make(pool_options limits) {
    factory = script.make_factory();
    pool = std::make_unique<session_pool>(*loop, *factory, log, "books", limits);
  }

  /// Closes the pool and waits until all sessions are gone.
  void close() {
    std::promise<void> closed;
    on_loop([&] { pool->close([&] { closed.set_value(); }); });
    closed.get_future().wait();
    on_loop([&] { pool.reset(); });
  }

  scripted_database script;
  captured_log lines;
  const engine_log log{lines.logger};
  std::unique_ptr<session_factory> factory;
  std::unique_ptr<session_pool> pool;
};

} // namespace sheaf::test
