// SPDX-License-Identifier: BSD-3-Clause
//
// The base of every test of an engine: whatever the test did, no actor and no descriptor is left behind afterwards.

#pragma once

#include "support/counting.hpp"

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <gtest/gtest.h>

namespace sheaf::test {

class TidyTest : public ::testing::Test {
protected:
  /// Called after everything of the derived class that stays open for the whole test.
  void count_what_is_there() {
    descriptors_ = open_descriptors();
    actors_ = system.registry().running();
  }

  /// Called after the engine. Nothing is waited for: once an engine is destroyed, all of it is gone.
  void expect_nothing_left() {
    EXPECT_EQ(open_descriptors(), descriptors_);
    EXPECT_EQ(system.registry().running(), actors_);
  }

  caf::actor_system_config config;
  caf::actor_system system{config};

  /// For a test that has left a thread behind on purpose: true once that has ended, and nothing is left.
  bool eventually_tidy() {
    return eventually([&] { return open_descriptors() == descriptors_ && system.registry().running() == actors_; });
  }

private:
  std::size_t descriptors_ = 0, actors_ = 0;
};

} // namespace sheaf::test
