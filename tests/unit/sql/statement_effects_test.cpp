// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/statement_effects.hpp"

#include <gtest/gtest.h>

namespace {

using namespace sheaf;

TEST(Traces, AreNotLookedForAfterPlainStatements) {
  for (const char* sql :
       {"select 1", "  -- note\n\tSELECT 1", "/* a */ with x as (select 1) select * from x", "(select 1)",
        "insert into t values (1)", "Update t set x = 1", "delete from t", "values (1)", "table t",
        "select pg_advisory_xact_lock(1)", "explain select 1", "show all", "select temperature, attempt from templates",
        "select temp_c, x.temporary_ from x", "select :temp"})
    EXPECT_FALSE(may_leave_traces(sql)) << sql;
}

TEST(Traces, AreLookedForInDoubt) {
  for (const char* sql : {"", "set x = 1", "selectx", "call p()", "do $$ $$", "create table t(x int)", "listen a",
                          "/* /* nested */ */ select 1", "select SET_CONFIG('a', 'b', false)", "begin",
                          "prepare a as select 1", "select 1 into TEMP t", "select x into temporary t from y",
                          "insert into pg_temp.t values (1)", "select 1 as temp"})
    EXPECT_TRUE(may_leave_traces(sql)) << sql;
}

TEST(Traces, AreKnownOfWhatIsForItsSession) {
  for (const char* sql : {"set x = 1", " -- note\nlisten a", "prepare a as select 1", "begin", "reset all",
                          "create temp table t(x int)", "create or replace local TEMPORARY view v as select 1",
                          "select set_config('a', 'b', false)", "select pg_advisory_lock(1)", "select 1 into temp t",
                          "insert into pg_temp.t values (1)", "declare c cursor with hold for select 1"})
    EXPECT_TRUE(leaves_traces(sql)) << sql;
  for (const char* sql : {"", "select 1", "create table t(temp int)", "create table t as select temporary from a",
                          "call p()", "do $$ $$", "vacuum", "notify a", "select temp from readings",
                          "select 1 where kind = 'temporary'", "select pg_advisory_xact_lock(1)", "drop table temp",
                          "alter table t add temporary int", "insert into t(temp) values (1)"})
    EXPECT_FALSE(leaves_traces(sql)) << sql;
}

TEST(Effect, IsReadingForQueries) {
  for (const char* sql :
       {"select 1", "WITH x as (select 1) select * from x", "values (1)", "table t", "show all", "explain select 1",
        "(select 1)", "select inserted, into_ from updates", "select :update, x from t where y =:into"})
    EXPECT_EQ(effect_of(sql), effect::reads) << sql;
}

TEST(Effect, IsInDoubtForQueriesThatNameACommand) {
  for (const char* sql : {"with x as (delete from t returning *) select * from x", "explain analyze Insert into t",
                          "select 1 into t", "select 'update'"})
    EXPECT_EQ(effect_of(sql), effect::may_write) << sql;
}

TEST(Effect, IsWritingForTheRest) {
  for (const char* sql : {"", "insert into t values (1)", "call p()", "do $$ $$", "pragma journal_mode = wal"})
    EXPECT_EQ(effect_of(sql), effect::writes) << sql;
}

TEST(Planned, IsWhatPostgresqlMakesAPlanFor) {
  for (const char* sql : {"select 1", "-- note\r\nWITH x as (select 1) select * from x", "((values (1)))", "table t",
                          "insert into t values (1)", "Update t set x = 1", "delete from t", "/* a */ merge into t"})
    EXPECT_TRUE(is_planned(sql)) << sql;
  for (const char* sql : {"", "call p()", "do $$ $$", "execute x", "fetch all c", "explain execute x", "show all",
                          "selectx", "vacuum", "create table t as select 1"})
    EXPECT_FALSE(is_planned(sql)) << sql;
}

/// PostgreSQL nests comments and ends a line at a carriage return, SQLite does neither: the first word is another one.
TEST(Planned, IsNothingWhoseFirstWordIsInDoubt) {
  for (const char* sql : {"/* /* */ select */ call p()", "-- select\rcall p()", "-- note\rselect 1", "/* select 1"}) {
    EXPECT_FALSE(is_planned(sql)) << sql;
    EXPECT_EQ(effect_of(sql), effect::writes) << sql;
    EXPECT_TRUE(may_leave_traces(sql)) << sql;
  }
}

} // namespace
