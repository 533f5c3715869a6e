// SPDX-License-Identifier: BSD-3-Clause
//
// Ends of a request other than its queries' own: enough of them have answered, or the caller does not want it any more.

#include "sheaf/clock.hpp"
#include "sheaf/engine.hpp"
#include "support/database_under_test.hpp"

#include <gmock/gmock.h>

#include <chrono>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using testing::HasSubstr;

class Policy : public AnyDatabase {
protected:
  request first_of(std::size_t k, std::vector<query> queries) const {
    auto asked = request_of(std::move(queries), error_policy::first);
    asked.first = k;
    return asked;
  }

  /// Nothing runs any more, and all sessions serve.
  void expect_recovery() {
    EXPECT_TRUE(eventually([&] { return database->running() == 0 && stats().cancelling == 0; }));
    EXPECT_TRUE(run(request_of(4, [&](int) { return database->meets("", 4); })).ok());
    EXPECT_EQ(stats().total, 4u);
  }
};

SHEAF_ON_EVERY_DATABASE(Policy);

TEST_P(Policy, FirstAnswersWithTheFirstSuccessAndStopsTheRest) {
  start({.max_size = 4});
  const auto x = run(first_of(1, {database->never_ends("a"), database->answers("b", 2), database->never_ends("c")}));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x["b"]), 2);
  EXPECT_EQ(x["a"].error_info()->code, errc::query_canceled);
  EXPECT_THAT(x["c"].error_info()->message, HasSubstr("enough"));
  expect_recovery();
}

TEST_P(Policy, FirstTakesAsManyAsItIsTold) {
  start({.max_size = 4});
  const auto x = run(first_of(2, {database->answers("a", 1), database->never_ends("b"), database->answers("c", 3)}));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x["a"]), 1);
  EXPECT_EQ(number_in(x["c"]), 3);
  expect_recovery();
}

TEST_P(Policy, FirstBearsFailuresUntilTooManyHaveFailed) {
  start({.max_size = 4});
  EXPECT_TRUE(run(first_of(1, {database->fails("a"), database->fails("b"), database->answers("c", 3)})).ok());
  const auto x = run(first_of(2, {database->fails("a"), database->fails("b"), database->never_ends("c")}));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::rejected_sql);
  EXPECT_EQ(x["c"].error_info()->code, errc::query_canceled);
  expect_recovery();
}

TEST_P(Policy, FirstOfMoreThanThereAreIsRefused) {
  start();
  for (const std::size_t k : {0u, 3u})
    EXPECT_EQ(run(first_of(k, {database->answers("a", 1), database->answers("b", 2)})).failure.value().code,
              errc::invalid_request);
}

TEST_P(Policy, ACancelledRequestIsAnsweredAndItsStatementsAreStopped) {
  start({.max_size = 4});
  std::promise<reply> answered;
  const request_handle handle{engine->submit(request_of({database->never_ends("a"), database->never_ends("b")}),
                                             [&](reply x) { answered.set_value(std::move(x)); })};
  EXPECT_TRUE(eventually([&] { return database->running() == 2; }));
  handle.cancel();
  handle.cancel();
  const auto x = answered.get_future().get();
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::query_canceled);
  EXPECT_EQ(x["a"].error_info()->code, errc::query_canceled);
  handle.cancel();
  expect_recovery();
  handle.cancel();
  engine.reset();
  handle.cancel(); // nobody is there to hear it
}

/// Who cancels a request ends all of it, as a deadline does not.
TEST_P(Policy, ACancelledRequestHasFailedWhateverItRequires) {
  start({.max_size = 4});
  auto endless = database->never_ends("a");
  endless.required = false;
  std::promise<reply> answered;
  const request_handle handle{engine->submit(request_of({std::move(endless)}, error_policy::partial),
                                             [&](reply x) { answered.set_value(std::move(x)); })};
  EXPECT_TRUE(eventually([&] { return database->running() == 1; }));
  handle.cancel();
  const auto x = answered.get_future().get();
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::query_canceled);
  expect_recovery();
}

TEST_P(Policy, ACancelAtAnyMomentCostsOneReplyAndNoSession) {
  start({.max_size = 4}, [](options& how) { how.loops = 2; });
  for (int i = 0; i < 500; ++i) {
    std::promise<reply> answered;
    const request_handle handle{engine->submit(request_of({database->answers("a", i), database->answers("b", i)}),
                                               [&](reply x) { answered.set_value(std::move(x)); })};
    for (const auto moment = clock::now() + std::chrono::microseconds{10} * (i % 50); clock::now() < moment;) {
    }
    handle.cancel();
    const auto x = answered.get_future().get();
    for (const auto& o : x.outcomes)
      if (o.ok()) {
        EXPECT_EQ(number_in(o), i);
      } else {
        EXPECT_EQ(o.error_info()->code, errc::query_canceled);
      }
  }
  expect_recovery();
}

class PolicyOfTwoLoops : public Policy {
protected:
  /// Two queries, each on a loop of its own, and a request that is cancelled while the second's success is on its way
  /// to the first's loop: that loop hears of the cancel first.
  reply cancelled_meanwhile(error_policy how) {
    auto& script = script_of(*database);
    start_ready({.max_size = 2}, [](options& all) { all.loops = 2; });
    auto asked = request_of({{"here", "hold"}, {"there", "hold"}}, how);
    std::promise<reply> answered;
    const auto link = engine->submit(std::move(asked), [&](reply x) { answered.set_value(std::move(x)); });
    EXPECT_TRUE(eventually([&] { return script.now().running == 2; }));
    std::promise<void> stands, goes_on;
    const auto home = link->loop.lock();
    home->post([&] {
      stands.set_value();
      goes_on.get_future().wait();
    });
    stands.get_future().wait();
    request_handle{link}.cancel();
    script.release("there");
    EXPECT_TRUE(eventually([&] { return script.now().running == 1; }));
    goes_on.set_value();
    return answered.get_future().get();
  }

  void expect_rest() {
    EXPECT_TRUE(eventually([&] { return database->running() == 0 && stats().idle == 2; }));
  }
};

INSTANTIATE_TEST_SUITE_P(Databases, PolicyOfTwoLoops, testing::Values(database_kind::scripted), name_of);

TEST_P(PolicyOfTwoLoops, FirstCountsASuccessThatComesAfterTheCancel) {
  const auto x = cancelled_meanwhile(error_policy::first);
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_TRUE(x["there"].ok());
  EXPECT_EQ(x["here"].error_info()->code, errc::query_canceled);
  expect_rest();
}

TEST_P(PolicyOfTwoLoops, FailTakesAllSuccesses) {
  const auto x = cancelled_meanwhile(error_policy::fail);
  EXPECT_EQ(x.failure.value_or(failure{}).code, errc::query_canceled);
  EXPECT_TRUE(x["there"].ok());
  EXPECT_TRUE(x.failure->may_have_effect) << "for this database `hold` is no query";
  expect_rest();
}

TEST_P(Policy, ADeadlineSaysHowLongEachPhaseTook) {
  start({.max_size = 1});
  ASSERT_TRUE(run(request_of({database->answers("", 1)})).ok()); // opening a session may take longer than the deadline
  auto asked = request_of({database->never_ends("a")});
  asked.deadline = std::chrono::milliseconds{200};
  const auto x = run(std::move(asked));
  EXPECT_THAT(x.failure.value().message,
              testing::ContainsRegex("after [0-9]+ms \\(queue [0-9]+ms, execute [0-9]+ms\\)"));
  EXPECT_EQ(x.failure->message, x["a"].error_info()->message);
}

} // namespace
