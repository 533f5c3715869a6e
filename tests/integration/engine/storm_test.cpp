// SPDX-License-Identifier: BSD-3-Clause
//
// Everything at once: requests that are answered, fail, run out of time or lose their sessions, from several threads.
// Each is answered once, and afterwards the engine serves as before. The order of events is left to chance.

#include "support/database_under_test.hpp"
#include "support/postgresql_test.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Storm : public AnyDatabase {
protected:
  static constexpr int threads = 4, requests_per_thread = 60;

  request random_request(std::mt19937& random) const {
    const auto dice = [&](int sides) { return static_cast<int>(random() % static_cast<unsigned>(sides)); };
    auto asked = request_of(1 + dice(12), [&](int i) {
      switch (dice(8)) {
      case 0:
        return database->fails("");
      case 1: {
        auto q = database->never_ends("");
        if (dice(2) == 0)
          q.timeout = std::chrono::milliseconds{dice(30)};
        return q;
      }
      default:
        return database->answers("", i);
      }
    });
    asked.width = static_cast<std::size_t>(dice(6));
    asked.priority = static_cast<priority>(dice(3));
    asked.on_error = dice(2) == 0 ? error_policy::fail : error_policy::partial;
    asked.deadline = std::chrono::milliseconds{dice(60)};
    return asked;
  }

  /// Checks what must hold whatever became of a request.
  void check(const request& asked, const reply& x) {
    ASSERT_EQ(x.outcomes.size(), asked.queries.size());
    bool all = true, required = true;
    for (std::size_t i = 0; i < x.outcomes.size(); ++i) {
      const auto& o = x.outcomes[i];
      all = all && o.ok();
      required = required && (o.ok() || !asked.queries[i].required);
      if (o.ok() && asked.queries[i].statement.sql() == database->answers("", static_cast<int>(i)).statement.sql()) {
        EXPECT_EQ(number_in(o), static_cast<int>(i));
      }
      EXPECT_LE(o.times.queued, x.elapsed);
      if (!o.ok()) {
        ++codes[static_cast<std::size_t>(o.error_info()->code)];
      }
    }
    EXPECT_EQ(x.ok(), asked.on_error == error_policy::fail ? all : required);
    ++answered;
  }

  void run_storm() {
    answered = 0;
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
      all.emplace_back([this, t] {
        std::mt19937 random{static_cast<unsigned>(t)};
        std::vector<std::pair<request, std::future<reply>>> in_flight;
        for (int i = 0; i < requests_per_thread; ++i) {
          auto asked = random_request(random);
          auto x = run_later(asked);
          in_flight.emplace_back(std::move(asked), std::move(x));
          if (in_flight.size() == 8 || i + 1 == requests_per_thread) {
            for (auto& [sent, reply] : in_flight)
              check(sent, reply.get());
            in_flight.clear();
          }
        }
      });
    for (auto& t : all)
      t.join();
    EXPECT_EQ(answered, threads * requests_per_thread);
  }

  /// Nothing is left of the requests, neither here nor at the database.
  void expect_calm() {
    EXPECT_TRUE(eventually([&] { return stats().cancelling == 0 && stats().waiting == 0 && stats().active == 0; }));
    EXPECT_TRUE(eventually([&] { return database->running() == 0; }));
    EXPECT_LE(stats().total, 6u);
  }

  void expect_all_sessions_to_work() {
    const auto x = run(request_of(6, [&](int) { return database->meets("", 6); }));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  }

  std::atomic<int> answered = 0;
  std::array<std::atomic<int>, 32> codes{};
};

SHEAF_ON_EVERY_DATABASE(Storm);

TEST_P(Storm, IsWeathered) {
  start({.max_size = 6}, [](options& how) { how.loops = 2; });
  run_storm();
  EXPECT_GT(codes[static_cast<std::size_t>(errc::rejected_sql)], 0);
  EXPECT_GT(codes[static_cast<std::size_t>(errc::deadline_exceeded)], 0);
  EXPECT_GT(codes[static_cast<std::size_t>(errc::query_canceled)], 0);
  expect_calm();
  expect_all_sessions_to_work();
}

TEST_P(Storm, IsWeatheredWithAQueueThatIsTooShort) {
  start({.max_size = 6, .max_queue_size = 4, .acquire_timeout = 5ms}, [](options& how) {
    how.loops = 2;
    how.width = 20;
  });
  run_storm();
  expect_calm();
  EXPECT_TRUE(eventually([&] { return run(request_of({database->answers("", 1)})).ok(); }));
}

class StormOnPostgresql : public Storm {};

INSTANTIATE_TEST_SUITE_P(Databases, StormOnPostgresql, ::testing::Values(database_kind::postgresql), name_of);

TEST_P(StormOnPostgresql, IsWeatheredWhileSessionsAreLost) {
  start({.max_size = 6}, [](options& how) { how.loops = 2; });
  const auto name =
      run(request_of({{"name", "select current_setting('application_name')"}}))["name"].table().scalar<std::string>();
  std::atomic<bool> over = false;
  std::thread terminator{[&] {
    observer server;
    while (!over) // a session that is only being opened, too
      server("select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name = '" + name +
             "' order by random() limit 1");
  }};
  const auto& lost = codes[static_cast<std::size_t>(errc::connection_lost)];
  for (int i = 0; i < 20 && lost == 0; ++i) // the terminator may have hardly had its turn
    run_storm();
  over = true;
  terminator.join();
  EXPECT_GT(lost, 0);
  expect_calm();
  EXPECT_TRUE(eventually([&] { return static_cast<int>(stats().total) == database->sessions(); }));
  // The last one may have been lost as it opened: the next has its time.
  EXPECT_TRUE(eventually([&] { return run(request_of({database->answers("", 1)})).ok(); }));
  expect_all_sessions_to_work();
}

} // namespace
