// SPDX-License-Identifier: BSD-3-Clause
//
// All that a statement or task leaves in its PostgreSQL session is gone before the next one has it, and a plain
// statement does not pay for that.

#include "support/postgresql_test.hpp"

#include <soci/soci.h>

namespace {

using namespace sheaf;
using namespace sheaf::test;

class SessionTraces : public PostgresqlTest {
protected:
  void SetUp() override {
    PostgresqlTest::SetUp();
    open();
  }

  /// All that a next query could find.
  std::string found() {
    return rows("select concat_ws(' ', current_setting('search_path'), current_setting('work_mem'), current_user, "
                "(select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), "
                "(select count(*) from pg_class where relpersistence = 't' and relname = 'mine'), "
                "(select count(*) from pg_listening_channels()), (select count(*) from pg_cursors where name = 'c'), "
                "current_setting('extra_float_digits'))")
        .scalar<std::string>();
  }

  void expect_no_trace_of(const std::string& sql) {
    const auto before = found();
    const auto pid = backend_pid();
    static_cast<void>(run(statement{sql})); // some of them fail, and leave something all the same
    EXPECT_EQ(found(), before) << sql;
    EXPECT_EQ(backend_pid(), pid) << sql;
  }
};

TEST_F(SessionTraces, OfStatementsAreGone) {
  for (const char* sql : {
           "set search_path = pg_catalog",
           "set work_mem = '1GB'",
           "set role pg_monitor",
           "select set_config('work_mem', '2GB', false)",
           "/* a comment */ ( select set_config('work_mem', '2GB', false) )",
           "select pg_advisory_lock(7)",
           "select pg_advisory_lock_shared(7)",
           "select pg_try_advisory_lock(8)",
           "select pg_advisory_lock(7), 1 / 0",
           "create temporary table mine (x int)",
           "select 1 as x into temp mine",
           "listen news",
           "do $$ begin perform set_config('work_mem', '3GB', false); end $$",
           "begin",
           "declare c cursor with hold for select 1",
       })
    expect_no_trace_of(sql);
}

TEST_F(SessionTraces, OfTasksAreGone) {
  const auto before = found();
  const auto pid = backend_pid();
  on_session([](soci::session& s) {
    s << "set search_path = pg_catalog";
    s << "create temporary table mine (x int)";
    s << "select pg_advisory_lock(7)";
    s << "listen news";
    s << "begin";
  });
  EXPECT_EQ(found(), before);
  EXPECT_EQ(backend_pid(), pid);
}

TEST_F(SessionTraces, OfACancelledStatementAreGone) {
  const auto before = found();
  auto asked = request_of({{"q", "select pg_advisory_lock(7), pg_sleep(86400)"}});
  asked.deadline = std::chrono::milliseconds{100};
  EXPECT_FALSE(e->run(std::move(asked)).ok());
  EXPECT_EQ(found(), before);
}

TEST_F(SessionTraces, KeepPreparedStatements) {
  const statement again{"select :n::int"};
  for (int i = 0; i < 2; ++i) // it has a name from the second time on
    run(again, {{"n", 1}});
  rows("set work_mem = '1GB'");
  EXPECT_EQ(run(again, {{"n", 2}})["q"].table().scalar<int>(), 2);
  EXPECT_EQ(rows("select count(*) from pg_prepared_statements where statement = 'select $1::int'").scalar<int>(), 1);
}

} // namespace
