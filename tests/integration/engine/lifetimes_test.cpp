// SPDX-License-Identifier: BSD-3-Clause
//
// An engine may be made, moved and destroyed anywhere, and refuses what could never end.

#include "integration/engine/lifetime.hpp"
#include "sheaf/protocol.hpp"
#include "support/meeting.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>
#include <caf/stateful_actor.hpp>

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <latch>
#include <memory>
#include <thread>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

using Lifetimes = LifetimeTest;

SHEAF_ON_EVERY_SQL_DATABASE(Lifetimes);

/// Destroys it on a thread that ends, while this one goes on.
template <class T>
void end_elsewhere(std::unique_ptr<T> x) {
  std::thread{[x = std::move(x)]() mutable { x.reset(); }}.join();
}

TEST_P(Lifetimes, EndElsewhereThanTheyBegan) {
  auto a = std::make_unique<engine>(database->engine_options()),
       b = std::make_unique<engine>(database->engine_options());
  EXPECT_TRUE(a->run(one()).ok());
  EXPECT_NE(actor_of(*b), nullptr);
  end_elsewhere(std::move(a));
  EXPECT_TRUE(b->run(one()).ok());
  end_elsewhere(std::move(b));
  EXPECT_TRUE(eventually_gone());
}

TEST_P(Lifetimes, BeginOnAThreadThatEnds) {
  std::unique_ptr<engine> made;
  std::thread{[&] { made = std::make_unique<engine>(database->engine_options()); }}.join();
  EXPECT_TRUE(made->run(one()).ok());
}

/// What follows the end of `main` shows in the exit code of the process.
TEST_P(Lifetimes, EndWithTheProgram) {
  static auto kept = std::move(database);
  static engine unused{kept->engine_options()}, used{kept->engine_options()};
  EXPECT_TRUE(used.run(request_of({kept->answers("q", 1)})).ok());
  used.run_async(request_of({kept->never_ends("q")}), [](const reply& x) {
    if (!x.failure || x.failure->code != errc::pool_closed)
      ::abort();
  });
}

TEST_P(Lifetimes, AreAssigned) {
  engine a{database->engine_options()}, b{database->engine_options()};
  auto first = a.run_future(endless());
  ASSERT_TRUE(eventually([&] { return database->running() == 1; }));
  a = std::move(b);
  EXPECT_EQ(first.get().failure->code, errc::pool_closed);
  EXPECT_TRUE(a.run(one()).ok());
  b = engine{database->engine_options()};
  EXPECT_TRUE(b.run(one()).ok());
  auto& same = b;
  b = std::move(same);
  EXPECT_TRUE(b.run(one()).ok());
}

TEST_P(Lifetimes, RefuseAllOnceTheyAreMovedFrom) {
  engine a{database->engine_options()};
  const engine b{std::move(a)};
  expect_all_calls_refused(a);
  EXPECT_NE(a.run(one()).failure->message.find("moved"), std::string::npos);
}

TEST_P(Lifetimes, EndInTheirLastCallback) {
  std::promise<bool> answered;
  auto e = std::make_shared<engine>(database->engine_options());
  std::promise<void> only_the_callback_has_it;
  e->run_async(one(), [&, e, go_on = only_the_callback_has_it.get_future().share()](const reply& x) mutable {
    go_on.wait();
    e.reset();
    answered.set_value(x.ok());
  });
  e.reset();
  only_the_callback_has_it.set_value();
  EXPECT_TRUE(answered.get_future().get());
  EXPECT_TRUE(eventually_gone());
}

TEST_P(Lifetimes, EndWithACallbackThatHasTheLastOfThem) {
  auto e = std::make_shared<engine>(database->engine_options());
  std::weak_ptr<engine> is_there = e;
  e->run_async(one(), [e](const reply&) {});
  e.reset();
  EXPECT_TRUE(eventually([&] { return is_there.expired(); }));
  EXPECT_TRUE(eventually_gone());
}

TEST_P(Lifetimes, EndInACallbackOfEachOther) {
  auto a = std::make_unique<engine>(database->engine_options()),
       b = std::make_unique<engine>(database->engine_options());
  std::latch all{3}, over{2}; // this thread is in neither engine then
  a->run_async(one(), [&](const reply&) {
    all.arrive_and_wait();
    b.reset();
    over.count_down();
  });
  b->run_async(one(), [&](const reply&) {
    all.arrive_and_wait();
    a.reset();
    over.count_down();
  });
  all.arrive_and_wait();
  over.wait();
  EXPECT_TRUE(eventually_gone());
}

TEST_P(Lifetimes, EndInATaskOfTheirOwn) {
  auto e = std::make_unique<engine>(database->engine_options());
  std::atomic<bool> went_on = false;
  std::latch sent{1};
  auto x = e->run_future(request_of({query::of_task("task", [&](soci::session&) {
    sent.wait();
    e.reset();
    went_on = true;
  })}));
  sent.count_down();
  const auto got = x.get();
  EXPECT_TRUE(got.ok() || got.failure->code == errc::pool_closed) << to_string(*got.failure);
  EXPECT_TRUE(eventually([&] { return went_on.load(); }));
  EXPECT_TRUE(eventually_gone());
}

struct owner_state {
  std::unique_ptr<engine> owned;
};

/// Asks the engine that it owns, and ends with it.
caf::behavior owner(caf::stateful_actor<owner_state>* self, const options& how, request asked,
                    std::promise<bool>* done) {
  self->state.owned = std::move(engine::create(how, self->system()).value());
  self->request(actor_of(*self->state.owned), caf::infinite, std::move(asked)).then([=](const reply& x) {
    done->set_value(x.ok());
    self->quit();
  });
  return {[](int) {}};
}

TEST_P(Lifetimes, EndInAnActorThoughItsSystemHasOneThread) {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", 1);
  std::promise<bool> done;
  {
    caf::actor_system system{config};
    system.spawn(owner, database->engine_options(), one(), &done);
    EXPECT_TRUE(done.get_future().get());
  }
  EXPECT_TRUE(eventually_gone());
}

TEST_P(Lifetimes, EndAfterTheirActorSystem) {
  caf::actor_system_config config;
  auto system = std::make_unique<caf::actor_system>(config);
  auto e = std::move(engine::create(database->engine_options(), *system).value());
  auto other = std::move(engine::create(database->engine_options(), *system).value());
  EXPECT_TRUE(e->run(one()).ok());
  const auto door = actor_of(*e);
  other.reset();
  system.reset();
  for (int i = 0; i < 2; ++i) {
    const auto x = e->run(one());
    ASSERT_TRUE(x.failure);
    EXPECT_EQ(x.failure->code, errc::pool_closed);
    EXPECT_NE(x.failure->message.find("actor system"), std::string::npos) << x.failure->message;
  }
  EXPECT_TRUE(eventually([&] { return database->sessions() == 0; }));
  e.reset();
}

TEST_P(Lifetimes, HaveTheirActorSystemsEndWaitForWhatACallbackHasEnded) {
  caf::actor_system_config config;
  std::promise<void> ended;
  {
    caf::actor_system system{config};
    auto e = std::move(engine::create(database->engine_options(), system).value());
    std::latch sent{1};
    e->run_async(one(), [&](const reply&) {
      sent.wait();
      e.reset();
      ended.set_value();
    });
    sent.count_down();
    ended.get_future().wait();
  }
  EXPECT_TRUE(eventually_gone());
}

TEST_P(Lifetimes, GiveTheSameActorToAllWhoAskAtOnce) {
  engine e{database->engine_options()};
  constexpr int count = 8;
  std::vector<engine_actor> got(count + 1);
  std::latch all{count + 1};
  std::vector<std::thread> threads;
  e.run_async(one(), [&](const reply&) {
    all.arrive_and_wait();
    got[count] = actor_of(e);
  });
  for (std::size_t i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      all.arrive_and_wait();
      got[i] = actor_of(e);
    });
  for (auto& x : threads)
    x.join();
  EXPECT_TRUE(e.run(one()).ok()); // behind the callback
  for (const auto& x : got)
    EXPECT_EQ(x, got[0]);
}

TEST_P(Lifetimes, HoldUpNobodyWhoWaitsForAllActors) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  const auto e = std::move(engine::create(database->engine_options(), system).value());
  const auto door = actor_of(*e);
  EXPECT_TRUE(e->run(one()).ok());
  system.await_all_actors_done();
  EXPECT_TRUE(e->run(one()).ok());
}

TEST_P(Lifetimes, RefuseToWaitOnTheirLoops) {
  engine e{database->engine_options({.max_size = 1})};
  std::promise<void> done;
  auto other = e.run_future(endless());
  const auto stop = e.run_async(endless(), [&](const reply&) {
    EXPECT_EQ(e.run(one()).failure->code, errc::invalid_request);
    expect_refused([&] { e.run_on_each_loop([](auto&) {}); });
    EXPECT_EQ(other.get().failure->code, errc::invalid_request);
    EXPECT_EQ(e.run_future(one()).get().failure->code, errc::invalid_request);
    expect_refused([&] { other.wait(); });
    expect_refused([&] { other.wait_for(1h); });
    expect_refused([&] { other.wait_until(std::chrono::steady_clock::now() + 1h); });
    EXPECT_EQ(other.wait_for(0s), std::future_status::timeout);
    done.set_value();
  });
  stop.cancel();
  done.get_future().wait();
  EXPECT_TRUE(other.valid());
  EXPECT_EQ(other.wait_for(0s), std::future_status::timeout);
}

TEST_P(Lifetimes, GiveAReplyThatIsThereOnTheirLoopsToo) {
  engine e{database->engine_options()};
  auto x = e.run_future(one());
  x.wait();
  std::promise<bool> done;
  e.run_async(one(), [&](const reply&) { done.set_value(x.get().ok()); });
  EXPECT_TRUE(done.get_future().get());
}

TEST_P(Lifetimes, RefuseEmptyFunctions) {
  engine e{database->engine_options()};
  expect_refused([&] { e.run_async(one(), nullptr); });
  expect_refused([&] { e.run_on_each_loop(nullptr); });
  EXPECT_TRUE(e.run(one()).ok());
}

TEST_P(Lifetimes, RefuseTheTaskThatWouldHaveAllOfThemWaitForEver) {
  engine e{database->engine_options({.max_size = 2})};
  for (const bool by_future : {false, true}) {
    meeting_place both_have_a_session;
    std::atomic<int> refused = 0;
    const auto nested = [&](int) {
      return query::of_task("", [&](soci::session&) {
        both_have_a_session.meet(2);
        const auto x = by_future ? e.run_future(one()).get() : e.run(one());
        if (!x.failure)
          return true;
        EXPECT_EQ(x.failure->code, errc::invalid_request) << to_string(*x.failure);
        EXPECT_NE(x.failure->message.find("pool.max_size"), std::string::npos) << x.failure->message;
        ++refused;
        return false;
      });
    };
    auto asked = request_of(2, nested);
    asked.deadline = 1h;
    const auto got = e.run(std::move(asked));
    EXPECT_TRUE(got.ok()) << to_string(*got.failure);
    EXPECT_EQ(refused, 1);
  }
}

TEST_P(Lifetimes, LetATaskWaitWhereAPlaceIsLeft) {
  engine e{database->engine_options({.max_size = 2})};
  for (int i = 0; i < 3; ++i) {
    const auto x = e.run(request_of({query::of_task("task", [&](soci::session&) { return e.run(one()).ok(); })}));
    ASSERT_TRUE(x.ok()) << to_string(*x.failure);
    EXPECT_TRUE(x["task"].value<bool>());
  }
}

} // namespace
