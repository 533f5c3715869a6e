// SPDX-License-Identifier: BSD-3-Clause
//
// The ways in: run, run_async and run_future, from many threads, and the URLs that lead nowhere.

#include "sheaf/engine.hpp"
#include "support/captured_log.hpp"
#include "support/database_under_test.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FrontDoor : public TidyTest, public ::testing::WithParamInterface<database_kind> {
protected:
  void SetUp() override { count_what_is_there(); }
  void TearDown() override {
    door.reset();
    expect_nothing_left();
    EXPECT_TRUE(eventually([&] { return database->sessions() == 0; }));
  }

  engine& open(pool_options pool = {}, std::size_t loops = 1) {
    auto how = database->engine_options(pool);
    how.loops = loops;
    door = std::move(engine::create(std::move(how), system).value());
    return *door;
  }

  std::unique_ptr<database_under_test> database = make_database(GetParam());
  std::unique_ptr<engine> door;
};

SHEAF_ON_EVERY_SQL_DATABASE(FrontDoor);

TEST_P(FrontDoor, TakesRequestsFromManyThreads) {
  auto& e = open({.max_size = 8}, 2);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto n = 1000 * t + i;
        const auto x = e.run(request_of({database->answers("a", n), database->answers("b", -n)}));
        EXPECT_TRUE(x.ok()) << to_string(*x.failure);
        EXPECT_EQ(number_in(x["a"]), n);
        EXPECT_EQ(number_in(x["b"]), -n);
      }
    });
  for (auto& t : threads)
    t.join();
  ASSERT_EQ(e.stats().size(), 1u);
  EXPECT_EQ(e.stats()[0].database, "main");
  EXPECT_EQ(e.stats()[0].max_size, 8u);
  EXPECT_EQ(e.stats()[0].active, 0u);
}

TEST_P(FrontDoor, RunsOnAnActorSystemOfItsOwn) {
  engine e{database->engine_options()};
  EXPECT_TRUE(e.run(request_of({database->answers("", 1)})).ok());
  engine moved{std::move(e)};
  EXPECT_TRUE(moved.run(request_of({database->answers("", 1)})).ok());
}

TEST_P(FrontDoor, RefusesToBlockItsOwnLoopAndRunsWhatACallbackSends) {
  auto& e = open({.max_size = 2});
  std::promise<reply> blocked, sent;
  e.run_async(request_of({database->answers("", 1)}), [&](reply) {
    blocked.set_value(e.run(request_of({database->answers("", 2)})));
    e.run_async(request_of({database->answers("", 3)}), [&](reply x) { sent.set_value(std::move(x)); });
  });
  const auto refusal = blocked.get_future().get();
  ASSERT_TRUE(refusal.failure);
  EXPECT_EQ(refusal.failure->code, errc::invalid_request);
  EXPECT_NE(refusal.failure->message.find("run_async"), std::string::npos);
  const auto x = sent.get_future().get();
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x[0]), 3);
  EXPECT_LE(0ns, x[0].times.queued);
}

TEST_P(FrontDoor, LetsACallbackWaitForAnotherEngine) {
  engine other{database->engine_options()};
  std::promise<reply> answered;
  open().run_async(request_of({database->answers("", 1)}),
                   [&](reply) { answered.set_value(other.run(request_of({database->answers("", 2)}))); });
  EXPECT_TRUE(answered.get_future().get().ok());
}

TEST_P(FrontDoor, CallsBackExactlyOnce) {
  auto& e = open({.max_size = 2}, 2);
  constexpr int count = 300;
  std::vector<std::atomic<int>> calls(count);
  std::latch all{count};
  for (int i = 0; i < count; ++i) {
    auto asked = i % 3 == 0   ? request_of({database->answers("", i)})
                 : i % 3 == 1 ? request_of({database->fails("")})
                              : request_of({query{"q", "select 1"}, query{"q", "select 1"}}); // refused
    e.run_async(std::move(asked), [&, i](reply x) {
      EXPECT_EQ(x.ok(), i % 3 == 0);
      if (calls[static_cast<std::size_t>(i)]++ == 0)
        all.count_down();
    });
  }
  all.wait();
  door.reset(); // would call those that it owes a reply
  for (const auto& n : calls)
    EXPECT_EQ(n, 1);
}

TEST_P(FrontDoor, SurvivesWhatACallbackThrows) {
  captured_log log;
  auto how = database->engine_options({.max_size = 1});
  how.logger = log.logger;
  engine e{std::move(how)};
  e.run_async(request_of({query{"q", "select 1"}, query{"q", "select 1"}}), // refused
              [](reply) { throw std::runtime_error("hunter2"); });
  for (int i = 0; i < 3; ++i)
    e.run_async(request_of({database->answers("", 1)}), [](reply) { throw std::runtime_error("hunter2"); });
  const auto x = e.run(request_of({database->answers("", 2)}));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x[0]), 2);
  EXPECT_EQ(log.count("event=callback_threw"), 3u) << log.text();
  EXPECT_EQ(log.count("event=loop_caught type=std::runtime_error"), 1u) << log.text();
  EXPECT_EQ(log.count("hunter2"), 0u) << log.text();
}

TEST_P(FrontDoor, SurvivesWhatAServiceThrowsLaterOn) {
  auto& e = open({}, 2);
  e.run_on_each_loop(
      [](boost::asio::io_context& loop) { boost::asio::post(loop, [] { throw std::runtime_error("no"); }); });
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(e.run(request_of({database->answers("", 1)})).ok());
}

TEST_P(FrontDoor, NeverCallsBackFromWithinTheCall) {
  auto& e = open();
  for (const bool refused : {true, false}) {
    std::promise<std::thread::id> where;
    e.run_async(refused ? request{} : request_of({database->answers("", 1)}),
                [&](reply) { where.set_value(std::this_thread::get_id()); });
    EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
  }
  std::promise<bool> within;
  e.run_async(request_of({database->answers("", 1)}), [&](reply) {
    auto inside = std::make_shared<bool>(true);
    e.run_async(request_of({database->answers("a", 1), database->answers("a", 2)}),
                [&within, inside](reply) { within.set_value(*inside); });
    *inside = false;
  });
  EXPECT_FALSE(within.get_future().get());
}

TEST_P(FrontDoor, GivesAFuture) {
  auto& e = open();
  auto a = e.run_future(request_of({database->answers("a", 1)}));
  auto b = e.run_future(request_of({database->answers("a", 1), database->answers("a", 2)}));
  EXPECT_EQ(number_in(a.get()["a"]), 1);
  EXPECT_EQ(b.get().failure->code, errc::invalid_request);
}

TEST_P(FrontDoor, RunsAChainOfRequestsThatCallbacksSend) {
  auto& e = open({.max_size = 2});
  std::promise<void> end;
  int left = 2000;
  std::function<void(reply)> next = [&](reply x) {
    EXPECT_TRUE(x.ok());
    if (--left == 0)
      end.set_value();
    else
      e.run_async(request_of({database->answers("", left)}), next);
  };
  e.run_async(request_of({database->answers("", left)}), next);
  end.get_future().wait();
}

TEST_P(FrontDoor, RunsAServiceOnItsLoopsAndItsRequestsThere) {
  auto& e = open({.max_size = 4}, 2);
  constexpr std::ptrdiff_t timers = 20;
  std::latch answered{2 * timers};
  std::set<std::thread::id> threads;
  e.run_on_each_loop([&](boost::asio::io_context& context) {
    threads.insert(std::this_thread::get_id());
    for (std::ptrdiff_t i = 0; i < timers; ++i) {
      const auto t = std::make_shared<boost::asio::steady_timer>(context, 1ms * i);
      t->async_wait([&, t, here = std::this_thread::get_id()](auto) {
        EXPECT_EQ(std::this_thread::get_id(), here);
        e.run_async(request_of({database->answers("", 1)}), [&, here](const reply& x) {
          EXPECT_TRUE(x.ok());
          EXPECT_EQ(std::this_thread::get_id(), here);
          answered.count_down();
        });
      });
    }
  });
  EXPECT_EQ(threads.size(), 2u);
  answered.wait();
}

TEST_P(FrontDoor, HandsOnWhatAServiceThrowsOnALoop) {
  auto& e = open({}, 2);
  int calls = 0;
  EXPECT_THROW(e.run_on_each_loop([&](auto&) {
    ++calls;
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(e.run(request_of({database->answers("", 1)})).ok());
}

TEST(FrontDoorOptions, RefusesWhatIsWrongWithThemAndShowsNoPassword) {
  const std::string secret = "hunter2";
  for (const auto& url :
       {"mysql://marvin:" + secret + "@host/db", "postgresql://marvin:" + secret + "@host/db?nonsense=1",
        "postgresql://marvin:" + secret + "@[::1/db", "host=x password=" + secret + " nonsense=1",
        "host=x password='" + secret, "marvin:" + secret + "@host", "sqlite:/no%zz" + secret + "?mode=" + secret,
        secret, std::string{}}) {
    const auto e = engine::create(for_database(url));
    ASSERT_TRUE(e.has_error()) << url;
    EXPECT_EQ(e.error().code, errc::invalid_request) << url;
    EXPECT_EQ(to_string(e.error()).find(secret), std::string::npos) << to_string(e.error());
    EXPECT_THROW(engine{url}, error);
  }
  auto how = for_database("sqlite::memory:");
  how.databases[0].pool.max_size = 0;
  EXPECT_EQ(engine::create(how).error().code, errc::invalid_request);
  EXPECT_THROW(engine{how}, error);
}

} // namespace
