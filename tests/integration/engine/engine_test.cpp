// SPDX-License-Identifier: BSD-3-Clause
//
// An engine's work on a request, on every kind of database: order, names, and the effect of one query's failure.

#include "support/database_under_test.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Engine : public AnyDatabase {};

SHEAF_ON_EVERY_DATABASE(Engine);

TEST_P(Engine, AnswersOneQuery) {
  start();
  const auto x = run(request_of({database->answers("one", 7)}));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  ASSERT_EQ(x.outcomes.size(), 1u);
  EXPECT_EQ(x["one"].table().get<int>(0, "n"), 7);
}

TEST_P(Engine, KeepsTheQueriesOrderWhateverOrderTheyEndIn) {
  start();
  std::vector<query> queries;
  for (int i = 0; i < 6; ++i)
    queries.push_back(database->in_turn(fmt::format("after {}", 5 - i), 5 - i)); // the last one ends first
  const auto x = run(request_of(std::move(queries)));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(x.outcomes[i].name, fmt::format("after {}", 5 - i));
}

TEST_P(Engine, FindsOutcomesByNameAndByPosition) {
  start();
  const auto x =
      run(request_of({database->answers("first", 1), database->answers("", 2), database->answers("third", 3)}));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(x.outcomes[1].name, "q2");
  EXPECT_EQ(number_in(x["third"]), 3);
  EXPECT_EQ(number_in(x["q2"]), 2);
  EXPECT_EQ(number_in(x[0]), 1);
  EXPECT_THROW(x["second"], error);
  EXPECT_THROW(x[3], error);
}

TEST_P(Engine, SaysWhenEachQueryPassedWhichPoint) {
  start();
  const auto x = run(request_of(3, [&](int i) { return database->answers(fmt::format("q{}", i + 1), i); }));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  for (const auto& o : x.outcomes) {
    EXPECT_LE(0ns, o.times.queued);
    EXPECT_LE(o.times.queued, o.times.acquired);
    EXPECT_LE(o.times.acquired, o.times.sent);
    EXPECT_LE(o.times.sent, o.times.first_row);
    EXPECT_LE(o.times.first_row, o.times.last_row);
    EXPECT_LE(o.times.last_row, o.times.released);
    EXPECT_LE(o.times.released, o.times.answered);
    EXPECT_LE(o.times.answered, x.elapsed);
  }
  EXPECT_GT(x.serial_sum(), 0ns);
  EXPECT_GT(x.overlap(), 0);
}

TEST_P(Engine, CancelsTheRestWhenOneQueryFails) {
  start();
  const auto x = run(request_of(
      {database->never_ends("a"), database->never_ends("b"), database->fails("culprit"), database->never_ends("c")}));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::rejected_sql) << to_string(*x.failure);
  EXPECT_EQ(x.failure->query, "culprit");
  ASSERT_EQ(x.outcomes.size(), 4u);
  for (const auto* name : {"a", "b", "c"}) {
    ASSERT_TRUE(x[name].error_info());
    EXPECT_EQ(x[name].error_info()->code, errc::query_canceled);
    EXPECT_EQ(x[name].error_info()->query, name);
    EXPECT_NE(x[name].error_info()->message.find("culprit"), std::string::npos);
  }
  EXPECT_EQ(x["culprit"].error_info()->code, errc::rejected_sql);
  EXPECT_TRUE(eventually([&] { return database->running() == 0; }));
  EXPECT_TRUE(run(request_of({database->answers("next", 1)})).ok());
}

TEST_P(Engine, DoesNotBeginWhatIsLeftWhenOneQueryFails) {
  start();
  auto asked = request_of({database->fails("culprit"), database->never_ends("not begun")});
  asked.width = 1;
  const auto x = run(std::move(asked));
  EXPECT_EQ(x["not begun"].error_info()->code, errc::query_canceled);
  EXPECT_EQ(x["not begun"].times.queued, query_times::not_reached);
  EXPECT_FALSE(x["not begun"].error_info()->reached_server);
}

TEST_P(Engine, GivesEachQueryItsOwnValueOrFailureUnderPartial) {
  start();
  auto broken = database->fails("broken");
  broken.required = false;
  const auto x = run(request_of({database->answers("one", 1), std::move(broken), database->answers("three", 3)},
                                error_policy::partial));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x["one"]), 1);
  EXPECT_EQ(number_in(x["three"]), 3);
  ASSERT_FALSE(x["broken"].ok());
  EXPECT_EQ(x["broken"].error_info()->code, errc::rejected_sql);
  EXPECT_EQ(x["broken"].error_info()->query, "broken");
  EXPECT_THROW(x["broken"].table(), error);
}

TEST_P(Engine, FailsAPartialRequestForARequiredQueryAndKeepsTheOthersRows) {
  start();
  const auto x = run(request_of({database->answers("one", 1), database->fails("needed"), database->answers("three", 3)},
                                error_policy::partial));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->query, "needed");
  EXPECT_EQ(x.failure->code, errc::rejected_sql);
  EXPECT_EQ(number_in(x["one"]), 1);
  EXPECT_EQ(number_in(x["three"]), 3);
}

TEST_P(Engine, RefusesWhatIsNoRequestAndSendsNothing) {
  start();
  const auto refused = [&](request asked) {
    const auto x = run(std::move(asked));
    EXPECT_TRUE(x.outcomes.empty());
    EXPECT_FALSE(x.ok());
    return x.failure.value_or(failure{});
  };
  auto f = refused(request_of({database->answers("twice", 1), database->answers("twice", 2)}));
  EXPECT_EQ(f.code, errc::invalid_request);
  EXPECT_EQ(f.query, "twice");

  f = refused(request_of({database->answers("good", 1), {"bad", " -- nothing"}}));
  EXPECT_EQ(f.code, errc::rejected_sql);
  EXPECT_EQ(f.query, "bad");

  auto elsewhere = database->answers("lost", 1);
  elsewhere.database = "elsewhere";
  f = refused(request_of({std::move(elsewhere)}));
  EXPECT_EQ(f.code, errc::invalid_request);
  EXPECT_EQ(f.query, "lost");
  EXPECT_NE(f.message.find("elsewhere"), std::string::npos);

  auto late = request_of({database->answers("x", 1)});
  late.deadline = -1s;
  EXPECT_EQ(refused(std::move(late)).code, errc::invalid_request);
  EXPECT_EQ(stats().total, 0u);
}

TEST_P(Engine, OpensNoSessionBeforeItIsNeeded) {
  start();
  EXPECT_EQ(database->sessions(), 0);
  run(request_of(2, [&](int) { return database->meets("", 2); }));
  EXPECT_EQ(stats().total, 2u);
}

TEST_P(Engine, CountsItsSessions) {
  start({.max_size = 3});
  auto endless = run_later(request_of({database->never_ends("")}));
  ASSERT_TRUE(eventually([&] { return database->running() == 1; }));
  EXPECT_TRUE(run(request_of(2, [&](int) { return database->meets("", 2); })).ok());
  // The last one is given back before its reply is joined.
  EXPECT_EQ(stats().active, 1u);
  EXPECT_EQ(stats().idle, 2u);
  EXPECT_EQ(stats().total, 3u);
  EXPECT_EQ(stats().waiting, 0u);
  engine.reset();
  EXPECT_EQ(endless.get().failure->code, errc::pool_closed);
}

TEST_P(Engine, RefusesAQueryWhenTheQueueIsFullAndGivesTheNumbers) {
  start({.max_size = 1, .max_queue_size = 2}, [](options& how) { how.width = 10; });
  auto asked = request_of(4, [&](int) { return database->never_ends(""); });
  asked.on_error = error_policy::partial;
  asked.deadline = 1s; // for those that have a place
  const auto x = run(std::move(asked));
  ASSERT_EQ(x.outcomes.size(), 4u);
  std::vector<failure> full;
  for (const auto& o : x.outcomes)
    if (o.error_info()->code == errc::pool_queue_full)
      full.push_back(*o.error_info());
  ASSERT_EQ(full.size(), 2u); // a session that is on its way is nobody's place yet
  EXPECT_EQ(full[0].phase, phase::queue);
  for (const auto* words : {"pool main", "of 1", "waiting 2", "pool.max_queue_size"})
    EXPECT_NE(full[0].message.find(words), std::string::npos) << full[0].message;
}

TEST_P(Engine, GivesUpWaitingForASessionAfterTheAcquireTimeoutAndGivesTheNumbers) {
  start_ready({.max_size = 1, .acquire_timeout = 100ms});
  auto holder = run_later(request_of({database->never_ends("")}));
  ASSERT_TRUE(eventually([&] { return database->running() == 1; }));
  const auto x = run(request_of({database->answers("late", 1)}));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::pool_timeout);
  EXPECT_EQ(x.failure->phase, phase::queue);
  EXPECT_FALSE(x.failure->reached_server);
  for (const auto* words : {"pool main", "100ms", "total 1 of 1", "active 1", "idle 0"})
    EXPECT_NE(x.failure->message.find(words), std::string::npos) << x.failure->message;
  engine.reset();
  holder.get();
}

} // namespace
