// SPDX-License-Identifier: BSD-3-Clause
//
// Stopping the work of an SQLite session: cancelling, deadlines, and waiting for locks.

#include "unit/backend/sqlite_client.hpp"

#include <atomic>
#include <functional>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;

class SqliteStop : public test::SqliteTest {
protected:
  SqliteStop() { add_here(*db); }

  /// Adds a function `here()` to a session, whose first call fulfils `called`. It returns 1.
  void add_here(session& s) {
    run_task(s, [this](soci::session& sql) {
      const auto call = [](sqlite_api::sqlite3_context* context, int, sqlite_api::sqlite3_value**) {
        auto& self = *static_cast<SqliteStop*>(sqlite_api::sqlite3_user_data(context));
        if (++self.calls == 1) {
          self.called.set_value();
          self.at_first_call();
        }
        sqlite_api::sqlite3_result_int(context, 1);
      };
      sqlite_api::sqlite3_create_function(handle_of(sql), "here", 0, SQLITE_UTF8, this, call, nullptr, nullptr);
    });
  }

  std::string count() { return as_list(rows(*db, "select count(*) from t")); }

  const std::string url = "sqlite:" + path("a.db") + "?mode=rwc";
  const std::string numbers = "with recursive n(x) as (select here() union all select x + 1 from n) ";
  const std::string endless = numbers + "select count(*) from n";
  session_ptr db = open(url);
  std::promise<void> called;
  std::atomic<int> calls = 0;
  std::function<void()> at_first_call = [] {};
};

// -- cancel
// ---------------------------------------------------------------------------------------------------------------

TEST_F(SqliteStop, CancelsAQueryInItsMidstAndCanBeUsedAgain) {
  auto x = start(*db, {"q", endless});
  called.get_future().wait();
  drop(*db);
  EXPECT_TRUE(db->usable());
  EXPECT_EQ(rows(*db, "select 1").scalar<int>(), 1);
  EXPECT_FALSE(heard(*x));
}

TEST_F(SqliteStop, CancelsAQueryWhoseRowsAreOnTheirWayToItsListener) {
  struct counting final : run_listener {
    void on_answer(answer&&, const moments&) override { ++calls; }
    void on_rows(table&&) override { ++calls; }
    int calls = 0;
  };
  counting listener;
  db.reset();
  blocking = std::make_unique<blocking_executor>(1); // so that whatever runs behind the job runs after it
  db = open(url);
  auto asked =
      std::make_shared<query>("q", "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n");
  asked->on_rows = [](const table&, const std::function<void()>&) {};
  session_run endless_rows{.job = {.query = asked.get(),
                                   .text = asked->statement.parse(dialect::sqlite, {}).get(),
                                   .keep_alive = asked,
                                   .deadline = clock::now() + 5min,
                                   .max_rows = 1'000'000'000,
                                   .max_bytes = 1 << 30,
                                   .max_held_bytes = 1 << 20},
                           .listener = &listener};
  std::promise<void> done;
  on_loop([&] {
    db->push(endless_rows);
    std::promise<void> has_rows;
    blocking->run([&] { has_rows.set_value(); });
    has_rows.get_future().wait();
    db->drop(endless_rows, [&] { done.set_value(); });
  });
  ASSERT_EQ(done.get_future().wait_for(1min), std::future_status::ready);
  EXPECT_EQ(listener.calls, 0);
  EXPECT_EQ(rows(*db, "select 1").scalar<int>(), 1);
}

TEST_F(SqliteStop, CancelsAQueryAtItsNextStep) {
  std::promise<void> go;
  const auto wait = go.get_future().share();
  at_first_call = [&] { wait.wait(); };
  start(*db, {"q", "with recursive n(x) as (select 1 union all select x + 1 from n) select count(here()) from n"});
  called.get_future().wait();
  auto over = begin_drop(*db);
  go.set_value();
  over.wait();
  EXPECT_EQ(calls, 1);
}

TEST_F(SqliteStop, UndoesAWriteThatIsCancelled) {
  rows(*db, "create table t(x)");
  start(*db, {"q", "insert into t " + numbers + "select x from n"});
  called.get_future().wait();
  drop(*db);
  EXPECT_EQ(count(), "0\n");
}

TEST_F(SqliteStop, CancelsAJobThatHasNotBegun) {
  rows(*db, "create table t(x)");
  db.reset();
  blocking = std::make_unique<blocking_executor>(1);
  db = open(url);
  std::promise<void> begun, go;
  blocking->run([&] {
    begun.set_value();
    go.get_future().wait();
  });
  begun.get_future().wait();
  auto x = start(*db, {"q", "insert into t values (1)"});
  auto over = begin_drop(*db);
  go.set_value();
  over.wait();
  EXPECT_EQ(count(), "0\n");
  EXPECT_FALSE(heard(*x));
}

TEST_F(SqliteStop, CancelsATaskWhenItUsesItsSession) {
  auto x = start(*db, query::of_task("q", [this](soci::session& s) { s << endless; }));
  called.get_future().wait();
  drop(*db);
  EXPECT_TRUE(db->usable());
  EXPECT_FALSE(heard(*x));
}

TEST_F(SqliteStop, WaitsForATaskThatCannotBeCancelled) {
  std::promise<void> begun, go;
  auto x = start(*db, query::of_task("q", [&](soci::session&) {
    begun.set_value();
    go.get_future().wait();
  }));
  begun.get_future().wait();
  auto over = begin_drop(*db);
  on_loop([] {}); // whatever was posted has run
  EXPECT_EQ(over.wait_for(0s), std::future_status::timeout);
  go.set_value();
  over.wait();
  EXPECT_FALSE(heard(*x));
}

TEST_F(SqliteStop, SurvivesCancelsAtAnyMoment) {
  rows(*db, "create table t(x)");
  for (int i = 0; i < 300; ++i) {
    auto x = start(*db, {"q", "insert into t values (1)"});
    for (int j = 0; j < i % 30; ++j)
      on_loop([] {});
    std::promise<void> over;
    on_loop([&] {
      if (x->run.state == session_run::status::in_line)
        db->drop(x->run, [&] { over.set_value(); });
      else
        over.set_value();
    });
    over.get_future().wait();
    ASSERT_TRUE(db->usable());
  }
  EXPECT_EQ(rows(*db, "select 1").scalar<int>(), 1);
}

// -- deadlines and locks
// --------------------------------------------------------------------------------------------------

TEST_F(SqliteStop, EndsAQueryAtItsDeadline) {
  auto x = start(*db, {"q", endless}, clock::now() + 50ms);
  const auto f = failure_in(x->future.get().first);
  EXPECT_EQ(f.code, errc::deadline_exceeded);
  EXPECT_EQ(f.phase, phase::execute);
  EXPECT_EQ(rows(*db, "select 1").scalar<int>(), 1);
}

TEST_F(SqliteStop, EndsATaskAtItsDeadlineWhenItUsesItsSession) {
  auto x = start(*db, query::of_task("q", [this](soci::session& s) { s << endless; }), clock::now() + 50ms);
  EXPECT_EQ(failure_in(x->future.get().first).code, errc::deadline_exceeded);
}

TEST_F(SqliteStop, DoesNotBeginAfterTheDeadline) {
  rows(*db, "create table t(x)");
  const auto [got, when] = start(*db, {"q", "insert into t values (1)"}, clock::now() - 1ms)->future.get();
  EXPECT_EQ(failure_in(got).code, errc::deadline_exceeded);
  EXPECT_FALSE(failure_in(got).reached_server);
  EXPECT_EQ(when.sent, clock::time_point{});
  EXPECT_EQ(count(), "0\n");
}

TEST_F(SqliteStop, WaitsForALockUntilTheDeadline) {
  rows(*db, "create table t(x)");
  test::stranger other{path("a.db")};
  other.run("begin immediate");
  const auto f = failure_in(start(*db, {"q", "insert into t values (1)"}, clock::now() + 100ms)->future.get().first);
  EXPECT_EQ(f.code, errc::deadline_exceeded);
  EXPECT_NE(f.message.find("lock"), std::string::npos) << f.message;
  EXPECT_FALSE(f.reached_server);
  EXPECT_EQ(count(), "0\n"); // readers do not wait for a writer
  auto x = start(*db, {"q", "insert into t values (1)"});
  other.run("commit");
  EXPECT_TRUE(std::holds_alternative<table>(x->future.get().first));
  EXPECT_EQ(count(), "1\n");
}

TEST_F(SqliteStop, WaitsForALockWhilePreparingUntilTheDeadline) {
  rows(*db, "pragma journal_mode = delete");
  rows(*db, "create table t(x)");
  test::stranger other{path("a.db")};
  other.run("begin exclusive; create table other(x)");
  const auto f = failure_in(start(*db, {"q", "select * from sqlite_schema"}, clock::now() + 100ms)->future.get().first);
  EXPECT_EQ(f.code, errc::deadline_exceeded) << f.message;
}

TEST_F(SqliteStop, StopsWaitingForALockWhenCancelled) {
  rows(*db, "create table t(x)");
  test::stranger other{path("a.db")};
  other.run("begin immediate");
  start(*db, {"q", "insert into t values (1)"});
  drop(*db);
  other.run("commit");
  EXPECT_EQ(count(), "0\n");
}

TEST_F(SqliteStop, DoesNotWaitWhereWaitingCannotHelp) {
  rows(*db, "create table t(x)");
  const auto x = run_task(*db, [&](soci::session& s) {
    int n = 0;
    s.begin();
    s << "select count(*) from t", soci::into(n);
    test::stranger{path("a.db")}.run("insert into t values (1)");
    s << "insert into t values (2)"; // on top of what it has not seen
  });
  EXPECT_EQ(failure_in(x).code, errc::serialization_failure) << failure_in(x).message;
  EXPECT_EQ(count(), "1\n");
}

TEST_F(SqliteStop, KeepsItsDeadlineWhateverATaskSets) {
  run_task(*db, [](soci::session& s) {
    sqlite_api::sqlite3_busy_timeout(handle_of(s), 0);
    sqlite_api::sqlite3_progress_handler(handle_of(s), 0, nullptr, nullptr);
  });
  rows(*db, "create table t(x)");
  test::stranger other{path("a.db")};
  other.run("begin immediate");
  auto x = start(*db, {"q", "insert into t values (1)"});
  other.run("commit");
  EXPECT_TRUE(std::holds_alternative<table>(x->future.get().first));
  EXPECT_EQ(failure_in(start(*db, {"q", endless}, clock::now() + 50ms)->future.get().first).code,
            errc::deadline_exceeded);
}

} // namespace
