// SPDX-License-Identifier: BSD-3-Clause
//
// Who gets the next session, one rule at a time.

#include "support/counting.hpp"
#include "support/pool_under_test.hpp"

#include <list>
#include <string>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

/// Waits for a session, and notes what it hears and in which order the waiters hear.
struct client final : session_waiter {
  explicit client(std::vector<client*>& order) : order(order) {}

  void on_lease(lease got) override {
    held = std::move(got);
    order.push_back(this);
  }
  void on_refused(failure why) override {
    refusal = std::move(why);
    order.push_back(this);
    if (then)
      then();
  }

  std::vector<client*>& order;
  lease held;
  std::optional<failure> refusal;
  std::function<void()> then; ///< Called when it is refused.
};

class SessionPool : public PoolTest {
protected:
  ~SessionPool() override {
    on_loop([this] { clients.clear(); });
  }

  /// Asks for a session as a client of its own.
  client& ask(priority rank = priority::normal) {
    return on_loop([&]() -> client& {
      auto& c = clients.emplace_back(served);
      auto got = pool->acquire(c, rank);
      if (got.has_error())
        c.refusal = std::move(got).error();
      else
        c.held = std::move(*got);
      return c;
    });
  }

  /// Asks, and waits for the session that is opened.
  client& get() {
    auto& c = ask();
    settle();
    EXPECT_TRUE(c.held);
    return c;
  }

  void give_back(client& c) {
    on_loop([&] { c.held.give_back(); });
    settle();
  }
  void cancel(client& c) {
    on_loop([&] { c.held.cancel(); });
    settle();
  }
  void run(client& c, const char* script_text) {
    struct nobody final : session_listener {
      void on_answer(answer&&, const moments&) override {}
    };
    static nobody listener;
    on_loop([&] {
      auto q = std::make_shared<query>("q", statement{script_text});
      c.held->execute({.what = q.get(), .text = q->statement.parse(dialect::sqlite, {}).get(), .keep_alive = q},
                      listener);
    });
    settle();
  }
  int id(client& c) {
    return on_loop([&] { return c.held ? c.held->id() : 0; });
  }

  std::vector<client*> served;
  std::list<client> clients;
};

const failure refused{.code = errc::connect_failed, .phase = phase::connect, .message = "nobody at home"};

TEST_F(SessionPool, OpensASessionWhenOneIsAskedFor) {
  make({.max_size = 4});
  EXPECT_EQ(script.now().opened, 0);
  auto& c = get();
  EXPECT_EQ(script.now().opened, 1);
  EXPECT_EQ(pool->stats().total, 1u);
  EXPECT_EQ(pool->stats().active, 1u);
  give_back(c);
  EXPECT_EQ(pool->stats().idle, 1u);
  EXPECT_EQ(pool->stats().active, 0u);
}

TEST_F(SessionPool, GivesAnIdleSessionAtOnceTheLastOneUsedFirst) {
  make({.max_size = 2});
  auto &a = get(), &b = get();
  const int first = id(a), second = id(b);
  give_back(a);
  give_back(b);
  EXPECT_EQ(id(ask()), second);
  EXPECT_EQ(id(ask()), first);
  EXPECT_EQ(script.now().opened, 2);
}

TEST_F(SessionPool, OpensNoMoreThanMaxSize) {
  make({.max_size = 3, .connecting_limit = 10});
  for (int i = 0; i < 8; ++i)
    ask();
  settle();
  EXPECT_EQ(served.size(), 3u);
  EXPECT_EQ(script.now().opened, 3);
  EXPECT_EQ(pool->stats().waiting, 5u);
}

TEST_F(SessionPool, OpensNoMoreAtOnceThanTheConnectingLimit) {
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

TEST_F(SessionPool, OpensNoSessionForWhomAnotherIsOnItsWay) {
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

TEST_F(SessionPool, GivesASessionToTheOldestWaiter) {
  make({.max_size = 1});
  auto& holder = get();
  auto &a = ask(), &b = ask(), &c = ask();
  give_back(holder);
  EXPECT_TRUE(a.held);
  give_back(a);
  EXPECT_TRUE(b.held);
  give_back(b);
  EXPECT_TRUE(c.held);
}

TEST_F(SessionPool, ServesAHigherPriorityFirst) {
  make({.max_size = 1});
  auto* last = &get();
  auto &low = ask(priority::low), &normal = ask(), &high = ask(priority::high), &higher = ask(priority::high);
  for (auto* next : {&high, &higher, &normal, &low}) {
    give_back(*last);
    EXPECT_TRUE(next->held);
    last = next;
  }
}

TEST_F(SessionPool, GivesALowPriorityItsTurnHoweverManyHigherOnesWait) {
  make({.max_size = 1, .max_queue_size = 1000});
  auto* last = &get();
  auto& low = ask(priority::low);
  for (int i = 0; i < 100; ++i)
    ask(priority::high);
  int turns = 0;
  while (!low.held) {
    ASSERT_LT(turns, 20);
    ++turns;
    give_back(*last);
    last = served.back();
  }
}

TEST_F(SessionPool, ForgetsAWaiterThatIsGone) {
  make({.max_size = 1});
  auto& holder = get();
  ask();
  auto& b = ask();
  on_loop([&] { clients.erase(std::next(clients.begin())); });
  EXPECT_EQ(pool->stats().waiting, 1u);
  give_back(holder);
  EXPECT_TRUE(b.held);
}

TEST_F(SessionPool, RefusesWhoComesToAFullQueueAndGivesTheNumbers) {
  make({.max_size = 1, .max_queue_size = 2});
  get();
  ask();
  ask();
  auto& late = ask();
  ASSERT_TRUE(late.refusal);
  EXPECT_EQ(late.refusal->code, errc::pool_queue_full);
  EXPECT_EQ(late.refusal->phase, phase::queue);
  EXPECT_TRUE(safe_to_retry(*late.refusal));
  for (const auto* words :
       {"pool books", "total 1 of 1", "active 1", "idle 0", "waiting 2", "connecting 0", "pool.max_queue_size"})
    EXPECT_NE(late.refusal->message.find(words), std::string::npos) << late.refusal->message;
}

TEST_F(SessionPool, RefusesWhoWaitsLongerThanTheAcquireTimeout) {
  make({.max_size = 1, .acquire_timeout = 30ms});
  get();
  const auto since = clock::now();
  auto &a = ask(), &b = ask(priority::low);
  ASSERT_TRUE(eventually([&] { return pool->stats().waiting == 0; }));
  EXPECT_GE(clock::now() - since, 30ms);
  settle();
  for (auto* c : {&a, &b}) {
    ASSERT_TRUE(c->refusal);
    EXPECT_EQ(c->refusal->code, errc::pool_timeout);
    for (const auto* words : {"pool books", "30ms", "total 1 of 1", "active 1", "pool.max_size"})
      EXPECT_NE(c->refusal->message.find(words), std::string::npos) << c->refusal->message;
  }
}

TEST_F(SessionPool, ReplacesASessionThatComesBackBroken) {
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

TEST_F(SessionPool, DropsASessionThatBreaksWhileIdle) {
  make({.max_size = 2});
  auto& c = get();
  const int old = id(c);
  give_back(c);
  on_loop([&] { script.break_idle(old); });
  EXPECT_EQ(pool->stats().total, 0u);
  EXPECT_EQ(script.now().open, 0);
  EXPECT_NE(id(get()), old);
}

TEST_F(SessionPool, GivesACancelledSessionToNobodyBeforeThatIsConfirmed) {
  make({.max_size = 1});
  auto& holder = get();
  auto& next = ask();
  run(holder, "never");
  script.hold_cancels(true);
  cancel(holder);
  EXPECT_FALSE(holder.held);
  EXPECT_FALSE(next.held);
  EXPECT_EQ(pool->stats().cancelling, 1u);
  EXPECT_EQ(pool->stats().active, 0u);
  EXPECT_EQ(script.now().opened, 1) << "a session that is being cancelled counts against max_size";
  script.confirm_cancel();
  settle();
  EXPECT_TRUE(next.held);
  EXPECT_EQ(pool->stats().cancelling, 0u);
}

TEST_F(SessionPool, RefusesAllWhenNoSessionCanBeOpened) {
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

TEST_F(SessionPool, RefusesAtOnceWhileTheServerHasJustRefused) {
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

TEST_F(SessionPool, TriesAgainAfterAWhile) {
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

TEST_F(SessionPool, LetsWaitersWaitForTheSessionsThatThereAreWhenNoMoreCanBeOpened) {
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

TEST_F(SessionPool, KeepsASessionThatNobodyWaitsForAnyMore) {
  make({.max_size = 4});
  script.hold_opening(true);
  ask();
  on_loop([&] { clients.clear(); });
  script.let_in();
  settle();
  EXPECT_EQ(pool->stats().idle, 1u);
  EXPECT_TRUE(ask().held);
}

TEST_F(SessionPool, EndsSessionsThatNobodyNeeds) {
  make({.max_size = 3, .idle_timeout = std::chrono::milliseconds{20}});
  auto &a = get(), &b = get();
  give_back(a);
  EXPECT_TRUE(eventually([&] { return pool->stats().total == 1; }));
  EXPECT_EQ(pool->stats().active, 1u) << "one that is used is not idle";
  give_back(b);
  EXPECT_TRUE(eventually([&] { return pool->stats().total == 0 && script.now().open == 0; }));
  EXPECT_TRUE(get().held);
}

TEST_F(SessionPool, KeepsItsLeastSessionsWarm) {
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

TEST_F(SessionPool, ComesToItsLeastSessionsWhenTheServerDoes) {
  make({.max_size = 3, .min_size = 2, .idle_timeout = std::chrono::milliseconds{10}});
  script.refuse_sessions(failure{.code = errc::connect_failed, .message = "not yet"});
  on_loop([&] { pool->warm_up(); });
  EXPECT_TRUE(eventually([&] { return script.now().opened == 0 && pool->stats().connecting == 0; }));
  script.refuse_sessions({});
  EXPECT_TRUE(eventually([&] { return pool->stats().idle == 2; }));
}

TEST_F(SessionPool, ReplacesSessionsThatHaveLivedLongEnough) {
  make({.max_size = 1, .min_size = 1, .max_lifetime = std::chrono::milliseconds{30}});
  on_loop([&] { pool->warm_up(); });
  EXPECT_TRUE(eventually([&] { return script.now().opened >= 3; }));
  EXPECT_EQ(script.now().most_open, 1);
  auto& a = get();
  EXPECT_TRUE(a.held) << "one that is used is left alone";
}

TEST_F(SessionPool, TellsOtherLoopsHowManyPlacesItHas) {
  make({.max_size = 3});
  EXPECT_EQ(pool->places(), 3);
  auto &a = get(), &b = get();
  EXPECT_EQ(pool->places(), 1);
  pool->reserve(); // on its way
  EXPECT_EQ(pool->places(), 0);
  client late{served};
  on_loop([&] {
    pool->arrived();
    static_cast<void>(pool->acquire(late, priority::normal));
  });
  settle();
  EXPECT_EQ(pool->places(), 0);
  ask();
  EXPECT_EQ(pool->places(), 0);
  on_loop([&] { clients.pop_back(); });
  give_back(a);
  give_back(b);
  on_loop([&] { late.held.give_back(); });
  EXPECT_EQ(pool->places(), 3);
}

TEST_F(SessionPool, ThatClosesRefusesWhoWaitsAndWhoComes) {
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

TEST_F(SessionPool, ThatClosesWaitsForSessionsOnTheirWayAndForCancels) {
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
