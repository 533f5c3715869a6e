// SPDX-License-Identifier: BSD-3-Clause
//
// The base of tests of objects that live on an event loop: one that runs, and calls to it that wait.

#pragma once

#include "sheaf/loop/event_loop.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <type_traits>
#include <utility>

namespace sheaf::test {

class LoopTest : public ::testing::Test {
protected:
  LoopTest() { loop->start(); }
  ~LoopTest() override { loop->stop(); }

  /// Calls `f` on the loop, and waits for what it returns.
  template <class F>
  decltype(auto) on_loop(F f) {
    std::packaged_task<std::invoke_result_t<F&>()> task{std::move(f)};
    auto result = task.get_future();
    loop->post([&task] { task(); });
    return result.get();
  }

  std::shared_ptr<event_loop> loop = std::make_shared<event_loop>();
};

} // namespace sheaf::test
