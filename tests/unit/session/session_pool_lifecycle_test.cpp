// SPDX-License-Identifier: BSD-3-Clause
//
// A pool opens its sessions, looks after them, and ends them.

#include "support/counting.hpp"
#include "unit/session/pool_client.hpp"

#include <atomic>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

using SessionPoolLifecycle = SessionPoolTest;

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

/// A resolver of names may hang, and nothing stops it.
TEST_F(SessionPoolLifecycle, ThatClosesDoesNotWaitForEverForASessionOnItsWay) {
  make({.max_size = 1});
  script.hold_opening(true);
  ask();
  std::atomic<bool> closed = false;
  on_loop([&] {
    clients.clear();
    pool->close([&] { closed = true; });
  });
  EXPECT_TRUE(eventually([&] { return closed.load(); }));
  script.let_in(); // too late: it is ended at once
  settle();
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
