// SPDX-License-Identifier: BSD-3-Clause
//
// Deadlines and time-outs: the phase that used them up is known, and everything goes on afterwards.

#include "sheaf/engine.hpp"
#include "support/database_under_test.hpp"
#include "support/silent_server.hpp"

#include <fmt/format.h>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Deadline : public AnyDatabase {
protected:
  /// The engine serves, and the database has nothing left to do.
  void expect_recovery() {
    EXPECT_TRUE(eventually([&] { return stats().cancelling == 0; }));
    EXPECT_EQ(database->running(), 0);
    const auto x = run(request_of(3, [&](int) { return database->meets("", 3); }));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
    EXPECT_EQ(stats().active, 0u);
    EXPECT_EQ(stats().waiting, 0u);
  }
};

SHEAF_ON_EVERY_DATABASE(Deadline);

TEST_P(Deadline, EndsAQueryThatRuns) {
  start_ready({.max_size = 3});
  auto asked = request_of({database->never_ends("endless")});
  asked.deadline = 200ms;
  const auto x = run(std::move(asked));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::deadline_exceeded);
  EXPECT_EQ(x.failure->phase, phase::execute);
  EXPECT_TRUE(x.failure->reached_server);
  ASSERT_TRUE(x["endless"].error_info());
  EXPECT_EQ(x["endless"].error_info()->code, errc::deadline_exceeded);
  EXPECT_EQ(x["endless"].error_info()->phase, phase::execute);
  EXPECT_TRUE(x["endless"].error_info()->reached_server);
  EXPECT_GE(x.elapsed, 200ms);
  EXPECT_GE(x["endless"].times.answered, 200ms) << "the caller has waited for it, whatever the database does";
  EXPECT_GE(x.serial_sum(), 200ms - x["endless"].times.acquired);
  expect_recovery();
}

TEST_P(Deadline, EndsAQueryInTheQueue) {
  start_ready({.max_size = 1}, [](options& how) { how.width = 2; });
  auto holder = run_later(request_of({database->never_ends("")}));
  ASSERT_TRUE(eventually([&] { return database->running() == 1; }));
  auto asked = request_of({database->answers("waits", 1)});
  asked.deadline = 100ms;
  const auto x = run(std::move(asked));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::deadline_exceeded);
  EXPECT_EQ(x.failure->phase, phase::queue);
  EXPECT_FALSE(x.failure->reached_server);
  EXPECT_EQ(x["waits"].error_info()->phase, phase::queue);
  EXPECT_TRUE(safe_to_retry(*x["waits"].error_info()));
  EXPECT_EQ(x["waits"].times.acquired, query_times::not_reached);
  EXPECT_GE(x["waits"].times.answered, 100ms);
  EXPECT_EQ(stats().waiting, 0u);
  engine.reset();
  holder.get();
}

TEST_P(Deadline, KeepsTheRowsThatCameInTime) {
  start_ready({.max_size = 3});
  for (const auto policy : {error_policy::fail, error_policy::partial}) {
    auto asked = request_of({database->answers("quick", 1), database->never_ends("endless")}, policy);
    asked.deadline = 2s;
    const auto x = run(std::move(asked));
    ASSERT_FALSE(x.ok());
    EXPECT_EQ(x.failure->code, errc::deadline_exceeded);
    EXPECT_EQ(number_in(x["quick"]), 1);
    EXPECT_EQ(x["endless"].error_info()->code, errc::deadline_exceeded);
  }
  expect_recovery();
}

TEST_P(Deadline, FailsARequestUnderPartialForItsRequiredQueriesAlone) {
  start_ready({.max_size = 3});
  for (const bool required : {false, true}) {
    auto endless = database->never_ends("endless"), next = database->answers("next", 1);
    endless.required = required;
    next.required = false;
    auto asked = request_of({database->answers("quick", 1), endless, next}, error_policy::partial);
    asked.width = 1;
    asked.deadline = 2s;
    const auto x = run(std::move(asked));
    EXPECT_EQ(x.ok(), !required);
    EXPECT_EQ(number_in(x["quick"]), 1);
    for (const auto* late : {"endless", "next"}) {
      ASSERT_TRUE(x[late].error_info());
      EXPECT_EQ(x[late].error_info()->code, errc::deadline_exceeded);
    }
    EXPECT_EQ(x["endless"].error_info()->phase, phase::execute);
    EXPECT_EQ(x["endless"].error_info()->query, "endless");
  }
  expect_recovery();
}

TEST_P(Deadline, IsTheEnginesWhenTheRequestHasNone) {
  start_ready({.max_size = 3}, [](options& how) { how.deadline = 200ms; });
  EXPECT_EQ(run(request_of({database->never_ends("")})).failure->code, errc::deadline_exceeded);
  expect_recovery();
}

TEST_P(Deadline, ThatHasPassedAlreadyAnswersAtOnce) {
  start();
  auto asked = request_of({database->never_ends("")});
  asked.deadline = 0s;
  const auto x = run(std::move(asked));
  EXPECT_EQ(x.failure->code, errc::deadline_exceeded);
  expect_recovery();
}

TEST_P(Deadline, OfAQueryEndsThatQueryAlone) {
  start_ready({.max_size = 3});
  auto endless = database->never_ends("endless");
  endless.timeout = 100ms;
  endless.required = false;
  const auto x = run(request_of({database->answers("quick", 1), std::move(endless)}, error_policy::partial));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x["quick"]), 1);
  ASSERT_TRUE(x["endless"].error_info());
  EXPECT_EQ(x["endless"].error_info()->code, errc::deadline_exceeded);
  EXPECT_EQ(x["endless"].error_info()->phase, phase::execute);
  EXPECT_EQ(x["endless"].error_info()->query, "endless");
  expect_recovery();
}

TEST_P(Deadline, OfAQueryFailsItsRequestUnderFail) {
  start_ready({.max_size = 3});
  auto endless = database->never_ends("endless");
  endless.timeout = 100ms;
  const auto x = run(request_of({database->never_ends("other"), std::move(endless)}));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::deadline_exceeded);
  EXPECT_EQ(x.failure->query, "endless");
  EXPECT_EQ(x["other"].error_info()->code, errc::query_canceled);
  expect_recovery();
}

TEST_P(Deadline, OfAQueryIsNotLaterThanTheRequests) {
  start();
  auto endless = database->never_ends("endless");
  endless.timeout = 24h;
  auto asked = request_of({std::move(endless)});
  asked.deadline = 100ms;
  EXPECT_EQ(run(std::move(asked)).failure->code, errc::deadline_exceeded);
}

TEST_P(Deadline, LeavesThePoolWholeHoweverOftenItPasses) {
  start_ready({.max_size = 3, .max_queue_size = 100});
  for (int i = 0; i < 20; ++i) {
    auto asked = request_of(6, [&](int) { return database->never_ends(""); });
    asked.width = 6;
    asked.deadline = 10ms * (i % 4);
    const auto code = run(std::move(asked)).failure->code;
    EXPECT_TRUE(code == errc::deadline_exceeded || code == errc::overloaded) << "once it is known how long they take";
  }
  expect_recovery();
  EXPECT_LE(stats().total, 3u);
}

class ConnectDeadline : public TidyTest {};

TEST_F(ConnectDeadline, EndsAQueryWhoseServerNeverAnswers) {
  count_what_is_there();
  {
    silent_server server;
    engine e{std::move(*engine::create(for_database(server.url()), system).value())};
    auto asked = request_of({{"q", "select 1"}});
    asked.deadline = 200ms;
    const auto x = e.run(std::move(asked));
    ASSERT_FALSE(x.ok());
    EXPECT_EQ(x.failure->code, errc::deadline_exceeded);
    EXPECT_EQ(x.failure->phase, phase::connect);
    ASSERT_TRUE(x["q"].error_info());
    EXPECT_EQ(x["q"].error_info()->phase, phase::connect);
    EXPECT_FALSE(x["q"].error_info()->reached_server);
    server.hang_up(); // or the engine would have to wait for the attempt that is under way
  }
  expect_nothing_left();
}

TEST(ScriptedConnectDeadline, LetsTheSessionJoinThePoolWhenItIsThereAtLast) {
  // On a scripted database alone: no other can be told when a session is there.
  scripted_database script;
  script.hold_opening(true);
  caf::actor_system_config config;
  caf::actor_system system{config};
  const auto engine = std::move(engine_core::create(script.engine_options(), system).value());
  auto asked = request_of({{"q", "answer 1"}});
  asked.deadline = 50ms;
  const auto x = engine->run(std::move(asked));
  EXPECT_EQ(x["q"].error_info()->phase, phase::connect);
  script.let_in();
  EXPECT_TRUE(engine->run(request_of({{"q", "answer 1"}})).ok());
  EXPECT_EQ(script.now().opened, 1);
}

} // namespace
