// SPDX-License-Identifier: BSD-3-Clause
//
// Facts about a statement without a database: its tables, its words, the name that it makes.

#include "app/check/sql_syntax.hpp"
#include "app/check/sql_words.hpp"
#include "app/check/sqlite_syntax.hpp"

#include <gmock/gmock.h>

#include <tuple>

namespace sheaf::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SqlSyntax, KnowsTheTablesThatAreReadAndWritten) {
  const auto x = syntax_of("with gone as (delete from s.a where id = $1 returning *) insert into B select * from c "
                           "join \"D\" on exists (select 1 from gone)");
  EXPECT_FALSE(x.refusal);
  EXPECT_THAT(x.read, ElementsAre("D", "c"));
  EXPECT_THAT(x.written, ElementsAre("b", "s.a"));
  EXPECT_THAT(syntax_of("update t set a = 1 from v").read, ElementsAre("v"));
  EXPECT_THAT(syntax_of("truncate a, public.b").written, ElementsAre("a", "b"));
  EXPECT_THAT(syntax_of("merge into a using b on true when matched then delete").written, ElementsAre("a"));
  EXPECT_THAT(syntax_of("select * into n from m").written, ElementsAre("n"));
  EXPECT_THAT(syntax_of("create view v as select * from m").written, ElementsAre("v"));
  EXPECT_THAT(syntax_of("select 1").read, IsEmpty());
}

TEST(SqlSyntax, TakesNamesOfWithAndAliasesForNoTables) {
  const auto read = [](const std::string& sql) { return syntax_of(sql).read; };
  EXPECT_THAT(read("with t as (select * from t) select * from t"), ElementsAre("t")) << "the definition's is a table";
  EXPECT_THAT(read("with recursive t as (select * from t) select * from t"), IsEmpty());
  EXPECT_THAT(read("with a as (select 1), b as (select * from a) select * from b, (select * from c) d"),
              ElementsAre("c"));
  EXPECT_THAT(read("with b as (select * from a), a as (select 1) select * from b"), ElementsAre("a"));
  EXPECT_THAT(read("select (with x as (select 1) select * from x), y from x"), ElementsAre("x")) << "out of its reach";
  EXPECT_THAT(read("with x as (select 1) select * from s.x"), ElementsAre("s.x"));
  EXPECT_THAT(read("with x as (select 1) insert into x select * from x"), IsEmpty());
  EXPECT_THAT(syntax_of("with x as (select 1) insert into x select * from x").written, ElementsAre("x"));
  EXPECT_THAT(read("select * from book b for update of b"), ElementsAre("book"));
}

TEST(SqlSyntax, KnowsTheWayOfACopy) {
  EXPECT_THAT(syntax_of("copy book to stdout").read, ElementsAre("book"));
  EXPECT_THAT(syntax_of("copy book to stdout").written, IsEmpty());
  EXPECT_THAT(syntax_of("copy book from stdin").written, ElementsAre("book"));
  EXPECT_THAT(syntax_of("copy (select * from book) to stdout").read, ElementsAre("book"));
}

/// PostgreSQL's parser calls itself for each level of a tree.
TEST(SqlSyntax, TakesAnyStatementWithoutRunningOutOfStack) {
  const auto sum_of = [](std::size_t terms) {
    std::string sql = "select 1";
    while (terms-- > 0)
      sql += "+1";
    return sql + " from t";
  };
  EXPECT_THAT(syntax_of(sum_of(80'000)).read, ElementsAre("t"));
  EXPECT_THAT(syntax_of(sum_of(200'000)).read, ElementsAre("t"));
  const auto larger = syntax_of(sum_of(600'000));
  EXPECT_TRUE(larger.unread);
  EXPECT_FALSE(larger.refusal);
}

TEST(SqlSyntax, TakesACommentWithinAStringOfSeveralLines) {
  EXPECT_FALSE(syntax_of("select 'a' -- why\n'b'").refusal);
  EXPECT_FALSE(syntax_of("select 'ö' -- it's ö\n  -- more\n 'b', 'c' -- 'x'\n\t'd' from t").refusal);
  const auto x = syntax_of("select 'ö' -- ö\n'b' fro x y");
  EXPECT_EQ(x.refusal, "syntax error at or near \"x\"");
  EXPECT_EQ(x.position, 25u);
  EXPECT_TRUE(syntax_of("select 'a' -- why\n b 'c'").refusal);
  EXPECT_TRUE(syntax_of("select 'a' 'b'").refusal);
}

TEST(SqliteSyntax, IsTheStatementsOwn) {
  for (const char* good :
       {"select a from nowhere where nope(:x) = ?2", "create table t (x int)", "insert into t values (1)",
        "pragma journal_mode=wal", "alter table t add x", "select 1; -- the end\n;", "-- first\nselect 1",
        "create trigger a after insert on t begin select 1; select 2; end"})
    EXPECT_FALSE(sqlite_refusal_of(good)) << good;
  const std::tuple<const char*, const char*, std::size_t> bad[] = {
      {"select 'ö' fro x y", "near \"x\": syntax error", 16},
      {"select x is null as isnull", "near \"isnull\": syntax error", 21},
      {"select 'a", "unrecognized token: \"'a\"", 8},
      {"create table t (x int", "incomplete input", 0},
      {"select 1; select 2", "several statements: a query is one", 0},
      {"select 1; fro", "several statements: a query is one", 0},
  };
  for (const auto& [sql, why, at] : bad) {
    const auto x = sqlite_refusal_of(sql);
    ASSERT_TRUE(x) << sql;
    EXPECT_EQ(x->message, why);
    EXPECT_EQ(x->position, at) << sql;
  }
}

TEST(SqlSyntax, SaysWhereAStatementDoesNotParse) {
  const auto x = syntax_of("select 'ö' fro x y");
  EXPECT_EQ(x.refusal, "syntax error at or near \"x\"");
  EXPECT_EQ(x.position, 16u);
  EXPECT_THAT(x.read, IsEmpty());
}

TEST(SqlWords, AreWhatIsNoStringAndNoComment) {
  EXPECT_THAT(words_of_sql("SELECT a.B, \"C d\" -- no\n from /* no */ [e f] where g='no' and h = 'it''s'"),
              ElementsAre("select", "a", ".", "b", "C d", "from", "e f", "where", "g", "and", "h"));
  for (const char* open : {"'", "\"", "/*", "--", "[", "`"})
    EXPECT_LE(words_of_sql(std::string{"a "} + open).size(), 2u) << "to the end: " << open;
}

TEST(SqlWords, TellWhatIsMade) {
  EXPECT_EQ(made_by("create table if not exists book (x int)"), "book");
  EXPECT_EQ(made_by("CREATE OR REPLACE TEMPORARY VIEW main.\"My View\" AS select 1"), "My View");
  EXPECT_EQ(made_by("-- a comment\ncreate type shop.colour as enum ('red')"), "colour");
  EXPECT_EQ(made_by("alter table only book add y int"), "book");
  for (const char* sql : {"", "insert into book values (1)", "drop table book", "create", "create table"})
    EXPECT_EQ(made_by(sql), "") << sql;
}

} // namespace
} // namespace sheaf::app
