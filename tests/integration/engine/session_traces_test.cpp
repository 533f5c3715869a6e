// SPDX-License-Identifier: BSD-3-Clause
//
// All that a statement or task leaves in its PostgreSQL session is gone before the next one has it, and a plain
// statement does not pay for that.

#include "sheaf/sql/known_functions.hpp"
#include "support/postgresql_test.hpp"

#include <soci/soci.h>

#include <set>
#include <string>

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
                "(select count(*) from pg_listening_channels()), "
                "(select count(*) from pg_prepared_statements where from_sql), "
                "(select count(*) from pg_cursors where name = 'c'), "
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
           "update pg_settings set setting = '9MB' where name = 'work_mem'",
           "select U&\"set\\005fconfig\"('work_mem', '2GB', false)",
           "explain analyze select set_config('work_mem', '2GB', false)",
           "prepare mine as select 1",
           "do $$ begin execute 'prepare mine as select 1'; end $$",
       })
    expect_no_trace_of(sql);
}

/// The user's own, which nothing in the statement's words tells of.
TEST_F(SessionTraces, OfFunctionsAreGone) {
  schema.server("create function leaves() returns int language plpgsql as $$ begin "
                "perform set_config('search_path', 'pg_catalog', false); perform pg_advisory_lock(7); "
                "create temp table mine (n int); return 1; end $$");
  for (const char* sql : {"select leaves()", "select * from leaves()", "values (leaves())",
                          "explain analyze select leaves()", "with x as (select leaves()) table x"})
    expect_no_trace_of(sql);
}

/// The server reports it: so it is seen after a view, too.
TEST_F(SessionTraces, OfReportedSettingsAreGoneWhateverHasSetThem) {
  schema.server("create function moves() returns int language plpgsql as $$ begin set timezone = 'Asia/Tokyo'; "
                "return 1; end $$");
  schema.server("create view moving as select moves()");
  const auto before = rows("show timezone").scalar<std::string>();
  rows("select * from moving");
  EXPECT_EQ(rows("show timezone").scalar<std::string>(), before);
}

TEST_F(SessionTraces, OfSequencesAreNotFound) {
  schema.server("create table numbered (n serial, x int)");
  const auto pid = backend_pid();
  rows("insert into numbered(x) values (1)");
  for (const char* sql : {"select lastval()", "select currval('numbered_n_seq')"})
    EXPECT_EQ(refused(sql).sqlstate, "55000") << sql;
  EXPECT_EQ(rows("select nextval('numbered_n_seq')").scalar<int>(), 2);
  EXPECT_EQ(refused("select lastval()").sqlstate, "55000");
  EXPECT_EQ(backend_pid(), pid);
}

/// The server's catalog knows: a function that is not volatile changes nothing. Of the others, these only look, wait,
/// or hold something until the end of their transaction.
TEST_F(SessionTraces, AreNotLeftByFunctionsThatAreKnownToRead) {
  const std::set<std::string> harmless{"clock_timestamp",
                                       "current_query",
                                       "gen_random_uuid",
                                       "pg_advisory_xact_lock",
                                       "pg_advisory_xact_lock_shared",
                                       "pg_blocking_pids",
                                       "pg_database_size",
                                       "pg_indexes_size",
                                       "pg_is_in_recovery",
                                       "pg_relation_size",
                                       "pg_sleep",
                                       "pg_sleep_for",
                                       "pg_sleep_until",
                                       "pg_table_size",
                                       "pg_total_relation_size",
                                       "pg_try_advisory_xact_lock",
                                       "pg_try_advisory_xact_lock_shared",
                                       "random",
                                       "timeofday"};
  const auto is_volatile =
      rows("select distinct proname::text from pg_proc where pronamespace = 'pg_catalog'::regnamespace "
           "and provolatile = 'v'");
  std::size_t volatile_ones = 0;
  for (std::size_t i = 0; i < is_volatile.rows(); ++i)
    if (const auto name = is_volatile.get<std::string>(i, 0); only_reads(name)) {
      EXPECT_TRUE(harmless.contains(name)) << name;
      ++volatile_ones;
    }
  EXPECT_GT(volatile_ones, 15u);
}

TEST_F(SessionTraces, OfASeedAreGone) {
  const auto draw = [&] {
    rows("select setseed(0.5)");
    return rows("select random()").scalar<double>();
  };
  EXPECT_NE(draw(), draw());
}

/// A view that changes its session is not seen through, unless each query is cleaned up after.
TEST_F(SessionTraces, OfAViewAreGoneWhereEachIsLookedFor) {
  schema.server("create function leaves() returns int language plpgsql as $$ begin "
                "perform set_config('work_mem', '9MB', false); return 1; end $$");
  schema.server("create view leaving as select leaves()");
  open([](options& how) { how.databases[0].reset = session_reset::always; });
  expect_no_trace_of("select * from leaving");
}

TEST_F(SessionTraces, StayWhereNobodyWantsThemGone) {
  open([](options& how) { how.databases[0].reset = session_reset::never; });
  rows("set work_mem = '9MB'");
  EXPECT_EQ(rows("show work_mem").scalar<std::string>(), "9MB");
  rows("begin");
  EXPECT_EQ(refused("savepoint here").sqlstate, "25P01") << "the transaction was rolled back";
}

/// A name is all that is seen of a function, so another of the same name, which takes no superuser, will do.
TEST_F(SessionTraces, OfWhatNothingUndoesGoWithTheirSession) {
  schema.server("create function pg_backup_start(int) returns int language sql as 'select $1'");
  const auto before = backend_pid();
  EXPECT_EQ(rows("select pg_backup_start(:n::int)", {{"n", 7}}).scalar<int>(), 7);
  const auto then = backend_pid();
  EXPECT_NE(then, before);
  EXPECT_EQ(refused("select pg_backup_start(1), 1 / (:n::int - 7)", {{"n", 7}}).sqlstate, "22012");
  EXPECT_NE(backend_pid(), then) << "an error undoes it no more";
  const auto last = backend_pid();
  rows("explain select pg_backup_start(7)");
  EXPECT_EQ(backend_pid(), last);
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
