// SPDX-License-Identifier: BSD-3-Clause
//
// How a pool comes to its sessions, looks after them, and ends them.

#include "unit/session/pool_client.hpp"

#include "support/tidy_test.hpp"

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

using SessionPoolLifecycle = SessionPoolTest;

const failure refused{.code = errc::connect_failed, .phase = phase::connect, .message = "nobody at home"};

TEST_F(SessionPoolLifecycle, OpensNoMoreAtOnceThanTheConnectingLimit) {
  make({.max_size = 10, .connecting_limit = 2});
  script.hold_opening(true);
  for (int i = 0; i < 5; ++i)
    ask();
  EXPECT_EQ(script.now().opening_held, 2);
  EXPECT_EQ(pool->stats().connecting, 2u);
  script.let_in();
  settle();
  EXPECT_EQ(script.now().opening_held, 2);
  EXPECT_EQ(served.size(), 1u);
  script.hold_opening(false);
  while (script.now().opening_held > 0)
    script.let_in();
  settle();
  EXPECT_EQ(served.size(), 5u);
}

TEST_F(SessionPoolLifecycle, OpensNoSessionForWhomAnotherIsOnItsWay) {
  make({.max_size = 10, .connecting_limit = 10});
  script.hold_opening(true);
  ask();
  ask();
  EXPECT_EQ(script.now().opening_held, 2);
  script.let_in();
  script.let_in();
  settle();
  EXPECT_EQ(script.now().opened, 2);
}

TEST_F(SessionPoolLifecycle, ReplacesASessionThatComesBackBroken) {
  make({.max_size = 1});
  auto& holder = get();
  const int old = id(holder);
  auto& next = ask();
  run(holder, "break");
  give_back(holder);
  EXPECT_TRUE(next.held);
  EXPECT_NE(id(next), old);
  EXPECT_EQ(script.now().open, 1);
}

TEST_F(SessionPoolLifecycle, DropsASessionThatBreaksWhileIdle) {
  make({.max_size = 2});
  auto& c = get();
  const int old = id(c);
  give_back(c);
  on_loop([&] { script.break_idle(old); });
  EXPECT_EQ(pool->stats().total, 0u);
  EXPECT_EQ(script.now().open, 0);
  EXPECT_NE(id(get()), old);
}

TEST_F(SessionPoolLifecycle, RefusesAllWhenNoSessionCanBeOpened) {
  make({.max_size = 4, .connecting_limit = 2});
  script.hold_opening(true);
  auto &a = ask(), &b = ask(), &c = ask();
  script.let_in(refused);
  settle();
  EXPECT_FALSE(a.refusal) << "the other attempt may still serve it";
  script.let_in(refused);
  settle();
  for (auto* x : {&a, &b, &c}) {
    ASSERT_TRUE(x->refusal);
    EXPECT_EQ(x->refusal->code, errc::connect_failed);
    EXPECT_EQ(x->refusal->message, "nobody at home");
  }
}

TEST_F(SessionPoolLifecycle, RefusesAtOnceWhileTheServerHasJustRefused) {
  make({.max_size = 4});
  script.hold_opening(true);
  int refusals = 0;
  auto& first = ask();
  on_loop([&] {
    first.then = [&] { // in the very turn in which the server refused
      for (int i = 0; i < 100; ++i) {
        client late{served};
        const auto got = pool->acquire(late, priority::normal);
        refusals += got.has_error() && got.error().code == errc::connect_failed;
      }
    };
  });
  script.let_in(refused);
  settle();
  EXPECT_EQ(refusals, 100);
  EXPECT_EQ(script.now().opening_held, 0);
}

TEST_F(SessionPoolLifecycle, TriesAgainAfterAWhile) {
  make({.max_size = 4});
  script.refuse_sessions(refused);
  ask();
  settle();
  script.refuse_sessions({});
  auto* c = &ask();
  for (settle(); !c->held; settle()) // for as long as the server is left alone
    c = &ask();
  EXPECT_EQ(script.now().open, 1);
}

TEST_F(SessionPoolLifecycle, LetsWaitersWaitForTheSessionsThatThereAreWhenNoMoreCanBeOpened) {
  make({.max_size = 4});
  auto& holder = get();
  script.refuse_sessions(refused);
  auto &a = ask(), &b = ask();
  settle();
  EXPECT_FALSE(a.refusal);
  EXPECT_FALSE(b.refusal);
  give_back(holder);
  EXPECT_TRUE(a.held);
  give_back(a);
  EXPECT_TRUE(b.held);
}

TEST_F(SessionPoolLifecycle, KeepsASessionThatNobodyWaitsForAnyMore) {
  make({.max_size = 4});
  script.hold_opening(true);
  ask();
  on_loop([&] { clients.clear(); });
  script.let_in();
  settle();
  EXPECT_EQ(pool->stats().idle, 1u);
  EXPECT_TRUE(ask().held);
}

TEST_F(SessionPoolLifecycle, EndsSessionsThatNobodyNeeds) {
  make({.max_size = 3, .idle_timeout = std::chrono::milliseconds{20}});
  auto &a = get(), &b = get();
  give_back(a);
  EXPECT_TRUE(eventually([&] { return pool->stats().total == 1; }));
  EXPECT_EQ(pool->stats().active, 1u) << "one that is used is not idle";
  give_back(b);
  EXPECT_TRUE(eventually([&] { return pool->stats().total == 0 && script.now().open == 0; }));
  EXPECT_TRUE(get().held);
}

TEST_F(SessionPoolLifecycle, KeepsItsLeastSessionsWarm) {
  make({.max_size = 3, .min_size = 2, .idle_timeout = std::chrono::milliseconds{10}});
  EXPECT_EQ(script.now().opened, 0);
  on_loop([&] { pool->warm_up(); });
  EXPECT_TRUE(eventually([&] { return pool->stats().idle == 2; }));
  auto &a = get(), &b = get(), &c = get();
  give_back(a);
  give_back(b);
  give_back(c);
  EXPECT_TRUE(eventually([&] { return pool->stats().total == 2; }));
  EXPECT_EQ(script.now().opened, 3);
  on_loop([&] { script.break_idle(1); });
  EXPECT_TRUE(eventually([&] { return pool->stats().idle == 2 && script.now().opened >= 3; }));
}

TEST_F(SessionPoolLifecycle, ComesToItsLeastSessionsWhenTheServerDoes) {
  make({.max_size = 3, .min_size = 2, .idle_timeout = std::chrono::milliseconds{10}});
  script.refuse_sessions(failure{.code = errc::connect_failed, .message = "not yet"});
  on_loop([&] { pool->warm_up(); });
  EXPECT_TRUE(eventually([&] { return script.now().opened == 0 && pool->stats().connecting == 0; }));
  script.refuse_sessions({});
  EXPECT_TRUE(eventually([&] { return pool->stats().idle == 2; }));
}

TEST_F(SessionPoolLifecycle, ReplacesSessionsThatHaveLivedLongEnough) {
  make({.max_size = 1, .min_size = 1, .max_lifetime = std::chrono::milliseconds{30}});
  on_loop([&] { pool->warm_up(); });
  EXPECT_TRUE(eventually([&] { return script.now().opened >= 3; }));
  EXPECT_EQ(script.now().most_open, 1);
  auto& a = get();
  EXPECT_TRUE(a.held) << "one that is used is left alone";
}

/// SOCI may hang while it opens a session, where nothing bounds it.
TEST_F(SessionPoolLifecycle, DoesNotWaitForASessionThatTakesTooLongToOpen) {
  make({.max_size = 2, .connecting_limit = 1});
  script.hold_opening(true);
  script.open_timeout(1ms);
  auto& first = ask();
  EXPECT_TRUE(eventually([&] { return on_loop([&] { return first.refusal.has_value(); }); }));
  EXPECT_EQ(first.refusal->code, errc::connect_failed);
  EXPECT_EQ(pool->stats().connecting, 0u);
  EXPECT_EQ(pool->places(), 0) << "while the server refuses, nobody counts on it";
  EXPECT_TRUE(eventually([&] { return pool->places() == 1; })) << "its place is kept";
  script.hold_opening(false);
  client* second = nullptr;
  EXPECT_TRUE(eventually([&] {
    second = &ask();
    return !second->refusal;
  }));
  settle();
  EXPECT_TRUE(second->held) << "others may be opened";
  EXPECT_FALSE(ask().held);
  settle();
  EXPECT_EQ(script.now().opened, 1) << "two in all, with the one that may still come";
  script.let_in();
  settle();
  EXPECT_EQ(pool->stats().total, 2u) << "it is welcome, late as it is";
}

TEST_F(SessionPoolLifecycle, ChecksIdleSessionsAndKeepsThem) {
  make({.max_size = 2, .keepalive_interval = 5ms});
  give_back(get());
  EXPECT_TRUE(eventually([&] { return pool->stats().checks >= 3; }));
  EXPECT_EQ(script.now().opened, 1);
  EXPECT_EQ(pool->stats().idle, 1u) << "one that is being checked is idle too";
  EXPECT_EQ(pool->stats().cancelling, 0u);
}

TEST_F(SessionPoolLifecycle, HasAStaleSessionCheckedBeforeItIsUsed) {
  make({.max_size = 2, .keepalive_interval = 5ms});
  script.ignore_checks(true);
  give_back(get());
  EXPECT_TRUE(eventually([&] { return pool->stats().checks == 1; }));
  auto& waiting = ask();
  settle();
  EXPECT_FALSE(waiting.held);
  EXPECT_EQ(script.now().opened, 1) << "the one that is checked is on its way";
  auto& another = ask();
  settle();
  EXPECT_TRUE(waiting.held || another.held) << "there is one more place";
  script.ignore_checks(false);
  settle();
  EXPECT_TRUE(waiting.held && another.held);
  EXPECT_EQ(script.now().opened, 2);
}

TEST_F(SessionPoolLifecycle, DoesWithoutASessionThatGivesNoSignOfLife) {
  make({.max_size = 1, .keepalive_interval = 5ms});
  script.ignore_checks(true);
  script.hold_cancels(true);
  give_back(get());
  EXPECT_TRUE(eventually([&] { return pool->stats().cancelling == 1; }));
  auto& waiting = ask();
  settle();
  EXPECT_FALSE(waiting.held) << "its place is taken until it is gone";
  script.spoil_cancelled(1);
  script.confirm_cancel();
  settle();
  EXPECT_TRUE(waiting.held);
  EXPECT_EQ(id(waiting), 2);
  EXPECT_EQ(pool->stats().lost, 1u);
}

TEST_F(SessionPoolLifecycle, ReportsASessionThatIsOutForLongOnce) {
  make({.max_size = 2, .leak_detection_threshold = 10ms});
  get();
  EXPECT_TRUE(eventually([&] { return pool->stats().leaks == 1; }));
  get();
  EXPECT_TRUE(eventually([&] { return lines.count("session_leak pool=books session=2 query=client ms=") == 1; }));
  EXPECT_EQ(lines.count("warning event=session_leak pool=books session=1 query=client ms="), 1u) << lines.text();
  EXPECT_EQ(pool->stats().leaks, 2u);
}

TEST_F(SessionPoolLifecycle, SaysOnceThatTheDatabaseIsAwayAndOnceThatItIsBack) {
  make({.max_size = 2, .min_size = 1, .idle_timeout = 10ms});
  script.refuse_sessions(refused);
  on_loop([&] { pool->warm_up(); });
  EXPECT_TRUE(eventually([&] { return pool->stats().open_failures >= 2; }));
  script.refuse_sessions({});
  EXPECT_TRUE(eventually([&] { return pool->stats().idle == 1; }));
  EXPECT_EQ(lines.count("warning event=database_unreachable pool=books phase=connect code=connect_failed "
                        "message=\"nobody at home\"\n"),
            1u)
      << lines.text();
  EXPECT_EQ(lines.count("info event=database_reached pool=books\n"), 1u) << lines.text(); // before it was idle
}

TEST_F(SessionPoolLifecycle, ThatClosesRefusesWhoWaitsAndWhoComes) {
  make({.max_size = 1});
  auto &holder = get(), &waiting = ask();
  bool closed = false;
  on_loop([&] { pool->close([&] { closed = true; }); });
  ASSERT_TRUE(waiting.refusal);
  EXPECT_EQ(waiting.refusal->code, errc::pool_closed);
  EXPECT_EQ(ask().refusal->code, errc::pool_closed);
  EXPECT_FALSE(closed) << "a session is still out";
  give_back(holder);
  EXPECT_TRUE(closed);
  EXPECT_EQ(script.now().open, 0);
  on_loop([&] { pool.reset(); });
}

TEST_F(SessionPoolLifecycle, ThatClosesWaitsForSessionsOnTheirWayAndForCancels) {
  make({.max_size = 3});
  auto &cancelled = get(), &idle = get();
  run(cancelled, "never");
  give_back(idle);
  script.hold_cancels(true);
  script.hold_opening(true);
  cancel(cancelled);
  ask();
  ask(); // takes more than the idle one
  bool closed = false;
  on_loop([&] {
    clients.clear(); // gives back the idle one
    pool->close([&] { closed = true; });
  });
  EXPECT_FALSE(closed);
  script.let_in();
  settle();
  EXPECT_FALSE(closed);
  script.confirm_cancel();
  settle();
  EXPECT_TRUE(closed);
  EXPECT_EQ(script.now().open, 0);
  on_loop([&] { pool.reset(); });
}

} // namespace
