// SPDX-License-Identifier: BSD-3-Clause
//
// The rules by which a pool gives its sessions to the queries that wait, one rule at a time.

#include "unit/session/pool_client.hpp"

#include "support/counting.hpp"

#include <map>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

using SessionPool = SessionPoolTest;

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

/// By 16 to 4 to 1 while all of them wait, and all to one that waits alone.
TEST_F(SessionPool, SharesItsSessionsByPriority) {
  make({.max_size = 1, .max_queue_size = 1000});
  auto* last = &get();
  std::map<const client*, priority> asked;
  for (int i = 0; i < 200; ++i)
    for (const auto rank : {priority::low, priority::normal, priority::high})
      asked.emplace(&ask(rank), rank);
  const auto serve = [&](int turns) {
    std::map<priority, int> had;
    for (int i = 0; i < turns; ++i) {
      give_back(*last);
      last = served.back();
      ++had[asked.at(last)];
    }
    return had;
  };
  const auto had = serve(10 * 21);
  EXPECT_EQ(had.at(priority::high), 160);
  EXPECT_EQ(had.at(priority::normal), 40);
  EXPECT_EQ(had.at(priority::low), 10);
  serve(60); // the last 40 of the high ones, and those of the others meanwhile
  auto rest = serve(100);
  EXPECT_EQ(rest[priority::high], 0);
  EXPECT_NEAR(rest[priority::normal], 80, 1);
  EXPECT_NEAR(rest[priority::low], 20, 1);
}

/// A request of many queries asks for sessions again and again; later ones do not go before it each time.
TEST_F(SessionPool, ServesInTheOrderInWhichTheRequestsCame) {
  make({.max_size = 1});
  auto* last = &get();
  const auto now = on_loop([&] { return loop->now(); });
  const auto ask_for = [&](clock::time_point request) -> client& {
    return on_loop([&]() -> client& {
      auto& c = clients.emplace_back(served);
      c.came_with(request);
      EXPECT_FALSE(*pool->acquire(c, priority::normal));
      return c;
    });
  };
  auto &first = ask_for(now - 3s), &later = ask_for(now - 1s), &first_again = ask_for(now - 3s);
  auto &between = ask_for(now - 2s), &itself = ask();
  for (auto* next : {&first, &first_again, &between, &later, &itself}) {
    give_back(*last);
    EXPECT_TRUE(next->held);
    last = next;
  }
}

TEST_F(SessionPool, LendsToNobodyWhoWouldBeTooLateWhileOthersWait) {
  make({.max_size = 1});
  auto* holder = &get();
  auto &late = ask(), &in_time = ask(), &alone = ask();
  const auto now = on_loop([&] { return loop->now(); });
  on_loop([&] {
    late.may_start_until(now - 1ms);
    in_time.may_start_until(now + 1h);
    alone.may_start_until(now - 1ms);
  });
  give_back(*holder);
  ASSERT_TRUE(late.refusal);
  EXPECT_EQ(late.refusal->code, errc::overloaded);
  EXPECT_EQ(late.refusal->phase, phase::queue);
  EXPECT_TRUE(safe_to_retry(*late.refusal));
  EXPECT_NE(late.refusal->message.find("pool books"), std::string::npos) << late.refusal->message;
  EXPECT_TRUE(in_time.held);
  give_back(in_time);
  EXPECT_TRUE(alone.held) << "it keeps the session from nobody";
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

TEST_F(SessionPool, TellsOtherLoopsHowManyPlacesItHas) {
  make({.max_size = 3});
  EXPECT_EQ(pool->places(), 3);
  auto &a = get(), &b = get();
  EXPECT_EQ(pool->places(), 1);
  pool->reserve(); // on its way
  EXPECT_EQ(pool->places(), 0);
  client late{served};
  on_loop([&] { static_cast<void>(pool->acquire(late, priority::normal, {.reserved = true})); });
  settle();
  EXPECT_EQ(pool->places(), 0);
  ask();
  EXPECT_EQ(pool->places(), -1) << "one more waits";
  on_loop([&] { clients.pop_back(); });
  give_back(a);
  give_back(b);
  on_loop([&] { late.held.give_back(); });
  EXPECT_EQ(pool->places(), 3);
}

/// A loop that looks while a query that was expected arrives sees its place taken, neither twice nor not at all: a
/// request that is led astray waits for a session while another is idle.
TEST_F(SessionPool, TellsOtherLoopsTheSameWhileAnExpectedQueryArrives) {
  make({.max_size = 2});
  give_back(get());
  client late{served};
  for (int i = 0; i < 20'000; ++i) {
    pool->reserve();
    std::atomic<bool> there = false;
    loop->post([&] {
      late.held = std::move(*pool->acquire(late, priority::normal, {.reserved = true}));
      there = true;
    });
    bool steady = true;
    while (!there)
      steady = steady && pool->places() == 1;
    ASSERT_TRUE(steady);
    on_loop([&] { late.held.give_back(); });
    ASSERT_EQ(pool->places(), 2);
  }
}

} // namespace
