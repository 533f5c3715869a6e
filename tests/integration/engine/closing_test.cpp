// SPDX-License-Identifier: BSD-3-Clause
//
// The end of an engine: whatever is in flight is answered, once, and the destructor returns. After every test here, as
// after all others, a check shows that nothing is left behind.

#include "sheaf/engine.hpp"
#include "support/database_under_test.hpp"
#include "support/meeting.hpp"
#include "support/silent_server.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Closing : public AnyDatabase {};

SHEAF_ON_EVERY_DATABASE(Closing);

TEST_P(Closing, AnswersAllThatIsInFlight) {
  start({.max_size = 3}, [](options& how) { how.loops = 2; });
  std::vector<std::future<reply>> replies;
  for (int i = 0; i < 20; ++i) {
    auto asked = request_of(5, [&](int) { return database->never_ends(""); });
    asked.width = 1 + static_cast<std::size_t>(i) % 5; // so that some have not begun yet
    asked.on_error = i % 2 == 0 ? error_policy::fail : error_policy::partial;
    replies.push_back(run_later(std::move(asked)));
  }
  ASSERT_TRUE(eventually([&] { return database->running() == 3; }));
  engine.reset();
  for (auto& x : replies) {
    const auto reply = x.get();
    ASSERT_TRUE(reply.failure);
    EXPECT_EQ(reply.failure->code, errc::pool_closed);
    ASSERT_EQ(reply.outcomes.size(), 5u);
    for (const auto& o : reply.outcomes)
      EXPECT_EQ(o.error_info()->code, errc::pool_closed);
  }
  EXPECT_TRUE(eventually([&] { return database->running() == 0; }));
}

TEST_P(Closing, KeepsTheRowsThatWereThere) {
  start({.max_size = 2});
  auto x = run_later(request_of({database->answers("quick", 7), database->never_ends("endless")}));
  ASSERT_TRUE(eventually([&] { return database->running() == 1 && stats().idle == 1; }));
  engine.reset();
  const auto reply = x.get();
  EXPECT_EQ(reply.failure->code, errc::pool_closed);
  EXPECT_TRUE(reply.failure->reached_server);
  EXPECT_EQ(number_in(reply["quick"]), 7);
}

TEST_P(Closing, NeedsNoRequestToHaveCome) { start(); }

TEST_P(Closing, CallsBackExactlyOnceWheneverItComes) {
  for (int round = 0; round < 40; ++round) {
    start({.max_size = 2}, [](options& how) { how.loops = 2; });
    constexpr int count = 20;
    std::vector<std::atomic<int>> calls(count);
    for (int i = 0; i < count; ++i)
      engine->submit(request_of({database->answers("", i), database->answers("", -i)}),
                     [&calls, i](reply) { ++calls[static_cast<std::size_t>(i)]; });
    if (round % 2 == 0)
      run(request_of({database->answers("", 0)})); // so that sessions are there
    engine.reset();
    for (const auto& n : calls)
      ASSERT_EQ(n, 1);
  }
}

TEST_P(Closing, ReturnsThoughCallbacksSendMore) {
  start({.max_size = 2});
  std::atomic<int> answered = 0;
  std::function<void(reply)> again = [&](reply) {
    ++answered;
    engine->submit(request_of({database->answers("", 1)}), again);
  };
  for (int i = 0; i < 4; ++i)
    engine->submit(request_of({database->answers("", 1)}), again);
  ASSERT_TRUE(eventually([&] { return answered > 20; }));
  auto* closing = engine.get(); // `engine` stays valid for the callbacks until the destructor is over
  delete closing;
  [[maybe_unused]] const auto* gone = engine.release();
}

TEST_P(Closing, ReturnsThoughASessionIsOnItsWay) {
  if (is(database_kind::scripted)) {
    script_of(*database).hold_opening(true);
  }
  start({.max_size = 2}, [](options& how) { how.databases[0].cancel_wait_timeout = 100ms; });
  auto x = run_later(request_of({database->answers("", 1)}));
  if (is(database_kind::scripted)) {
    EXPECT_TRUE(eventually([&] { return script_of(*database).now().opening_held == 1; }));
  }
  engine.reset();
  if (is(database_kind::scripted)) {
    script_of(*database).let_in(); // too late: it comes to nothing
  }
  const auto reply = x.get();
  EXPECT_TRUE(reply.ok() || reply.failure->code == errc::pool_closed);
}

class ClosingTasks : public AnyDatabase {};

SHEAF_ON_EVERY_SQL_DATABASE(ClosingTasks);

TEST_P(ClosingTasks, DoesNotWaitForATaskThatDoesNotReturn) {
  start({.max_size = 2}, [](options& how) { how.databases[0].cancel_wait_timeout = 100ms; });
  meeting_place begun, let_go;
  std::promise<bool> still_works;
  auto x = run_later(request_of({query::of_task("task", [&](soci::session& s) {
    begun.meet(2);
    let_go.meet(2);
    int n = 0;
    try {
      s << "select 1", soci::into(n);
    } catch (const soci::soci_error&) { // stopped, or cut off: either will do, as long as the session is still there to
                                        // say so
      n = -1;
    }
    still_works.set_value(n != 0);
  })}));
  ASSERT_TRUE(begun.meet(2));
  engine.reset();
  EXPECT_EQ(x.get().failure->code, errc::pool_closed);
  let_go.meet(2); // only now does the task go on, without an engine
  EXPECT_TRUE(still_works.get_future().get());
  EXPECT_TRUE(eventually([&] { return database->sessions() == 0; }));
  EXPECT_TRUE(eventually_tidy());
}

class ClosingUnconnected : public TidyTest {};

/// Whatever the time-outs are: there is nothing to cancel, and nobody to connect for.
TEST_F(ClosingUnconnected, DoesNotWaitForAServerThatNeverAnswers) {
  count_what_is_there();
  silent_server server;
  {
    auto how = for_database(server.url() + "?connect_timeout=86400");
    how.databases[0].cancel_wait_timeout = 24h;
    auto e = std::move(engine::create(how, system).value());
    auto x = e->run_future(request_of({{"q", "select 1"}}));
    e.reset();
    EXPECT_EQ(x.get().failure->code, errc::pool_closed);
  }
  server.hang_up();
  EXPECT_TRUE(eventually_tidy());
}

TEST_F(ClosingUnconnected, DoesNotWaitForAFileThatIsLocked) {
  count_what_is_there();
  const auto file = testing::TempDir() + fmt::format("sheaf-closing-{}.db", ::getpid());
  sqlite_api::sqlite3* locker = nullptr;
  ASSERT_EQ(sqlite_api::sqlite3_open(file.c_str(), &locker), SQLITE_OK);
  ASSERT_EQ(sqlite_api::sqlite3_exec(locker, "begin exclusive; create table t(x)", nullptr, nullptr, nullptr),
            SQLITE_OK);
  auto how = for_database("sqlite:" + file);
  how.databases[0].cancel_wait_timeout = 24h;
  auto e = std::move(engine::create(how, system).value());
  auto x = e->run_future(request_of({{"q", "select 1"}}));
  e.reset();
  EXPECT_EQ(x.get().failure->code, errc::pool_closed);
  sqlite_api::sqlite3_close(locker); // before, SQLite keeps open what others of this process have closed
  std::filesystem::remove(file);
  EXPECT_TRUE(eventually_tidy());
}

} // namespace
