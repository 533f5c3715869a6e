// SPDX-License-Identifier: BSD-3-Clause
//
// Prepared statements on PostgreSQL: prepared once per session, forgotten in the right order, and not missed when they
// are gone.

#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/backend/postgresql/statement_cache.hpp"
#include "support/postgresql_test.hpp"

#include <soci/soci.h>

#include <libpq-fe.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::string_view_literals;

class StatementCache : public PostgresqlTest {
protected:
  void open_with(std::size_t size) {
    open([=](options& how) { how.databases[0].statement_cache_size = size; });
  }

  /// What others prepare on the session stays.
  void open_without_reset() {
    open([](options& how) { how.databases[0].reset = session_reset::never; });
  }

  /// The texts of what the session has prepared. Asking prepares nothing.
  std::multiset<std::string> prepared() {
    return on_session([](soci::session& s) {
      std::string all;
      s << "select coalesce(string_agg(statement, '|'), '') from pg_prepared_statements", soci::into(all);
      std::multiset<std::string> texts;
      std::istringstream in{all};
      for (std::string text; std::getline(in, text, '|');)
        texts.insert(text);
      return texts;
    });
  }

  /// The first run of a statement goes without a name, and tells the types that its name stands for.
  table twice(const statement& sql) {
    rows(sql);
    return rows(sql);
  }

  /// As a query that is declared to only read.
  table read(const statement& sql, parameters values) {
    query q{"q", sql, std::move(values)};
    q.read_only = true;
    auto x = run(std::move(q));
    if (!x.ok())
      throw error(*x.failure);
    return x["q"].table();
  }

  using texts = std::multiset<std::string>;
};

TEST_F(StatementCache, PreparesAStatementOnce) {
  open_with(256);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rows("select :x::int + 1", {{"x", i}}).scalar<int>(), i + 1);
    EXPECT_EQ(rows("select 'same text, another object'").rows(), 1u);
  }
  EXPECT_EQ(prepared(), (texts{"select $1::int + 1", "select 'same text, another object'"}));
}

TEST_F(StatementCache, ForgetsWhatWasNotUsedForLongest) {
  open_with(2);
  twice("select 'a'");
  twice("select 'b'");
  rows("select 'a'");
  twice("select 'c'");
  EXPECT_EQ(prepared(), (texts{"select 'a'", "select 'c'"}));
  twice("select 'b'");
  EXPECT_EQ(prepared(), (texts{"select 'b'", "select 'c'"}));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(twice(fmt::format("select {}", i)).scalar<int>(), i);
  EXPECT_EQ(prepared().size(), 2u);
}

TEST_F(StatementCache, OfSizeOneHasRoomForOne) {
  open_with(1);
  rows("create table t(x int)");
  for (const auto* sql : {"select 1", "table t", "select 2"}) {
    twice(sql);
    EXPECT_EQ(prepared(), (texts{sql}));
    rows("vacuum t");
    EXPECT_EQ(prepared(), (texts{sql})) << "there is no plan to keep";
  }
}

TEST_F(StatementCache, OfSizeNullPreparesNothing) {
  open_with(0);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(rows("select :x::int, :y::text", {{"x", i}, {"y", "z"}}).get<int>(0, 0), i);
  EXPECT_EQ(prepared(), texts{});
}

TEST_F(StatementCache, DoesNotKeepWhatCouldNotBePrepared) {
  open_with(256);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(refused("select * from not_yet").sqlstate, "42P01");
  EXPECT_EQ(prepared(), texts{});
  schema.server("create table not_yet(x int)");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(rows("select * from not_yet").columns(), 1u);
  EXPECT_EQ(prepared(), (texts{"select * from not_yet"}));
}

TEST_F(StatementCache, KeepsWhatFailedWithSomeValue) {
  open_with(256);
  const statement divide{"select 6 / :x::int"};
  for (const int x : {0, 2, 0, 3}) {
    if (x == 0)
      EXPECT_EQ(refused(divide, {{"x", x}}).sqlstate, "22012");
    else
      EXPECT_EQ(rows(divide, {{"x", x}}).scalar<int>(), 6 / x);
  }
  EXPECT_EQ(prepared(), (texts{"select 6 / $1::int"}));
  EXPECT_EQ(stats().total, 1u);
}

TEST_F(StatementCache, SurvivesThatATableIsAltered) {
  open_with(256);
  schema.server("create table t(a int); insert into t values (1)");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(rows("select * from t").columns(), 1u);
  schema.server("alter table t add column b date default '2024-02-29'");
  for (int i = 0; i < 3; ++i) {
    const auto t = rows("select * from t");
    EXPECT_EQ(t.columns(), 2u);
    EXPECT_EQ(t.text(0, 1), "2024-02-29");
  }
  schema.server("alter table t alter column a type text");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(rows("select a from t").get<std::string>(0, 0), "1");
  EXPECT_EQ(stats().total, 1u);
}

TEST_F(StatementCache, SurvivesThatATableIsAlteredBetweenItsFirstTwoRuns) {
  open_with(256);
  schema.server("create table t(a int); insert into t values (1)");
  EXPECT_EQ(rows("select * from t").columns(), 1u);
  schema.server("alter table t add column b date default '2024-02-29'");
  for (int i = 0; i < 3; ++i) {
    const auto t = rows("select * from t");
    ASSERT_EQ(t.columns(), 2u);
    EXPECT_EQ(t.text(0, 1), "2024-02-29");
  }
}

/// The types of text's parameters are those of the columns when the statement was prepared: at its second run, with the
/// types that the first one told.
TEST_F(StatementCache, TakesValuesOfTheTypesThatColumnsHaveNow) {
  const statement asked{"select count(*) from t where id <= :id"}, write{"insert into t values (:id)"};
  const std::string large = "3000000000";
  for (const int runs : {1, 2, 3}) {
    open_with(256);
    schema.server("drop table if exists t; create table t(id int)");
    for (int i = 0; i < runs; ++i)
      rows(asked, {{"id", "1"}});
    schema.server("alter table t alter column id type bigint");
    EXPECT_EQ(read(asked, {{"id", large}}).scalar<int>(), 0) << runs;
    EXPECT_EQ(stats().total, 1u);
  }
  for (const int runs : {1, 2, 3}) {
    open_with(256);
    schema.server("drop table if exists t; create table t(id int)");
    for (int i = 0; i < runs; ++i)
      rows(write, {{"id", "1"}});
    schema.server("alter table t alter column id type bigint");
    EXPECT_EQ(refused(write, {{"id", large}}).sqlstate, "22003")
        << "it may have begun: that is for the caller to repeat";
    rows(write, {{"id", large}});
    EXPECT_EQ(schema.server.number("select count(*) from t"), runs + 1);
    EXPECT_EQ(stats().total, 1u);
  }
}

/// The server finds no operator for the types that it had: nothing has run.
TEST_F(StatementCache, ResolvesAnewWhatTheServerDoesNotTakeAnyMore) {
  for (const int runs : {1, 2, 3}) {
    open_with(256);
    schema.server("drop table if exists t; create table t(id int); insert into t values (1)");
    const statement asked{"select count(*) from t where id < :id"};
    for (int i = 0; i < runs; ++i)
      rows(asked, {{"id", "2"}});
    schema.server("alter table t alter column id type text");
    EXPECT_EQ(rows(asked, {{"id", "2"}}).scalar<int>(), 1) << runs;
    EXPECT_EQ(read(asked, {{"id", "a word"}}).scalar<int>(), 1);
    EXPECT_EQ(stats().total, 1u);
  }
}

TEST_F(StatementCache, SurvivesThatATypeIsMadeAnew) {
  open_with(256);
  const auto make = "create type mood as enum ('sad', 'glad'); create table t(x mood); insert into t values ('glad')";
  schema.server(make);
  const statement asked{"select count(*) from t where x = :x"};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j)
      EXPECT_EQ(read(asked, {{"x", "glad"}}).scalar<int>(), 1);
    schema.server("drop table t; drop type mood");
    schema.server(make);
  }
  EXPECT_EQ(stats().total, 1u);
}

TEST_F(StatementCache, SurvivesThatItsStatementsAreDeallocated) {
  open_with(2);
  const auto use = [&] {
    EXPECT_EQ(rows("select 'a'").scalar<std::string>(), "a");
    EXPECT_EQ(rows("select 'b'").scalar<std::string>(), "b");
  };
  use();
  on_session([](soci::session& s) { s << "deallocate all"; });
  use();
  rows("deallocate all");
  use();
  on_session([](soci::session& s) { s << "discard all"; });
  EXPECT_EQ(rows("select 'c'").scalar<std::string>(), "c"); // the statement that makes room for it is gone already
  use();
  EXPECT_EQ(stats().total, 1u);
}

/// A statement that runs another one has that one's columns, whatever they were before.
TEST_F(StatementCache, KnowsNoColumnsOfWhatRunsAnotherStatement) {
  open_without_reset();
  rows("prepare other as select 1 as a");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(rows("execute other").get<int>(0, "a"), 1);
  rows("deallocate other");
  rows("prepare other as select 'xyzw'::text as b, '{1,2}'::int[] as c");
  for (int i = 0; i < 3; ++i) {
    const auto t = rows("execute other");
    ASSERT_EQ(t.columns(), 2u);
    EXPECT_EQ(t.get<std::string>(0, "b"), "xyzw");
    EXPECT_EQ(t.text(0, 1), "{1,2}");
    EXPECT_FALSE(t.try_get<int>(0, 0));
  }
  EXPECT_EQ(stats().total, 1u);
}

TEST_F(StatementCache, BelievesNoAnswerOfAnotherStatementUnderItsName) {
  open_without_reset();
  for (const auto* other : {"select 'xyzw'::text as b", "select 1 as other_name", "select 1.5::numeric as a, 2 as b"}) {
    for (int i = 0; i < 3; ++i) // in binary, from the second time on
      EXPECT_EQ(rows("select 1 as a").scalar<int>(), 1);
    on_session([=](soci::session& s) {
      std::string name;
      s << "select name from pg_prepared_statements where statement = 'select 1 as a'", soci::into(name);
      s << "deallocate " + name;
      s << "prepare " + name + " as " + other;
    });
    const auto f = refused("select 1 as a");
    EXPECT_EQ(f.code, errc::internal) << f.message;
    EXPECT_NE(f.message.find("another statement has run"), std::string::npos) << f.message;
  }
  EXPECT_EQ(twice("select 1 as a").scalar<int>(), 1);
  EXPECT_EQ(prepared(), (texts{"select 1 as a"})) << "nor is anything else left under a name of ours";
  EXPECT_EQ(stats().total, 1u);
}

/// Errors of a statement's own functions and procedures may look as if the statement had not been there. It has run:
/// the sequence counts how often.
TEST_F(StatementCache, SendsNothingAgainThatMayHaveRun) {
  open_without_reset();
  schema.server("create sequence runs; create table t(a int)");
  schema.server("create function run(how text) returns int language plpgsql as $$ begin perform nextval('runs'); "
                "if how = 'gone' then execute 'execute nobody_knows'; "
                "elsif how = 'changed' then execute 'execute stale'; "
                "elsif how <> '' then raise exception 'as if' using errcode = how; end if; return 1; end $$");
  schema.server(
      "create procedure run_and_commit(how text) language plpgsql as $$ begin perform nextval('runs'); commit; "
      "perform run(how); end $$");
  rows("prepare stale as select * from t");
  rows("execute stale");
  schema.server("alter table t add column b int");
  for (const auto* sql :
       {"select run(:how)", "with x as (select run(:how) as n) select n from x", "insert into t values (run(:how))",
        "call run_and_commit(:how)", "/* call */ call run_and_commit(:how)"}) {
    for (int i = 0; i < 2; ++i)
      rows(sql, {{"how", ""}});
    for (const auto* how : {"0A000", "26000", "22003", "22P02", "42883", "gone", "changed"}) {
      const auto before = schema.server.number("select last_value from runs");
      const auto f = refused(sql, {{"how", how}});
      const std::string_view expected = how == "gone"sv ? "26000" : how == "changed"sv ? "0A000" : how;
      EXPECT_EQ(f.sqlstate, expected) << how << ": " << to_string(f);
      const int times = std::string_view{sql}.find("call") == std::string_view::npos ? 1 : 2;
      EXPECT_EQ(schema.server.number("select last_value from runs") - before, times) << sql << " with " << how;
    }
    rows(sql, {{"how", ""}});
  }
  EXPECT_EQ(stats().total, 1u);
}

TEST_F(StatementCache, IsEachSessionsOwn) {
  open([](options& how) { how.databases[0].pool.max_size = 3; });
  const auto met = request_of(3, [](int) { return query{"", "select meet(3)"}; });
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(e->run(met).ok());
  auto asked = request_of(3, [](int) {
    return query::of_task("", [](soci::session& s) {
      int n = 0, ignored = 0;
      s << "select meet(3)", soci::into(ignored); // one on each session
      s << "select count(*) from pg_prepared_statements", soci::into(n);
      return n;
    });
  });
  const auto x = e->run(std::move(asked));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  for (const auto& o : x.outcomes)
    EXPECT_EQ(o.value<int>(), 1);
}

TEST_F(StatementCache, PreparesAndExecutesInOneRoundTrip) {
  open_with(1);
  twice("select 'evicted'");
  temporary_folder folder;
  const statement asked{"select :x::int"};
  for (const auto* expected :
       {"deallocate Parse Describe Bind Execute", "Parse \"sheaf_ Bind Execute", "Bind Execute"}) {
    const auto path = folder / "trace";
    auto* file = std::fopen(path.c_str(), "w");
    ASSERT_TRUE(file);
    on_session([=](soci::session& s) {
      PQtrace(native_connection(s), file);
      PQsetTraceFlags(native_connection(s), PQTRACE_SUPPRESS_TIMESTAMPS);
    });
    EXPECT_EQ(rows(asked, {{"x", 7}}).scalar<int>(), 7);
    on_session([](soci::session& s) { PQuntrace(native_connection(s)); });
    std::fclose(file);

    std::ifstream in{path};
    int turns = 0; // from sending to receiving
    std::string trace;
    char last = 'B';
    for (std::string line; std::getline(in, line); last = line.front()) {
      trace += line + '\n';
      if (last == 'F' && line.front() == 'B')
        ++turns;
    }
    EXPECT_EQ(turns, 1 + 1) << trace; // the first one cleans up after the task
    std::istringstream words{expected};
    std::size_t at = 0;
    for (std::string word; std::getline(words, word, ' ');) {
      at = trace.find(word, at);
      ASSERT_NE(at, trace.npos) << "no " << word << " in\n" << trace;
    }
  }
}

/// Somebody else prepares and forgets on the same connection, as behind a pooler.
TEST_F(StatementCache, TakesAStatementOfItsNameForItsOwn) {
  open_with(1);
  const statement asked{"select :x::int + 1"};
  rows(asked, {{"x", 1}});
  rows(asked, {{"x", 1}}); // prepared now
  const auto name = on_session([](soci::session& s) {
    std::string x;
    s << "select name from pg_prepared_statements", soci::into(x);
    return x;
  });
  EXPECT_TRUE(name.starts_with("sheaf_")) << name;
  twice("select 'another'"); // takes its place, and its name is forgotten
  rows(asked, {{"x", 1}});
  on_session([&](soci::session& s) { s << "prepare " + name + "(int) as select $1::int + 1"; });
  EXPECT_EQ(rows(asked, {{"x", 4}}).scalar<int>(), 5);
  on_session([&](soci::session& s) { s << "deallocate " + name; });
  EXPECT_EQ(rows(asked, {{"x", 5}}).scalar<int>(), 6);
  EXPECT_EQ(stats().total, 1u);
}

TEST(StatementName, SaysTheTextAndTheTypes) {
  const auto name = statement_name("select $1", {25});
  EXPECT_EQ(name, statement_name("select $1", {25}));
  EXPECT_EQ(name.size(), 38u);
  for (const auto& other : {statement_name("select $1 ", {25}), statement_name("select $1", {23}),
                            statement_name("select $1", {}), statement_name("select $1", {2, 5})})
    EXPECT_NE(name, other);
}

} // namespace
