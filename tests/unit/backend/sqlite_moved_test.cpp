// SPDX-License-Identifier: BSD-3-Clause
//
// An SQLite file that is replaced or deleted while it is open.

#include "unit/backend/sqlite_client.hpp"

namespace {

using namespace sheaf;
using namespace std::chrono_literals;

class SqliteMoved : public test::SqliteTest {
protected:
  SqliteMoved() {
    shell(path("a.db"), "create table t as select 1 as x;");
    factory = factory_of("sqlite:" + path("a.db"));
    first = std::move(try_open(*factory).value());
    second = std::move(try_open(*factory).value());
  }

  /// Another file takes the name, as when a program writes one anew and renames it; those beside it stay.
  void replace(const std::string& x) {
    shell(path("new.db"), "create table t as select " + x + " as x;");
    std::filesystem::rename(path("new.db"), path("a.db"));
  }

  std::string list(session& s) { return as_list(rows(s, "select x from t order by x")); }

  std::unique_ptr<session_factory> factory;
  session_ptr first, second;
};

TEST_F(SqliteMoved, IsOpenedAnewByAllItsSessions) {
  EXPECT_EQ(list(*first) + list(*second), "1\n1\n");
  replace("2");
  EXPECT_EQ(list(*first), "2\n");
  rows(*second, "insert into t values (3)");
  EXPECT_EQ(list(*first), "2\n3\n");
  EXPECT_EQ(shell(path("a.db"), "select x from t order by x;"), "2\n3\n");
  EXPECT_TRUE(first->usable() && second->usable());
}

TEST_F(SqliteMoved, DoesNotGetWhatTheOldFileHadInItsWal) {
  rows(*first, "insert into t values (10)");
  rows(*second, "create table other as select 11 as x");
  ASSERT_GT(std::filesystem::file_size(path("a.db-wal")), 0u);
  replace("2");
  EXPECT_EQ(list(*second), "2\n");
  EXPECT_EQ(failure_of(*first, "select * from other").code, errc::rejected_sql);
  rows(*first, "insert into t values (3)");
  EXPECT_EQ(rows(*second, "pragma integrity_check").scalar<std::string>(), "ok");
  EXPECT_EQ(shell(path("a.db"), "select x from t order by x;"), "2\n3\n");
}

TEST_F(SqliteMoved, IsFoundByASessionThatIsOpenedBesideIdleOnes) {
  rows(*first, "insert into t values (10)");
  replace("2");
  auto third = std::move(try_open(*factory).value());
  EXPECT_EQ(list(*third), "2\n");
  EXPECT_EQ(list(*first) + list(*second), "2\n2\n");
}

TEST_F(SqliteMoved, IsClosedByAllEnginesOfTheProcess) {
  rows(*first, "insert into t values (10)");
  replace("2");
  auto of_another = open("sqlite:" + path("a.db"));
  rows(*of_another, "insert into t values (3)");
  EXPECT_EQ(list(*first) + list(*of_another), "2\n3\n2\n3\n");
  EXPECT_EQ(rows(*second, "pragma integrity_check").scalar<std::string>(), "ok");
}

TEST_F(SqliteMoved, LeavesNoWalToWhoComesNext) {
  rows(*first, "insert into t values (10)");
  replace("2");
  first.reset();
  second.reset();
  wait_for_closed_sessions();
  EXPECT_EQ(shell(path("a.db"), "select x from t; pragma integrity_check;"), "2\nok\n");
}

TEST_F(SqliteMoved, IsMissedWhileItIsNotThere) {
  rows(*first, "insert into t values (10)");
  for (const auto* part : {"", "-wal", "-shm"})
    std::filesystem::remove(path("a.db") + part);
  for (const auto* sql : {"select x from t", "insert into t values (11)"}) {
    const auto f = failure_of(*first, sql);
    EXPECT_EQ(f.code, errc::connect_failed) << f.message;
    EXPECT_NE(f.message.find("not there"), std::string::npos) << f.message;
    EXPECT_FALSE(f.reached_server);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  replace("2");
  EXPECT_EQ(list(*first) + list(*second), "2\n2\n");
}

TEST_F(SqliteMoved, LosesNoWriteSilently) {
  const auto f = failure_in(run_task(*first, [&](soci::session& s) {
    s << "insert into t values (10)";
    replace("2");
  }));
  EXPECT_EQ(f.code, errc::connection_lost) << f.message;
  EXPECT_TRUE(f.reached_server);
  EXPECT_FALSE(first->usable());
  query reads = query::of_task("task", [&](soci::session& s) {
    int n = 0;
    s << "select count(*) from t", soci::into(n);
    replace("3");
    return n;
  });
  reads.read_only = true;
  EXPECT_TRUE(std::holds_alternative<std::any>(run(*second, std::move(reads))));
  EXPECT_EQ(list(*second), "3\n");
}

TEST_F(SqliteMoved, WaitsForSessionsThatAreBusyWithTheOldFile) {
  std::promise<void> is_in, may_go;
  auto busy = start(*first, query::of_task("task", [&](soci::session& s) {
    int n = 0;
    s << "select count(*) from t", soci::into(n);
    is_in.set_value();
    may_go.get_future().wait();
    return n;
  }));
  is_in.get_future().wait();
  replace("2");
  const auto f = failure_in(start(*second, {"q", "select x from t"}, clock::now() + 50ms)->future.get().first);
  EXPECT_EQ(f.code, errc::connect_failed) << f.message;
  EXPECT_NE(f.message.find("still busy"), std::string::npos) << f.message;
  start(*second, {"q", "select x from t"});
  drop(*second);
  EXPECT_FALSE(heard(*busy));
  auto waits = start(*second, {"q", "select x from t"});
  may_go.set_value();
  EXPECT_EQ(std::get<table>(waits->future.get().first).scalar<int>(), 2);
  busy->future.wait();
}

TEST_F(SqliteMoved, IsNoticedWhereItIsOnlyReadToo) {
  auto reader = open("sqlite:" + path("a.db") + "?mode=ro");
  auto immutable = open("sqlite:" + path("a.db") + "?immutable=1");
  EXPECT_EQ(list(*reader) + list(*immutable), "1\n1\n");
  replace("2");
  EXPECT_EQ(list(*reader) + list(*immutable), "2\n2\n");
}

} // namespace
