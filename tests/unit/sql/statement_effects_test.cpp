// SPDX-License-Identifier: BSD-3-Clause
//
// The effects of statements, by dialect: a table of statements, each with the effects that are read from its words.

#include "sheaf/sql/known_functions.hpp"
#include "sheaf/sql/scanner.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace {

using namespace sheaf;

constexpr auto reads = effect::reads, may_write = effect::may_write, writes = effect::writes;
constexpr auto none = traces::none, possible = traces::possible, certain = traces::certain;

statement_effects pg(std::string_view sql) { return parse_statement(sql, dialect::postgresql, {}).effects; }
effect lite(std::string_view sql) { return parse_statement(sql, dialect::sqlite, {}).effects.effect; }

void expect(effect e, traces t, std::initializer_list<const char*> statements) {
  for (const char* sql : statements) {
    EXPECT_EQ(static_cast<int>(pg(sql).effect), static_cast<int>(e)) << sql;
    EXPECT_EQ(static_cast<int>(pg(sql).traces), static_cast<int>(t)) << sql;
  }
}

TEST(PostgresqlEffects, NameAChangeWhereTheyNameItsCommand) {
  for (const auto* sql : {"select * from t for update", "select * from t for share", "select * from t for key share",
                          "select update from t"})
    EXPECT_TRUE(pg(sql).names_change) << sql;
  for (const auto* sql : {"select f()", "select share from fund", "select 'for update'", "select \"update\"",
                          "explain select 1 for update"})
    EXPECT_FALSE(pg(sql).names_change) << sql;
}

TEST(PostgresqlEffects, OfReadsAreNone) {
  expect(
      reads, none,
      {"select 1",
       "  -- note\n\tSELECT 1",
       "-- note\rselect 1",
       "/* a */ with x as (select 1) select * from x",
       "/* /* nested */ */ select 1",
       "(select 1)",
       "((values (1)))",
       "table t",
       "values (1), (2)",
       "show all",
       "show work_mem;",
       "select * from a join b using (id) where x in (1, 2) and not (y or z)",
       "select * from a where exists (select 1 from b) and id = any (array[1, 2])",
       "select count(*), sum(x), avg(distinct y), max(z) filter (where z > 0) from t group by (a), rollup (b)",
       "select rank() over (partition by a order by (b)), ntile(4) over w from t window w as (order by c)",
       "select percentile_cont(0.5) within group (order by x) from t",
       "select coalesce(a, b), nullif(a, 1), greatest(1, 2), least(1, 2), case when (a) then (b) else (c) end from t",
       "select cast(a as numeric(10, 2)), b::varchar(10), c::timestamp(3), d::character varying (3), e::bit(8) from t",
       "select extract(year from now()), current_timestamp(3), date_trunc('day', at), age(at) from t",
       "select substring(a from 1 for 2), trim(both from a), position('a' in b), overlay(a placing b from 1) from t",
       "select Lower(a), UPPER(a), pg_catalog.lower(a), \"lower\"(a), pg_catalog.\"lower\"(a) from t",
       "with recursive x(n) as (values (1) union all select n + 1 from x where n < 9) select * from x",
       "with x as materialized (select 1) select * from x",
       "select * from t as x (a, b)",
       "select * from generate_series(1, 3) n",
       "select * from t, lateral (select 1) x",
       "select * from jsonb_to_recordset(:j) as x (a int, b text)",
       "select * from unnest(:a::int[]) with ordinality as x (v, n)",
       "select * from t tablesample bernoulli (10) repeatable (1)",
       "select distinct on (a) a, b from t order by a limit (3) offset (1)",
       "select 1 union all (select 2) intersect (select 3) except (select 4)",
       "select row(1, 2), array(select 1), grouping(a) from t group by grouping sets ((a), ())",
       "select xmlelement(name a, xmlattributes(b)), xmlforest(c) from t",
       "select a at time zone (b) from t",
       "select pg_sleep(1), random(), gen_random_uuid(), clock_timestamp()",
       "select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)",
       "select current_setting('work_mem'), pg_backend_pid(), version(), current_user",
       "select 'insert into t', \"update\", 'select set_config(1)', $$ delete $$, $a$ pg_temp.x $a$, e'\\' into'",
       "select inserted, into_, temperature, attempt, temp, temporary, temp_c from updates",
       "select 1 as temp, t.temp from t",
       "select x -- ; delete from t\nfrom t",
       "select x /* delete */ from t;",
       "select * from pg_settings where name = 'work_mem'",
       "select ':a', :update, :into, :temp from t",
       "select a[1:2], a[:n], a[1::int] from t"});
}

TEST(PostgresqlEffects, OfWhatIsExplainedOnlyAreNone) {
  expect(reads, none,
         {"explain select 1", "explain (select 1)", "explain (costs off, format json) select 1",
          "explain verbose select 1", "explain insert into t values (1)", "explain (verbose) delete from t",
          "explain with x as (select 1) table x", "explain update t set a = 1"});
  expect(reads, possible,
         {"explain select f(1)", "explain create table t as select 1", "explain execute x",
          "explain select set_config('a', 'b', false)", "explain declare c cursor for select 1",
          "explain select 1 into temp t"});
}

TEST(PostgresqlEffects, OfWhatIsRunToBeExplainedAreItsOwn) {
  expect(reads, none,
         {"explain analyze select 1", "explain (analyze, buffers) select 1", "EXPLAIN ANALYSE verbose select 1",
          "explain (verbose, analyze true, format json) (select 1)"});
  expect(writes, none,
         {"explain analyze insert into t values (1)", "explain (analyze) delete from t",
          "explain (costs off, analyze) update t set a = 1", "explain (\"analyze\") delete from t",
          "explain (U&\"\\0061nalyze\") delete from t", "explain analyze verbose merge into t using s on (a = b)"});
  expect(writes, possible, {"explain analyze create table t as select 1", "explain (analyze) execute x"});
  expect(may_write, possible, {"explain analyze select f()", "explain (analyze false) select f()"});
  expect(writes, certain, {"explain analyze create temp table t as select 1"});
}

TEST(PostgresqlEffects, OfChangesAreWrites) {
  expect(writes, none,
         {"insert into t values (1)",
          "insert into t (a, b) values (:a, lower(:b)) on conflict (a) do update set (b, c) = (1, 2) returning (a)",
          "insert into s.t (a) select b from u", "insert into \"T\" (a) default values",
          "Update t set x = 1 where id in (select id from u)", "update only t set (a, b) = (select 1, 2)",
          "delete from t using u where t.a = u.a returning *",
          "merge into t using (select 1) s (a) on (t.a = 1) when not matched then insert (a) values (1)",
          "truncate t, u", "with x as (select 1) insert into t select * from x"});
  expect(writes, none,
         {"with x as (delete from t returning *) select * from x",
          "with x as (insert into t values (1) returning a) table x",
          "with x as (select 1), y as (update t set a = 1 returning *) select * from x, y",
          "with x as (merge into t using s on (a = b) when matched then delete) select 1", "select 1 into t"});
  expect(may_write, none,
         {"select * from t for update", "select * from t for no key update of t", "select * from t for share",
          "select * from t for key share"});
}

TEST(PostgresqlEffects, OfUnknownFunctionsAreInDoubt) {
  expect(may_write, possible,
         {"select f()",
          "select mine.lower(a) from t",
          "select \"Lower\"(a) from t",
          "select * from f(1) x",
          "select nextval('s')",
          "select setval('s', 1)",
          "select lo_create(0)",
          "select pg_notify('a', 'b')",
          "select set_limit(0.5)",
          "select dblink('a', 'b')",
          "select txid_current()",
          "select pg_terminate_backend(1)",
          "select pg_stat_reset()",
          "select g() from generate_series(1, 2)",
          "values (f())",
          "with x as (select f()) select 1",
          "select pg_read_file('a')",
          "select a.b.lower(c)",
          "select pg_export_snapshot()",
          "select \"a\"\"lower\"(1)",
          "select * from x, y(a)"});
  expect(writes, possible,
         {"insert into t values (f(1))", "update t set a = f()", "delete from t where f(a)",
          "insert into t values (nextval('s'))"});
}

TEST(PostgresqlEffects, OfOtherStatementsAreInDoubt) {
  expect(writes, possible,
         {"",
          ";",
          "selectx",
          "call p()",
          "/* /* */ select */ call p()",
          "-- select\rcall p()",
          "/* select 1",
          "do $$ begin end $$",
          "create table t (x int)",
          "create table t (temp int)",
          "create table t as select temporary from a",
          "create index on t (a)",
          "create function f() returns int language sql as $$ select 1 $$",
          "drop table temp",
          "alter table t add temporary int",
          "alter system set work_mem = '1MB'",
          "grant select on t to a",
          "vacuum",
          "analyze t",
          "cluster",
          "reindex table t",
          "refresh materialized view v",
          "comment on table t is 'a'",
          "copy t to '/tmp/x'",
          "execute x",
          "fetch all c",
          "move c",
          "close c",
          "lock table t",
          "notify a",
          "commit",
          "rollback",
          "savepoint a",
          "checkpoint",
          "import foreign schema a from server b into c",
          "security label on table t is 'a'",
          "select 1; select 2",
          "select 1; delete from t"});
}

TEST(PostgresqlEffects, OfWhatIsForItsSessionAreTraces) {
  expect(writes, certain,
         {"set x = 1",
          "SET local x = 1",
          "set role a",
          "set session authorization a",
          "reset all",
          " -- note\nlisten a",
          "unlisten *",
          "prepare a as select 1",
          "deallocate all",
          "declare c cursor with hold for select 1",
          "load 'auto_explain'",
          "discard temp",
          "begin",
          "start transaction",
          "create temp table t (x int)",
          "create or replace local TEMPORARY view v as select 1",
          "create global temporary table t (x int)",
          "create table pg_temp.t (x int)",
          "create temporary sequence s",
          "select 1 into temp t",
          "select x into temporary t from y",
          "insert into pg_temp.t values (1)",
          "delete from pg_temp_3.t",
          "update pg_settings set setting = '9MB' where name = 'work_mem'",
          "update \"pg_settings\" set setting = '9MB'",
          "update pg_catalog.pg_settings set setting = '9MB'"});
  expect(may_write, certain,
         {"select set_config('a', 'b', false)", "select SET_CONFIG('a', 'b', false)",
          "select \"set_config\"('a', 'b', false)", "select pg_catalog . set_config('a', 'b', false)",
          "select set_config /* */ ('a', 'b', false)", "select pg_advisory_lock(1)",
          "select pg_try_advisory_lock_shared(1)", "select setseed(0.5)", "select dblink_connect('a')",
          "explain analyze select set_config('a', 'b', false)",
          "explain (\"analyze\") select set_config('a', 'b', false)", "select U&\"\\0073et_config\"('a', 'b', false)",
          "select u&\"lower\"('a')", "select query_to_xml('delete from t', true, true, '')",
          "select * from ts_stat('select 1')", "select pg_create_physical_replication_slot('a', true, true)"});
  expect(writes, certain, {"update U&\"pg_settings\" set setting = 'a'"});
}

TEST(PostgresqlEffects, KnowWhatNothingUndoes) {
  for (const char* sql :
       {"select pg_backup_start('a', true)", "select pg_catalog.pg_replication_origin_session_setup('a')",
        "select pg_create_logical_replication_slot('a', 'b', true)"})
    EXPECT_TRUE(pg(sql).spoils_session) << sql;
  for (const char* sql :
       {"select set_config('a', 'b', false)", "select mine.pg_backup_start()", "select f()", "do $$ $$"})
    EXPECT_FALSE(pg(sql).spoils_session) << sql;
}

TEST(PostgresqlEffects, KnowWhatAsksForSequences) {
  for (const char* sql : {"select lastval()", "select currval('s')", "select pg_catalog.currval('s')",
                          "insert into t values (lastval())", "explain analyze select \"lastval\"()"})
    EXPECT_TRUE(pg(sql).asks_for_sequences) << sql;
  for (const char* sql : {"select lastval", "select 'lastval()'", "select mine.lastval()", "select 1"})
    EXPECT_FALSE(pg(sql).asks_for_sequences) << sql;
}

TEST(PostgresqlEffects, KnowWhatIsPlanned) {
  for (const char* sql : {"select 1", "-- note\r\nWITH x as (select 1) select * from x", "((values (1)))", "table t",
                          "insert into t values (1)", "Update t set x = 1", "delete from t", "/* a */ merge into t"})
    EXPECT_TRUE(pg(sql).planned) << sql;
  for (const char* sql : {"", "call p()", "do $$ $$", "execute x", "fetch all c", "explain execute x", "show all",
                          "explain select 1", "selectx", "vacuum", "create table t as select 1", "/* select 1"})
    EXPECT_FALSE(pg(sql).planned) << sql;
}

TEST(SqliteEffects, OfReadsAreNone) {
  for (const char* sql :
       {"select 1", "SELECT :update, x from t where y =:into", "-- note\nselect 1", "-- a\rb\nselect 1",
        "/* /* */ select 1", "values (1)", "with x as (select 1) select * from x", "select replace(a, 'b', 'c') from t",
        "select \"update\", [delete], `insert` from t", "select f(1)", "explain select 1",
        "explain query plan select 1", "explain delete from t", "pragma user_version", "pragma journal_mode",
        "pragma main.table_info(t)", "pragma table_info = t", "pragma foreign_key_check;",
        "select * from pragma_table_info('t')"})
    EXPECT_EQ(static_cast<int>(lite(sql)), static_cast<int>(reads)) << sql;
}

TEST(SqliteEffects, OfTheRestAreWritesOrInDoubt) {
  for (const char* sql : {"",
                          "insert into t values (1)",
                          "replace into t values (1)",
                          "update t set a = 1",
                          "delete from t",
                          "create table t (a)",
                          "drop table t",
                          "begin",
                          "commit",
                          "vacuum",
                          "attach 'a' as b",
                          "detach b",
                          "reindex",
                          "analyze",
                          "pragma journal_mode = wal",
                          "pragma journal_mode(wal)",
                          "pragma main.user_version = 3",
                          "pragma wal_checkpoint",
                          "pragma optimize",
                          "with x as (select 1) insert into t select * from x",
                          "with x as (select 1) replace into t select * from x",
                          "with x as (select 1) delete from t",
                          "-- select\rdelete from t\nselect 1; delete from t",
                          "/* /* */ delete from t /* */",
                          "select 1; select 2"})
    EXPECT_EQ(static_cast<int>(lite(sql)), static_cast<int>(writes)) << sql;
  EXPECT_EQ(static_cast<int>(lite("select load_extension('a')")), static_cast<int>(may_write));
}

TEST(KnownFunctions, LeaveTracesOrOnlyRead) {
  EXPECT_GT(functions_that_only_read().size(), 400u);
  for (const auto name : functions_that_only_read())
    EXPECT_FALSE(leaves_traces(name)) << name;
  EXPECT_TRUE(only_reads("lower"));
  EXPECT_FALSE(only_reads("LOWER"));
  EXPECT_FALSE(only_reads("nextval"));
}

} // namespace
