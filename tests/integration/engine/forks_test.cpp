// SPDX-License-Identifier: BSD-3-Clause
//
// A child process that an engine's process has forked: it has the engine, and none of its threads.

#include "integration/engine/lifetime.hpp"
#include "sheaf/protocol.hpp"
#include "support/meeting.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <thread>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Forks : public LifetimeTest {
protected:
  /// Runs `f` in a child process. What it returns is the exit code.
  template <class F>
  static int in_a_child(F f) {
    const auto child = ::fork();
    if (child == 0) {
      ::alarm(watchdog_seconds);
      const int code = f();
      ::_exit(::testing::Test::HasFailure() ? 99 : code);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
};

SHEAF_ON_EVERY_SQL_DATABASE(Forks);

TEST_P(Forks, LeaveTheChildAnEngineThatRefusesAllAndEndsInSilence) {
  engine e{database->engine_options({.max_size = 3})};
  const auto door = actor_of(e);
  EXPECT_TRUE(e.run(request_of(3, [&](int) { return database->meets("", 3); })).ok());
  auto runs = e.run_async(endless(), [](const reply&) {});
  ASSERT_TRUE(eventually([&] { return database->running() == 1; }));
  const auto opened = e.stats().front().opened;
  EXPECT_EQ(in_a_child([&] {
              expect_all_calls_refused(e);
              runs.cancel();
              e.~engine();
              const auto left = GetParam() == database_kind::postgresql ? open_descriptors() - descriptors : 0;
              return static_cast<int>(left);
            }),
            0);
  EXPECT_EQ(database->running(), 1);
  runs.cancel();
  const auto x = e.run(request_of(3, [&](int) { return database->meets("", 3); }));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(e.stats().front().lost, 0u);
  EXPECT_EQ(e.stats().front().opened, opened);
}

TEST_P(Forks, LetTheChildHaveAnEngineOfItsOwn) {
  engine e{database->engine_options()};
  EXPECT_TRUE(e.run(one()).ok());
  EXPECT_EQ(in_a_child([&] {
              engine own{database->engine_options()};
              return own.run(one()).ok() ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(e.run(one()).ok());
  EXPECT_EQ(e.stats().front().lost, 0u);
}

/// As above, but in a child, so that its exit code can be looked at.
TEST_P(Forks, EndWithAProgramThatExitsInACallback) {
  EXPECT_EQ(in_a_child([&]() -> int {
              static engine own{database->engine_options()};
              own.run_async(one(), [](const reply&) { std::exit(7); });
              for (;;)
                ::pause();
            }),
            7);
}

TEST_P(Forks, OnALoopLeaveTheChildTheSame) {
  engine e{database->engine_options({.max_size = 1})};
  std::promise<int> done;
  e.run_async(one(), [&](const reply&) {
    done.set_value(in_a_child([&] {
      expect_all_calls_refused(e);
      e.~engine();
      return 0;
    }));
  });
  EXPECT_EQ(done.get_future().get(), 0);
  EXPECT_TRUE(e.run(one()).ok());
  EXPECT_EQ(e.stats().front().lost, 0u);
}

} // namespace
