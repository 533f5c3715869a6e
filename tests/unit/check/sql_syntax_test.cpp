// SPDX-License-Identifier: BSD-3-Clause
//
// Facts about a statement without a database: its tables, its words, the name that it makes.

#include "app/check/sql_syntax.hpp"
#include "app/check/sql_words.hpp"

#include <gmock/gmock.h>

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
