// SPDX-License-Identifier: BSD-3-Clause
//
// An SQLite session as its pool sees it: C++ tasks, reports, and what is left behind.

#include "support/counting.hpp"
#include "unit/backend/sqlite_client.hpp"

#include <barrier>
#include <fstream>

namespace {

using namespace sheaf;

class SqliteSession : public test::SqliteTest {
protected:
  std::string count() { return as_list(rows(*db, "select count(*) from t")); }

  const std::string url = "sqlite:" + path("a.db") + "?mode=rwc";
  session_ptr db = open(url);
};

// -- tasks
// ----------------------------------------------------------------------------------------------------------------

TEST_F(SqliteSession, RunsTasksOfSeveralSessionsAtOnce) {
  std::barrier all_here{4};
  std::vector<session_ptr> sessions;
  std::vector<std::shared_ptr<test::started>> tasks;
  for (int i = 0; i < 4; ++i) {
    sessions.push_back(open(url));
    tasks.push_back(start(*sessions.back(), query::of_task("q", [&](soci::session& s) {
      int n = 0;
      all_here.arrive_and_wait();
      s << "select 42", soci::into(n);
      return n;
    })));
  }
  for (auto& x : tasks)
    EXPECT_EQ(std::any_cast<int>(std::get<std::any>(x->future.get().first)), 42);
}

TEST_F(SqliteSession, RunsTasksOffTheLoop) {
  const auto x = run_task(*db, [&](soci::session&) { return loop->runs_here(); });
  EXPECT_FALSE(std::any_cast<bool>(std::get<std::any>(x)));
}

TEST_F(SqliteSession, RollsBackWhatAJobLeavesOpen) {
  rows(*db, "create table t(x)");
  run_task(*db, [](soci::session& s) {
    s.begin();
    s << "insert into t values (1)";
  });
  EXPECT_EQ(count(), "0\n");
  const auto thrown = run_task(*db, [](soci::session& s) {
    s.begin();
    s << "insert into t values (1)";
    throw std::runtime_error("no");
  });
  EXPECT_EQ(failure_in(thrown).code, errc::internal);
  EXPECT_EQ(count(), "0\n");
  rows(*db, "begin immediate");
  test::stranger{path("a.db")}.run("insert into t values (2)"); // is not locked out
  EXPECT_EQ(count(), "1\n");
  rows(*db, "savepoint a");
  EXPECT_EQ(failure_of(*db, "commit").code, errc::rejected_sql); // there is no transaction
}

TEST_F(SqliteSession, IsNotUsableWhenATaskHasClosedIt) {
  const auto before = test::open_descriptors();
  for (const auto& spoil : {+[](soci::session& s) { s.close(); }, +[](soci::session& s) { s.reconnect(); }}) {
    auto s = open(url);
    rows(*s, "select * from sqlite_schema"); // a statement that the session keeps
    EXPECT_FALSE(std::holds_alternative<failure>(run_task(*s, spoil)));
    EXPECT_FALSE(s->usable());
  }
  db.reset();
  wait_for_closed_sessions();
  EXPECT_LT(test::open_descriptors(), before);
}

TEST_F(SqliteSession, IsNotUsableWhenItsFileIsNoDatabaseAnyMore) {
  rows(*db, "create table t(x)");
  rows(*db, "pragma journal_mode = delete");
  std::ofstream{path("a.db"), std::ios::in | std::ios::out} << std::string(4096, 'x');
  const auto f = failure_of(*db, "select * from t");
  EXPECT_EQ(f.code, errc::connection_lost) << f.message;
  EXPECT_FALSE(db->usable());
}

// -- reports and lifetime
// -------------------------------------------------------------------------------------------------

TEST_F(SqliteSession, TellsWhenAQueryPassedWhichPoint) {
  const auto before = clock::now();
  const auto when = start(*db, {"q", "select 1"})->future.get().second;
  const auto after = clock::now();
  EXPECT_LE(before, when.sent);
  EXPECT_LE(when.sent, when.first_row);
  EXPECT_LE(when.first_row, when.last_row);
  EXPECT_LE(when.last_row, after);
  const auto unknown = start(*db, {"q", "select nothing"})->future.get().second;
  EXPECT_EQ(unknown.sent, clock::time_point{});
}

TEST_F(SqliteSession, TellsThatARunningWriteMayHaveHappened) {
  std::promise<void> go;
  auto x = start(*db, query::of_task("q", [&](soci::session&) { go.get_future().wait(); }));
  EXPECT_NE(on_loop([&] { return db->progress(x->run).sent; }), clock::time_point{});
  go.set_value();
  x->future.wait();
}

TEST_F(SqliteSession, LeavesARunningJobToItsThreadWhenDestroyed) {
  struct common {
    std::promise<void> begun, go, over;
  };
  auto shared = std::make_shared<common>();
  auto x = start(*db, query::of_task("q", [shared](soci::session& s) {
    int n = 0;
    shared->begun.set_value();
    shared->go.get_future().wait();
    s << "select 42", soci::into(n); // it is stopped, but the session is still there
    shared->over.set_value();
    return n;
  }));
  shared->begun.get_future().wait();
  db.reset();
  shared->go.set_value();
  shared->over.get_future().wait();
  wait_for_closed_sessions();
  on_loop([] {});
  EXPECT_FALSE(heard(*x));
}

TEST_F(SqliteSession, MayOutliveItsLoopInATask) {
  struct common {
    std::promise<void> begun, go, over;
  };
  auto shared = std::make_shared<common>();
  start(*db, query::of_task("q", [shared](soci::session&) {
    shared->begun.set_value();
    shared->go.get_future().wait();
    shared->over.set_value();
  }));
  shared->begun.get_future().wait();
  db.reset();
  loop->stop();
  blocking.reset();
  loop.reset();
  shared->go.set_value();
  shared->over.get_future().wait();
  loop = std::make_shared<event_loop>();
  loop->start();
}

TEST_F(SqliteSession, LeavesNoDescriptorBehind) {
  db.reset();
  wait_for_closed_sessions();
  const auto before = test::open_descriptors();
  {
    std::vector<session_ptr> sessions;
    for (int i = 0; i < 10; ++i)
      rows(*sessions.emplace_back(open(url)), "select * from sqlite_schema");
    EXPECT_GE(test::open_descriptors(), before + 10);
  }
  wait_for_closed_sessions();
  EXPECT_EQ(test::open_descriptors(), before);
}

} // namespace
