// SPDX-License-Identifier: BSD-3-Clause
//
// The rules for a query's statement: exactly one, with a place for every error. A refused one has not run.

#include "support/database_under_test.hpp"

#include <map>

namespace {

using namespace sheaf;
using namespace sheaf::test;

class StatementRules : public AnyDatabase {
protected:
  void SetUp() override {
    AnyDatabase::SetUp();
    start({.max_size = 2});
  }

  failure refused(statement sql, parameters values = {}) {
    const auto x = run(request_of({{"q", std::move(sql), std::move(values)}}));
    EXPECT_TRUE(x.failure);
    return x.failure.value_or(failure{});
  }

  table rows(statement sql) { return run(request_of({{"q", std::move(sql)}}))["q"].table(); }

  int tables() {
    return rows(is(database_kind::postgresql) ? "select count(*) from pg_tables where schemaname = current_schema"
                                              : "select count(*) from sqlite_schema")
        .scalar<int>();
  }
};

SHEAF_ON_EVERY_SQL_DATABASE(StatementRules);

TEST_P(StatementRules, RefusesSeveralStatementsAndRunsNoneOfThem) {
  for (const auto* sql : {"create table t(x int); select 1", "create table t(x int); create table u(x int)",
                          "create table t(x int);;select 1", "create table t(x int); /* ; */ select ';'"}) {
    const auto f = refused(sql);
    EXPECT_EQ(f.code, errc::rejected_sql) << sql << ": " << f.message;
    EXPECT_EQ(f.query, "q");
    EXPECT_EQ(tables(), 0) << sql;
  }
  // Not even when it would walk out of the transaction that a statement without parameters could be given.
  refused("commit; create table t(x int); begin");
  EXPECT_EQ(tables(), 0);
}

TEST_P(StatementRules, RefusesSeveralStatementsThatHaveParameters) {
  EXPECT_EQ(refused("create table t(x int); select :x", {{"x", 1}}).code, errc::rejected_sql);
  EXPECT_EQ(tables(), 0);
}

TEST_P(StatementRules, TakesSemicolonsThatEndOrQuote) {
  EXPECT_EQ(rows("select 'a;b' as x;").scalar<std::string>(), "a;b");
  EXPECT_EQ(rows("select 1 /* ; select 2 */ ; -- ; select 3").scalar<int>(), 1);
}

TEST_P(StatementRules, RefusesStatementsWithNothingInThem) {
  for (const auto* sql : {" ", "\n\t", ";", " ; ;", "-- nothing", "/* nothing /* at */ all */", "-- a\n/* b */;"}) {
    if (is(database_kind::sqlite) && std::string_view{sql}.find("/* at */") != std::string_view::npos)
      continue; // its comments do not nest, so that is a syntax error there
    const auto f = refused(sql);
    EXPECT_EQ(f.code, errc::rejected_sql) << sql;
    EXPECT_FALSE(f.reached_server);
  }
  EXPECT_EQ(refused("").code, errc::rejected_sql);
  EXPECT_EQ(stats().total, 0u);
}

TEST_P(StatementRules, SaysWhereASyntaxErrorIsInTheUsersOwnText) {
  const std::map<std::string, std::size_t> places{
      {"selec 1", 1},
      {"select :ab, :c, 1 + , 2", 21},           // the parameters are shorter as the server sees them
      {"select 'äöü', :ab + , :c", 21},          // in characters, not in bytes
      {"select :ab,\n       :c\n   ) as x", 26}, // over lines
  };
  for (const auto& [sql, place] : places) {
    const bool has_parameters = sql.find(':') != sql.npos;
    const auto f = refused(sql, has_parameters ? parameters{{"ab", 1}, {"c", 2}} : parameters{});
    EXPECT_EQ(f.code, errc::rejected_sql) << sql;
    EXPECT_EQ(f.phase, phase::execute);
    if (is(database_kind::postgresql)) {
      EXPECT_EQ(f.sqlstate, "42601");
    }
    EXPECT_GT(f.position, 0u) << sql << ": " << f.message;
    EXPECT_TRUE(f.position == place || !is(database_kind::postgresql))
        << sql << " at " << f.position << ": " << f.message;
  }
}

TEST_P(StatementRules, SaysWhereAnUnknownColumnIs) {
  const auto f = refused("select 1 as one, no_such_column");
  EXPECT_EQ(f.code, errc::rejected_sql);
  EXPECT_EQ(f.position, 18u);
  EXPECT_NE(f.message.find("no_such_column"), std::string::npos);
}

TEST_P(StatementRules, ShowsNoParametersValueInAnError) {
  const auto f = is(database_kind::postgresql) ? refused("select (:x::text)::int", {{"x", "hunter2"}})
                                               : refused("select json(:x)", {{"x", "hunter2"}});
  EXPECT_EQ(f.code, errc::rejected_sql) << f.message;
  EXPECT_EQ(f.message.find("hunter2"), std::string::npos) << f.message;
}

TEST_P(StatementRules, RollsBackATransactionThatWasLeftOpen) {
  ASSERT_TRUE(run(request_of({{"", "create table t(x int)"}})).ok());
  for (int i = 0; i < 4; ++i) {
    auto asked = request_of({{"begin", "begin"}, {"write", "insert into t values (1)"}});
    asked.width = 1; // one session, one after the other
    EXPECT_TRUE(run(std::move(asked)).ok());
  }
  EXPECT_EQ(stats().total, 1u);
  // Had the first transaction stayed open, the rows would be in it and nobody else would see them.
  EXPECT_EQ(rows("select count(*) from t").scalar<int>(), 4);
  const auto x = run(request_of(2, [&](int) {
    return query{"", "select count(*) from t where meet(2) <> 0 or x = 1"};
  }));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x[0]), 4);
  EXPECT_EQ(number_in(x[1]), 4);
}

TEST_P(StatementRules, KeepsTheSessionOfAStatementThatFailed) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(refused("select * from no_such_table").code, errc::rejected_sql);
  EXPECT_EQ(rows("select 1").scalar<int>(), 1);
  EXPECT_EQ(stats().total, 1u);
}

TEST_P(StatementRules, SaysHowManyRowsACommandAffected) {
  rows("create table t(x int)");
  EXPECT_EQ(rows("insert into t values (1), (2), (3)").affected_rows(), 3u);
  EXPECT_EQ(rows("update t set x = x + 1 where x > 1").affected_rows(), 2u);
  EXPECT_EQ(rows("delete from t").affected_rows(), 3u);
}

TEST_P(StatementRules, MapsConstraintsToTheirCode) {
  rows("create table t(x int unique)");
  rows("insert into t values (1)");
  const auto f = refused("insert into t values (1)");
  EXPECT_EQ(f.code, errc::constraint_violated);
  EXPECT_EQ(f.sqlstate, is(database_kind::postgresql) ? "23505" : "");
}

} // namespace
