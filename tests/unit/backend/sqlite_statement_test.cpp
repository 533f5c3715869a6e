// SPDX-License-Identifier: BSD-3-Clause
//
// SQL statements on an SQLite session: refusals, affected rows, and the statement cache.

#include "unit/backend/sqlite_client.hpp"

namespace {

using namespace sheaf;

class SqliteStatement : public test::SqliteTest {
protected:
  session_ptr db = open("sqlite:" + path("a.db") + "?mode=rwc");

  std::string list(statement sql, parameters values = {}) {
    return as_list(rows(*db, std::move(sql), std::move(values)));
  }
  failure refused(statement sql, parameters values = {}) { return failure_of(*db, std::move(sql), std::move(values)); }
};

// -- one statement
// --------------------------------------------------------------------------------------------------------

TEST_F(SqliteStatement, RefusesTwoStatementsAndRunsNothingOfThem) {
  rows(*db, "create table t(x)");
  for (const auto* sql :
       {"insert into t values (1); insert into t values (2)", "insert into t values (1);;drop table t",
        "insert into t values (1); -- and\n select", "insert into t values (1); garbage",
        "pragma user_version = 7; select 1", "explain pragma user_version = 7; select 1",
        "/**/ PRAGMA synchronous = /* ; */ off; select 1", "explain query plan pragma synchronous=off; select 1"}) {
    const auto f = refused(sql);
    EXPECT_EQ(f.code, errc::rejected_sql) << sql;
    EXPECT_FALSE(f.reached_server);
  }
  EXPECT_EQ(list("select count(*) from t"), "0\n");
  EXPECT_EQ(list("pragma user_version"), "0\n");
  EXPECT_EQ(list("pragma synchronous"), "2\n");
}

TEST_F(SqliteStatement, SaysWhereTheSecondStatementBegins) {
  EXPECT_EQ(refused("select 'é', :a ; /* x */ select 2", {{"a", 1}}).position, 26u);
  EXPECT_EQ(refused("pragma user_version; select 2").position, 22u);
}

TEST_F(SqliteStatement, TakesBlanksCommentsAndSemicolonsAround) {
  EXPECT_EQ(list(" ; -- first\n ; /* ; */ select 1 ; ;; -- x\n /* ; select 2 */ ; /* open"), "1\n");
  EXPECT_EQ(list("pragma \"user_version\" -- ;\n ;"), "0\n");
  EXPECT_EQ(list("select ';' as \";\", [;] from (select 1 as [;]);"), ";|1\n");
}

TEST_F(SqliteStatement, TakesAStatementWithStatementsInside) {
  rows(*db, "create table t(x)");
  rows(*db,
       "create trigger more after insert on t when new.x < 3 begin insert into t values (new.x + 10); select 1; end;");
  rows(*db, "insert into t values (1)");
  EXPECT_EQ(list("select x from t order by x"), "1\n11\n");
}

TEST_F(SqliteStatement, RefusesAnEmptyStatement) {
  for (const auto* sql : {"", " \n\t", ";", "-- nothing", "/* nothing */ ;", "/* open"}) {
    const auto f = refused(sql);
    EXPECT_EQ(f.code, errc::rejected_sql) << sql;
    EXPECT_NE(f.message.find("empty"), std::string::npos) << f.message;
  }
}

// -- failures
// -------------------------------------------------------------------------------------------------------------

TEST_F(SqliteStatement, SaysWhereASyntaxErrorIs) {
  const auto f = refused("select 'é', :parameter,\n from x", {{"parameter", 1}});
  EXPECT_EQ(f.code, errc::rejected_sql);
  EXPECT_EQ(f.position, 26u); // "from", counted in characters of what was given
  EXPECT_EQ(f.message, "near \"from\": syntax error");
  EXPECT_EQ(f.phase, phase::execute);
  EXPECT_FALSE(f.reached_server);
  EXPECT_EQ(refused(" ; /* é */ selec 1").position, 12u);
}

TEST_F(SqliteStatement, NamesTheKindOfFailure) {
  rows(*db, "create table t(x integer primary key, y check (y > 0), z unique)");
  rows(*db, "create table s(x int) strict");
  rows(*db, "insert into t values (1, 1, 1)");
  const std::pair<const char*, errc> cases[] = {
      {"insert into t values (1, 1, 2)", errc::constraint_violated},
      {"insert into t values (2, 0, 2)", errc::constraint_violated},
      {"insert into t values (2, 1, 1)", errc::constraint_violated},
      {"insert into s values ('x')", errc::constraint_violated},
      {"insert into t values ('x', 1, 2)", errc::rejected_sql}, // datatype mismatch
      {"select nothing from t", errc::rejected_sql},
      {"select * from nothing", errc::rejected_sql},
      {"select abs(-9223372036854775808)", errc::rejected_sql},
      {"select zeroblob(1000000001)", errc::rejected_sql},
      {"attach '/nowhere/at/all.db' as other", errc::rejected_sql},
  };
  for (const auto& [sql, code] : cases) {
    const auto f = refused(sql);
    EXPECT_EQ(f.code, code) << sql << ": " << f.message;
    EXPECT_FALSE(f.message.empty());
    EXPECT_TRUE(db->usable());
  }
}

TEST_F(SqliteStatement, SaysThatThereIsNoRoom) {
  rows(*db, "create table t(x)");
  rows(*db, "insert into t values (1)");
  rows(*db, "pragma max_page_count = 20");
  const auto f = refused("insert into t values (zeroblob(:n))", {{"n", 1'000'000}});
  EXPECT_EQ(f.code, errc::disk_full) << f.message;
  EXPECT_NE(f.message.find("make room on its disk, or raise pragma max_page_count"), std::string::npos) << f.message;
  EXPECT_TRUE(f.reached_server);
  EXPECT_TRUE(db->usable());
  EXPECT_EQ(list("select count(*) from t"), "1\n");
  const auto in_task =
      failure_in(run_task(*db, [](soci::session& s) { s << "insert into t values (zeroblob(1000000))"; }));
  EXPECT_EQ(in_task.code, errc::disk_full) << in_task.message;
}

TEST_F(SqliteStatement, ShowsNoBoundValueInAFailure) {
  rows(*db, "create virtual table words using fts5(word)");
  rows(*db, "create table t(x unique)");
  rows(*db, "insert into t values ('hunter2')");
  const parameters secret{{"v", "\"a\" : ^ hunter2 ("}}, plain{{"v", "hunter2"}};
  EXPECT_EQ(refused("select * from words where words match :v", secret).message.find("hunter2"), std::string::npos);
  EXPECT_EQ(refused("select * from words(:v)", {{"v", "hunter2 : x"}}).message.find("hunter2"), std::string::npos);
  EXPECT_EQ(refused("select json_extract('{}', :v)", plain).message.find("hunter2"), std::string::npos);
  EXPECT_EQ(refused("attach :v as x", {{"v", "/nowhere/hunter2"}}).message.find("hunter2"), std::string::npos);
  EXPECT_EQ(refused("insert into t values (:v)", plain).message, "UNIQUE constraint failed: t.x");
}

TEST_F(SqliteStatement, KeepsAFailureOnOneLine) {
  EXPECT_EQ(refused("select \"a\nb\" from (select 1)x where \"c\nd\".e").message.find('\n'), std::string::npos);
}

// -- other files
// -----------------------------------------------------------------------------------------------------------------

TEST_F(SqliteStatement, AttachesNoMissingFileUnlessTold) {
  rows(*db, "create table t as select 7 as x");
  for (const std::string mode : {"?mode=rwc", "?mode=rw", "?mode=ro"}) {
    auto s = open("sqlite:" + path("a.db") + mode);
    for (const std::string& sql :
         std::vector<std::string>{"attach '" + path("typo.db") + "' as x", "/**/ ATTACH database :f as x",
                                  "attach 'file:" + path("typo.db") + "' as x"}) {
      const auto f =
          failure_of(*s, sql, sql.find(":f ") == sql.npos ? parameters{} : parameters{{"f", path("typo.db")}});
      EXPECT_EQ(f.code, errc::rejected_sql) << sql;
      EXPECT_NE(f.message.find("'file:NAME?mode=rwc'"), std::string::npos) << f.message;
    }
    EXPECT_FALSE(std::filesystem::exists(path("typo.db"))) << mode;
    EXPECT_TRUE(s->usable());
  }
  rows(*db, "attach 'file:" + path("new.db") + "?mode=rwc' as new");
  rows(*db, "create table new.t as select 8 as x");
  rows(*db, "attach '" + path("new.db") + "' as again");
  EXPECT_EQ(list("select x from again.t"), "8\n");
}

TEST_F(SqliteStatement, AttachesWhatNeedsNoFile) {
  rows(*db, "attach ':memory:' as m");
  rows(*db, "attach '' as n");
  rows(*db, "create table m.t as select 1 as x");
  rows(*db, "create table n.t as select 2 as x");
  EXPECT_EQ(list("select m.t.x, n.t.x from m.t, n.t"), "1|2\n");
}

TEST_F(SqliteStatement, CopiesIntoANewFile) {
  rows(*db, "create table t as select 7 as x");
  rows(*db, "vacuum");
  rows(*db, "vacuum into '" + path("copy.db") + "'");
  EXPECT_EQ(shell(path("copy.db"), "select x from t;"), "7\n");
}

TEST_F(SqliteStatement, RejectsAttachingWhatIsNoDatabase) {
  std::ofstream{path("garbage")} << std::string(10'000, 'x');
  for (const auto& file : {path("garbage"), folder.string()}) {
    const auto f = refused("attach '" + file + "' as x");
    EXPECT_EQ(f.code, errc::rejected_sql) << f.message;
    EXPECT_TRUE(db->usable());
  }
  EXPECT_EQ(list("select count(*) from pragma_database_list"), "1\n");
}

// -- affected rows
// --------------------------------------------------------------------------------------------------------

TEST_F(SqliteStatement, CountsTheRowsThatAStatementAffects) {
  const auto affected = [&](const char* sql) { return rows(*db, sql).affected_rows(); };
  EXPECT_EQ(affected("create table t(x)"), 0u);
  EXPECT_EQ(affected("create table log(x)"), 0u);
  EXPECT_EQ(affected("insert into t values (1), (2), (3)"), 3u);
  EXPECT_EQ(affected("create index i on t(x)"), 0u); // not the 3 of before
  EXPECT_EQ(affected("select * from t"), 3u);
  EXPECT_EQ(affected("values (1), (2)"), 2u);
  EXPECT_EQ(affected("explain select * from t"), 0u);
  EXPECT_EQ(affected("pragma table_info(t)"), 0u);
  EXPECT_EQ(affected("insert into t select 9 where false"), 0u);
  EXPECT_EQ(affected("create trigger twice after update on t begin insert into log values (1), (2); end"), 0u);
  EXPECT_EQ(affected("update t set x = x + 1 where x > 1"), 2u); // without the trigger's
  EXPECT_EQ(affected("insert into t values (7), (8) returning x"), 2u);
  EXPECT_EQ(affected("with old as (select 7 as x) delete from t where x in old"), 1u);
  EXPECT_EQ(affected("drop table log"), 0u);
  EXPECT_EQ(affected("delete from t"), 4u);
}

// -- bounds
// ---------------------------------------------------------------------------------------------------------------

TEST_F(SqliteStatement, RefusesAResultWithTooManyRows) {
  query q{"q", "with recursive n(x) as (select 1 union all select x + 1 from n limit :n) select x from n"};
  q.max_rows = 100;
  q.parameters = {{"n", 100}};
  EXPECT_EQ(std::get<table>(run(*db, q)).rows(), 100u);
  q.parameters = {{"n", 101}};
  const auto f = failure_in(run(*db, q));
  EXPECT_EQ(f.code, errc::result_too_large);
  EXPECT_EQ(f.phase, phase::fetch);
  EXPECT_NE(f.message.find("max_rows (100)"), std::string::npos) << f.message;
  q.statement = "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n"; // endless
  q.parameters = {};
  EXPECT_EQ(failure_in(run(*db, q)).code, errc::result_too_large);
}

TEST_F(SqliteStatement, RefusesAResultWithTooManyBytes) {
  query q{"q", "select zeroblob(:n), 'abcd', null"};
  q.max_bytes = 1000;
  q.parameters = {{"n", 948}};
  EXPECT_EQ(std::get<table>(run(*db, q)).bytes(), 952u); // and 16 for each cell
  q.parameters = {{"n", 949}};
  const auto f = failure_in(run(*db, q));
  EXPECT_EQ(f.code, errc::result_too_large);
  EXPECT_NE(f.message.find("max_bytes (1000)"), std::string::npos) << f.message;
  q.parameters = {{"n", 100'000'000}};
  EXPECT_EQ(failure_in(run(*db, q)).code, errc::result_too_large);
}

TEST_F(SqliteStatement, UndoesAWriteWhoseResultIsTooLarge) {
  rows(*db, "create table t(x)");
  query q{"q", "insert into t values (1), (2), (3) returning x"};
  for (const std::size_t bound : {0, 1, 2}) {
    q.max_rows = bound;
    EXPECT_EQ(failure_in(run(*db, q)).code, errc::result_too_large);
    EXPECT_EQ(list("select count(*) from t"), "0\n") << bound;
  }
  q.max_rows = 3;
  EXPECT_EQ(std::get<table>(run(*db, q)).rows(), 3u);
  EXPECT_EQ(list("select count(*) from t"), "3\n");
}

// -- the cache
// ------------------------------------------------------------------------------------------------------------

class SqliteStatementCache : public SqliteStatement {
protected:
  /// The statements that `s` has prepared now, as SQLite's own list of them says, this one excepted.
  std::string prepared(session& s) {
    auto x = run(s, query::of_task("list", [](soci::session& sql) {
                   std::string all;
                   const soci::rowset<std::string> rows =
                       sql.prepare << "select sql from sqlite_stmt where sql not like '%sqlite_stmt%' order by sql";
                   for (const auto& text : rows)
                     all += text + "\n";
                   return all;
                 }));
    return std::any_cast<std::string>(std::get<std::any>(x));
  }
};

TEST_F(SqliteStatementCache, KeepsTheStatementsThatWereUsedLast) {
  auto s = open("sqlite:" + path("a.db"), 2);
  rows(*s, "select 1");
  rows(*s, "select 2");
  rows(*s, statement{"select 1"}); // another object, the same text
  EXPECT_EQ(prepared(*s), "select 1\nselect 2\n");
  rows(*s, "select 3");
  EXPECT_EQ(prepared(*s), "select 1\nselect 3\n");
  EXPECT_EQ(rows(*s, "select 2").scalar<int>(), 2);
  EXPECT_EQ(prepared(*s), "select 2\nselect 3\n");
}

TEST_F(SqliteStatementCache, CanBeTurnedOff) {
  auto s = open("sqlite:" + path("a.db"), 0);
  EXPECT_EQ(rows(*s, "select 1").scalar<int>(), 1);
  EXPECT_EQ(rows(*s, "select 2").scalar<int>(), 2);
  EXPECT_EQ(prepared(*s), "select 2\n"); // until the next one
}

TEST_F(SqliteStatementCache, KeepsNoStatementThatFailedToPrepare) {
  refused("select x from nothing");
  refused("select 1; select 2");
  EXPECT_EQ(prepared(*db), "");
}

TEST_F(SqliteStatementCache, KeepsNoPragma) {
  // SQLite reads some values while it prepares, and sets some.
  EXPECT_EQ(list("pragma cache_size"), "-2000\n");
  rows(*db, "pragma cache_size = 500");
  EXPECT_EQ(list("pragma cache_size"), "500\n");
  rows(*db, "pragma cache_size = 600");
  rows(*db, "pragma cache_size = 500");
  EXPECT_EQ(list("pragma cache_size"), "500\n");
  EXPECT_EQ(prepared(*db), "pragma cache_size\n"); // until the next one
}

TEST_F(SqliteStatementCache, NoticesThatTheSchemaHasChanged) {
  rows(*db, "create table t(x)");
  rows(*db, "insert into t values (1)");
  EXPECT_EQ(rows(*db, "select * from t").columns(), 1u);
  shell(path("a.db"), "alter table t add column y default 2;");
  const auto t = rows(*db, "select * from t");
  ASSERT_EQ(t.columns(), 2u);
  EXPECT_EQ(t.get<int>(0, "y"), 2);
}

TEST_F(SqliteStatementCache, HoldsNoLockAndNoValueBetweenJobs) {
  rows(*db, "create table t(x)");
  rows(*db, "insert into t values (:x)", {{"x", std::string(1000, 'x')}});
  query q{"q", "select * from t as a, t as b"};
  q.max_rows = 0;
  EXPECT_EQ(failure_in(run(*db, q)).code, errc::result_too_large);
  EXPECT_EQ(shell(path("a.db"), "drop table t; vacuum; pragma wal_checkpoint(truncate);"), "0|0|0\n");
}

} // namespace
