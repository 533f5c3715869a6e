// SPDX-License-Identifier: BSD-3-Clause
//
// That queries run at once, each on a session of its own, and never more of them than allowed. No clock is asked:
// queries that wait for one another end only if they run at the same time.

#include "sheaf/engine.hpp"
#include "support/database_under_test.hpp"
#include "support/postgresql_server.hpp"
#include "support/sqlite_functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace {

using namespace sheaf;
using namespace sheaf::test;

class FanOut : public AnyDatabase {
protected:
  /// The sessions that a request's queries report.
  static std::set<int> sessions_in(const reply& x) {
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
    std::set<int> sessions;
    for (const auto& o : x.outcomes)
      sessions.insert(number_in(o));
    return sessions;
  }
};

SHEAF_ON_EVERY_DATABASE(FanOut);

TEST_P(FanOut, RunsQueriesThatWaitForOneAnotherOnASessionEach) {
  start({.max_size = 8});
  const auto x = run(request_of(8, [&](int) { return database->meets("", 8); }));
  EXPECT_EQ(sessions_in(x).size(), 8u);
  EXPECT_EQ(most_at_once(x), 8);
}

TEST_P(FanOut, AnswersARequestOfNoQueriesWithNone) {
  start({.max_size = 1});
  for (const auto policy : {error_policy::fail, error_policy::partial, error_policy::first}) {
    request none;
    none.on_error = policy;
    const auto x = run(std::move(none));
    EXPECT_TRUE(x.ok());
    EXPECT_TRUE(x.outcomes.empty());
  }
}

TEST_P(FanOut, RunsQueriesOfSeveralRequestsAtOnce) {
  start({.max_size = 8});
  std::vector<std::future<reply>> replies;
  for (int i = 0; i < 4; ++i)
    replies.push_back(run_later(request_of(2, [&](int) { return database->meets("", 8); })));
  std::set<int> sessions;
  for (auto& x : replies)
    sessions.merge(sessions_in(x.get()));
  EXPECT_EQ(sessions.size(), 8u);
}

TEST_P(FanOut, GivesARequestTheSessionsOfAllLoops) {
  start({.max_size = 16}, [](options& how) { how.loops = 2; });
  const auto x = run(request_of(16, [&](int) { return database->meets("", 16); }));
  EXPECT_EQ(sessions_in(x).size(), 16u);
}

TEST_P(FanOut, GivesSeveralRequestsTheSessionsOfAllLoops) {
  start({.max_size = 16}, [](options& how) { how.loops = 2; });
  // Each alternates between the loops, wherever the last one left its sessions.
  for (int round = 0; round < 20; ++round)
    EXPECT_EQ(sessions_in(run(request_of(16, [&](int) { return database->meets("", 16); }))).size(), 16u);
  EXPECT_EQ(stats().total, 16u);
}

TEST_P(FanOut, ServesWhoWaitsOnTheFirstLoopThatHasASession) {
  start({.max_size = 2}, [](options& how) { how.loops = 2; });
  std::vector<request_handle> endless;
  std::vector<std::future<reply>> ended;
  for (int i = 0; i < 2; ++i) {
    auto over = std::make_shared<std::promise<reply>>();
    ended.push_back(over->get_future());
    endless.emplace_back(engine->submit(request_of({database->never_ends("endless")}),
                                        [over](reply x) { over->set_value(std::move(x)); }));
  }
  ASSERT_TRUE(eventually([&] { return database->running() == 2; }));
  std::vector<std::future<reply>> waiting; // on both loops
  for (int i = 0; i < 8; ++i)
    waiting.push_back(run_later(request_of({database->answers("q", i)})));
  ASSERT_TRUE(eventually([&] { return stats().waiting == 8; }));
  endless.front().cancel();
  for (auto& x : waiting)
    EXPECT_TRUE(x.get().ok());
  EXPECT_EQ(database->running(), 1);
  endless.back().cancel();
  for (auto& x : ended)
    EXPECT_EQ(x.get().failure->code, errc::query_canceled);
}

TEST_P(FanOut, RunsThemOneAfterAnotherOnASharedSession) {
  start({.max_size = 1});
  auto asked = request_of(5, [&](int i) { return database->in_turn("", i); });
  asked.width = 5;
  const auto x = run(std::move(asked));
  EXPECT_EQ(sessions_in(x).size(), 1u);
  EXPECT_EQ(most_at_once(x), 1);
  EXPECT_EQ(stats().total, 1u);
}

TEST_P(FanOut, RunsThemOneAfterAnotherAtWidthOne) {
  start({.max_size = 4});
  auto asked = request_of(5, [&](int i) { return database->in_turn("", i); });
  asked.width = 1;
  const auto x = run(std::move(asked));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(most_at_once(x), 1);
  if (is(database_kind::scripted)) {
    EXPECT_EQ(script_of(*database).now().most_running, 1);
  }
}

TEST_P(FanOut, RunsAsManyAtOnceAsItsWidthAndNeverMore) {
  start({.max_size = 10});
  auto asked = request_of(12, [&](int) { return database->meets("", 3); });
  asked.width = 3;
  const auto x = run(std::move(asked));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(most_at_once(x), 3);
  if (is(database_kind::scripted)) {
    EXPECT_EQ(script_of(*database).now().most_running, 3);
  }
}

TEST_P(FanOut, TakesTheEnginesWidthWhenTheRequestHasNone) {
  start({.max_size = 10}, [](options& how) { how.width = 2; });
  const auto x = run(request_of(8, [&](int) { return database->meets("", 2); }));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(most_at_once(x), 2);
}

TEST_P(FanOut, AnswersARequestOfMoreQueriesThanThereAreSessions) {
  start({.max_size = 4});
  for (const std::size_t width : {0, 40}) {
    auto asked = request_of(40, [&](int) { return database->meets("", 4); });
    asked.width = width;
    const auto x = run(std::move(asked));
    EXPECT_EQ(sessions_in(x).size(), 4u);
    EXPECT_EQ(most_at_once(x), 4);
  }
}

TEST_P(FanOut, AnswersTenThousandQueriesThroughAPoolOfFour) {
  start({.max_size = 4});
  auto asked = request_of(10'000, [&](int i) { return database->answers("", i); });
  asked.width = 10'000;
  const auto x = run(std::move(asked));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  ASSERT_EQ(x.outcomes.size(), 10'000u);
  for (int i = 0; i < 10'000; ++i)
    ASSERT_EQ(number_in(x[static_cast<std::size_t>(i)]), i);
  EXPECT_LE(most_at_once(x), 4);
  EXPECT_LE(stats().total, 4u);
}

TEST_P(FanOut, AnswersTwoHundredRequestsOfTwentyQueriesAtOnce) {
  start({.max_size = 10}, [](options& how) { how.loops = 2; });
  std::vector<std::future<reply>> replies;
  for (int r = 0; r < 200; ++r)
    replies.push_back(run_later(request_of(20, [&](int i) { return database->answers("", 20 * r + i); })));
  for (int r = 0; r < 200; ++r) {
    const auto x = replies[static_cast<std::size_t>(r)].get();
    ASSERT_TRUE(x.ok()) << to_string(*x.failure);
    for (int i = 0; i < 20; ++i)
      ASSERT_EQ(number_in(x[static_cast<std::size_t>(i)]), 20 * r + i);
  }
  EXPECT_LE(stats().total, 10u);
}

class TwoDatabases : public TidyTest {};

TEST_F(TwoDatabases, AnswerOneRequest) {
  postgresql_schema schema;
  temporary_folder folder;
  add_sqlite_functions();
  count_what_is_there();
  {
    auto how = for_database(schema.url());
    how.databases.push_back({.name = "local", .url = "sqlite:" + folder / "local.db?mode=rwc"});
    auto engine = std::move(sheaf::engine::create(how, system).value());
    auto asked = request_of(6, [](int i) {
      query q{"", i < 3 ? "select meet(3) as session, version() as database"
                        : "select meet(3) as session, sqlite_version() as database"};
      q.database = i < 3 ? "main" : "local";
      return q;
    });
    const auto x = engine->run(std::move(asked));
    ASSERT_TRUE(x.ok()) << to_string(*x.failure);
    for (std::size_t i = 0; i < 6; ++i)
      EXPECT_EQ(x[i].table().get<std::string>(0, "database").starts_with("PostgreSQL"), i < 3);
    ASSERT_EQ(engine->stats().size(), 2u);
    for (const auto& pool : engine->stats())
      EXPECT_EQ(pool.total, 3u) << pool.database;
  }
  expect_nothing_left();
}

/// The last query is of another database than those before it, which are more than theirs has sessions.
TEST_F(TwoDatabases, DoNotWaitForEachOther) {
  temporary_folder folder;
  add_sqlite_functions();
  count_what_is_there();
  {
    auto how = for_database("sqlite:" + folder / "main.db?mode=rwc", {.max_size = 2});
    how.databases.push_back(
        {.name = "local", .url = "sqlite:" + folder / "local.db?mode=rwc", .pool = {.max_size = 2}});
    auto engine = std::move(sheaf::engine::create(how, system).value());
    auto asked = request_of(7, [](int i) {
      query q{"", i < 2 || i == 6 ? "select meet(3) as n" : fmt::format("select {} as n", i)};
      q.database = i < 6 ? "main" : "local";
      return q;
    });
    const auto all = engine->run(asked);
    ASSERT_TRUE(all.ok()) << to_string(*all.failure);
    for (std::size_t i = 2; i < 6; ++i)
      EXPECT_EQ(number_in(all[i]), static_cast<std::int64_t>(i));

    asked.on_error = error_policy::first;
    for (int i = 0; i < 6; ++i)
      asked.queries[static_cast<std::size_t>(i)].statement = statement{
          "with recursive n(x) as (select 1 union all select x + 1 from n where endless(0)) select count(*) from n"};
    asked.queries[6].statement = statement{"select 7 as n"};
    const auto one = engine->run(asked);
    ASSERT_TRUE(one.ok()) << to_string(*one.failure);
    EXPECT_EQ(number_in(one[6]), 7);
    for (std::size_t i = 0; i < 6; ++i) {
      ASSERT_FALSE(one[i].ok());
      EXPECT_EQ(one[i].name, fmt::format("q{}", i + 1));
      EXPECT_EQ(one[i].error_info()->code, errc::query_canceled);
      if (i >= 2) {
        EXPECT_EQ(one[i].error_info()->phase, phase::queue) << "it has not begun";
      }
    }
  }
  expect_nothing_left();
}

} // namespace
