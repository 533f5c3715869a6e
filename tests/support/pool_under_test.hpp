// SPDX-License-Identifier: BSD-3-Clause
//
// A session pool over scripted sessions, on a loop of its own.

#pragma once

#include "sheaf/event_loop.hpp"
#include "sheaf/session_pool.hpp"
#include "support/scripted_session.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace sheaf::test {

class PoolTest : public ::testing::Test {
protected:
  PoolTest() { loop->start(); }
  ~PoolTest() override {
    if (pool)
      close();
    loop->stop();
  }

  /// Calls `f` on the loop, and waits for what it returns.
  template <class F>
  decltype(auto) on_loop(F f) {
    std::packaged_task<std::invoke_result_t<F&>()> task{std::move(f)};
    auto result = task.get_future();
    loop->post([&task] { task(); });
    return result.get();
  }

  /// Waits until the loop has done what has been posted to it, and what that has posted in turn.
  void settle() {
    for (int i = 0; i < 4; ++i)
      on_loop([] {});
  }

  void make(pool_options limits) {
    factory = script.make_factory();
    pool = std::make_unique<session_pool>(*loop, *factory, "books", limits);
  }

  /// Closes the pool and waits until all sessions are gone.
  void close() {
    std::promise<void> closed;
    on_loop([&] { pool->close([&] { closed.set_value(); }); });
    closed.get_future().wait();
    on_loop([&] { pool.reset(); });
  }

  std::shared_ptr<event_loop> loop = std::make_shared<event_loop>();
  scripted_database script;
  std::unique_ptr<session_factory> factory;
  std::unique_ptr<session_pool> pool;
};

} // namespace sheaf::test
