// SPDX-License-Identifier: BSD-3-Clause
//
// The pools of one database on several loops: a query that waits is served by the first session that comes free,
// wherever that is. Here they share one loop, so that a test sees all of them at rest.

#include "support/pool_under_test.hpp"

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

/// Waits where it is called.
struct wanderer final : session_waiter {
  wanderer(std::vector<wanderer*>& served, int number, priority rank) : served(served), number(number), rank(rank) {}

  void ask(session_pool& of, session_pool::arrival how = {}) {
    at = &of;
    auto got = of.acquire(*this, rank, how);
    if (got.has_error())
      on_refused(std::move(got).error());
    else if (*got)
      on_lease(std::move(*got));
  }

  void on_lease(lease got) override {
    held = std::move(got);
    served.push_back(this);
  }
  void on_refused(failure why) override { refusal = std::move(why); }
  void on_call(session_pool& there, clock::time_point since) override {
    ++moves;
    ask(there, {.reserved = true, .since = since});
  }

  bool waits() const { return !held && !refusal; }

  std::vector<wanderer*>& served;
  const int number;
  const priority rank;
  session_pool* at = nullptr;
  lease held;
  std::optional<failure> refusal;
  int moves = 0;
};

class SessionPoolNeighbours : public PoolTest {
protected:
  ~SessionPoolNeighbours() override {
    on_loop([this] { clients.clear(); });
    for (auto& x : pools) {
      std::promise<void> closed;
      on_loop([&] { x->close([&] { closed.set_value(); }); });
      closed.get_future().wait();
    }
    settle();
    on_loop([this] { pools.clear(); });
  }

  void make_pools(std::size_t count, pool_options limits) {
    factory = script.make_factory();
    std::vector<session_pool*> all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(pools.emplace_back(std::make_unique<session_pool>(*loop, *factory, log, "books", limits)).get());
    session_pool::join(all);
  }

  wanderer& ask(std::size_t pool, priority rank = priority::normal) {
    auto& made = on_loop([&]() -> wanderer& {
      auto& c = *clients.emplace_back(std::make_unique<wanderer>(served, ++last_number, rank));
      c.ask(*pools[pool]);
      return c;
    });
    settle();
    return made;
  }

  void give_back(wanderer& c) {
    on_loop([&] { c.held.give_back(); });
    settle();
  }

  void hold_time() {
    on_loop([this] { loop->hold_time(); });
  }
  void pass(clock::duration by) {
    on_loop([&] { loop->pass_time(by); });
  }

  std::vector<std::unique_ptr<session_pool>> pools;
  std::list<std::unique_ptr<wanderer>> clients;
  std::vector<wanderer*> served;
  int last_number = 0;
};

TEST_F(SessionPoolNeighbours, ServeWhoWaitsElsewhere) {
  make_pools(2, {.max_size = 1});
  auto &first = ask(0), &second = ask(1);
  ASSERT_TRUE(first.held && second.held);
  auto& late = ask(0);
  EXPECT_TRUE(late.waits());
  give_back(second);
  EXPECT_TRUE(late.held) << "it waits beside an idle session";
  EXPECT_EQ(late.moves, 1);
  EXPECT_EQ(pools[0]->places(), 0);
  EXPECT_EQ(pools[1]->places(), 0);
}

TEST_F(SessionPoolNeighbours, SendWhoComesToASessionThatIdlesElsewhere) {
  make_pools(2, {.max_size = 1});
  ask(0);
  EXPECT_TRUE(ask(0).held);
  EXPECT_EQ(pools[1]->stats().active, 1u);
}

/// A server that refuses another session has some still, which can serve those who wait.
TEST_F(SessionPoolNeighbours, AreWaitedForWhereTheServerRefusesAnotherSession) {
  make_pools(2, {.max_size = 1});
  auto& holder = ask(0);
  script.refuse_sessions(failure{.code = errc::connect_failed, .phase = phase::connect, .message = "no more"});
  auto &first = ask(1), &second = ask(1); // the server is not asked again so soon
  EXPECT_TRUE(first.waits() && second.waits());
  give_back(holder);
  ASSERT_TRUE(first.held);
  give_back(first);
  EXPECT_TRUE(second.held);
}

TEST_F(SessionPoolNeighbours, ServeTheOldestOfTheHighestPriorityFirst) {
  make_pools(3, {.max_size = 1});
  ask(0);
  ask(1);
  auto& holder = ask(2);
  auto &low = ask(0, priority::low), &normal = ask(1), &later = ask(0), &high = ask(1, priority::high);
  give_back(holder);
  for (auto* expected : {&high, &normal, &later, &low}) {
    ASSERT_TRUE(expected->held) << expected->number;
    EXPECT_EQ(served.back(), expected);
    give_back(*expected);
  }
}

TEST_F(SessionPoolNeighbours, ServeFirstWhoHasWaitedLongerThanTheirOwn) {
  hold_time();
  make_pools(2, {.max_size = 1});
  ask(0);
  auto& holder = ask(1);
  auto &older = ask(0), &oldest = ask(0); // both older than what follows
  pass(20ms);
  auto &own = ask(1), &last = ask(1);
  give_back(holder);
  EXPECT_EQ(served.back(), &own); // it is called, and takes two messages
  give_back(own);
  EXPECT_EQ(served.back(), &older);
  give_back(older);
  EXPECT_EQ(served.back(), &oldest);
  give_back(oldest);
  EXPECT_EQ(served.back(), &last);
}

TEST_F(SessionPoolNeighbours, CallNobodyForASmallLead) {
  hold_time();
  make_pools(2, {.max_size = 1});
  ask(0);
  auto& holder = ask(1);
  auto& older = ask(0);
  pass(20ms);
  auto &own = ask(1), &last = ask(1);
  pass(80ms);
  give_back(holder);
  EXPECT_EQ(served.back(), &own);
  pass(80ms);
  give_back(own);
  EXPECT_EQ(served.back(), &last);
  EXPECT_TRUE(older.waits());
}

TEST_F(SessionPoolNeighbours, KeepNobodyWaitingBesideAnIdleSession) {
  std::mt19937 generator;
  const auto random = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(generator);
  };
  int moves = 0, served_in_all = 0;
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    generator.seed(seed);
    const pool_options limits{.max_size = 1 + seed % 3, .max_queue_size = 50, .connecting_limit = 2};
    make_pools(2 + seed % 3, limits);
    script.hold_opening(true);
    for (int turn = 0; turn < 1500 && !HasFatalFailure(); ++turn) {
      on_loop([&] { // several things may happen before the loops hear of each other
        for (auto n = 1 + random(4); n > 0; --n) {
          const auto drawn = random(100);
          auto some = std::next(clients.begin(), static_cast<std::ptrdiff_t>(random(clients.size() + 1)));
          if (drawn < 40) {
            auto& c = *clients.emplace_back(
                std::make_unique<wanderer>(served, ++last_number, static_cast<priority>(random(3))));
            c.ask(*pools[random(pools.size())]);
          } else if (drawn < 75 && some != clients.end() && !(*some)->waits()) {
            moves += (*some)->moves;
            clients.erase(some); // gives its session back
          } else if (drawn < 80 && some != clients.end() && (*some)->waits()) {
            clients.erase(some);
          } else if (script.now().opening_held > 0) {
            script.let_in();
          }
        }
      });
      while (on_loop([&] { return script.now().opening_held > 0; })) {
        on_loop([&] { script.let_in(); });
        settle();
      }
      settle();
      settle();
      std::size_t idle = 0, waiting = 0;
      for (const auto& x : pools) {
        const auto now = x->stats();
        idle += now.idle;
        waiting += now.waiting;
        const auto places =
            static_cast<std::ptrdiff_t>(now.idle + now.max_size - now.total) - static_cast<std::ptrdiff_t>(now.waiting);
        ASSERT_EQ(x->places(), places) << "the pools have lost count of each other";
      }
      ASSERT_TRUE(idle == 0 || waiting == 0) << waiting << " wait beside " << idle << " idle sessions";
    }
    served_in_all += static_cast<int>(served.size());
    on_loop([&] {
      script.hold_opening(false);
      clients.clear();
      served.clear();
    });
    for (auto& x : pools) {
      std::promise<void> closed;
      on_loop([&] { x->close([&] { closed.set_value(); }); });
      closed.get_future().wait();
    }
    settle();
    on_loop([this] { pools.clear(); });
    ASSERT_EQ(script.now().open, 0);
  }
  EXPECT_GT(moves, 100); // that it did happen
  EXPECT_GT(served_in_all, 500);
}

} // namespace
