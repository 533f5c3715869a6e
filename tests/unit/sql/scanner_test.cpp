// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/scanner.hpp"
#include "sheaf/statement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf {
namespace {

using testing::ElementsAre;

parameters declare(std::initializer_list<const char*> names) {
  parameters values;
  for (const auto* name : names)
    values.emplace_back(name, value{1});
  return values;
}

std::string pg(std::string_view sql, std::initializer_list<const char*> names = {}) {
  return parse_statement(sql, dialect::postgresql, declare(names)).text;
}

/// The parameters that SQLite's dialect finds, in a text that it leaves as it is.
std::string lite(std::string_view sql) {
  const auto parsed = parse_statement(sql, dialect::sqlite, {});
  EXPECT_EQ(parsed.text, sql);
  EXPECT_TRUE(parsed.replacements.empty());
  std::string names;
  for (const auto& name : parsed.names)
    names += (names.empty() ? "" : " ") + name;
  return names;
}

/// True when the dialect finds no parameter in `sql`.
testing::AssertionResult untouched(std::string_view sql, dialect d = dialect::postgresql,
                                   std::initializer_list<const char*> names = {}) {
  const auto parsed = parse_statement(sql, d, declare(names));
  if (parsed.text == sql && parsed.names.empty() && parsed.replacements.empty())
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << parsed.text;
}

TEST(Scanner, NumbersParametersByFirstAppearance) {
  const auto parsed = parse_statement("select :b, :a, :b from t where x = :c", dialect::postgresql, {});
  EXPECT_EQ(parsed.text, "select $1, $2, $1 from t where x = $3");
  EXPECT_THAT(parsed.names, ElementsAre("b", "a", "c"));
  EXPECT_EQ(parse_statement("select :b, :a, :b", dialect::sqlite, {}).text, "select :b, :a, :b");
  EXPECT_THAT(parse_statement("select :b, :a, :b", dialect::sqlite, {}).names, ElementsAre("b", "a"));
}

TEST(Scanner, NumbersManyParameters) {
  std::string sql = "select ", expected = "select ";
  for (int round = 0; round < 2; ++round)
    for (int i = 1; i <= 3000; ++i) {
      sql += ":p" + std::to_string(i) + ",";
      expected += "$" + std::to_string(i) + ",";
    }
  const auto parsed = parse_statement(sql, dialect::postgresql, {});
  EXPECT_EQ(parsed.text, expected);
  ASSERT_EQ(parsed.names.size(), 3000u);
  EXPECT_EQ(parsed.names[2999], "p3000");
}

TEST(Scanner, TakesIdentifiersForNames) {
  EXPECT_THAT(parse_statement("(:a1,:_x,:Größe,:A1,:a$b)", dialect::postgresql, {}).names,
              ElementsAre("a1", "_x", "Größe", "A1", "a$b"));
  EXPECT_TRUE(untouched("select :1, : a, :, :'a', :\"a\", :$1"));
  EXPECT_TRUE(untouched("select : a", dialect::sqlite));
}

TEST(Scanner, FindsParametersBehindAnyToken) {
  EXPECT_EQ(pg("x=:a+:b||:c->>:d<:e AND:f"), "x=$1+$2||$3->>$4<$5 AND $6");
  EXPECT_EQ(pg("f(a := :x, b=>:y, :z)"), "f(a := $1, b=>$2, $3)");
  EXPECT_EQ(pg("select 'a':a, \"b\":b, (1):c, $$d$$:d"), "select 'a'$1, \"b\"$2, (1)$3, $$d$$ $4");
  EXPECT_EQ(pg(":a"), "$1");
}

TEST(Scanner, KeepsAParameterApartFromTheWordBeforeIt) {
  EXPECT_EQ(pg("select * from t limit:n"), "select * from t limit $1");
  EXPECT_EQ(pg("limit 1:n:m"), "limit 1 $1 $2");
  EXPECT_EQ(lite("select * from t limit:n"), "n"); // SQLite keeps them apart by itself
}

TEST(Scanner, LeavesCastsAndAssignmentsAlone) {
  EXPECT_EQ(pg("select :a::int, b::text, c :: date"), "select $1::int, b::text, c :: date");
  EXPECT_EQ(pg("select :::a"), "select ::$1");
  EXPECT_EQ(pg("f(a:=b, c:=:d)"), "f(a:=b, c:=$1)");
}

TEST(Scanner, LeavesStringsAlone) {
  EXPECT_TRUE(untouched("select ':a', 'it''s :b', '\\', ':c', ''':d'''"));
  EXPECT_EQ(pg("select 'a\\', :b, 'c'"), "select 'a\\', $1, 'c'"); // standard_conforming_strings
  EXPECT_EQ(pg("select ':x' :a ':y'"), "select ':x' $1 ':y'");
  EXPECT_TRUE(untouched("select ':a"));
  EXPECT_TRUE(untouched("select 'a'\n  ':b'"));
}

TEST(Scanner, KnowsBackslashesInEscapeStrings) {
  EXPECT_EQ(pg("select E'it\\'s :z', :a"), "select E'it\\'s :z', $1");
  EXPECT_EQ(pg("select e'\\\\', :a, e'''\\':b'"), "select e'\\\\', $1, e'''\\':b'");
  EXPECT_TRUE(untouched("select E':a\\"));
  EXPECT_TRUE(untouched("select E':a''"));
  // Only where the word is E itself.
  EXPECT_EQ(pg("select type'\\', :a"), "select type'\\', $1");
  EXPECT_EQ(pg("select E '\\', :a"), "select E '\\', $1");
}

TEST(Scanner, KnowsThatAnEscapeStringGoesOnInTheNextLine) {
  EXPECT_EQ(pg("select E'foo'\n'b\\':ar', :a"), "select E'foo'\n'b\\':ar', $1");
  EXPECT_EQ(pg("select E'foo' -- it's\r 'b\\':ar', :a"), "select E'foo' -- it's\r 'b\\':ar', $1");
  EXPECT_EQ(pg("select E'foo' \n -- x\n \t'b\\':ar', :a"), "select E'foo' \n -- x\n \t'b\\':ar', $1");
  EXPECT_EQ(pg("select E'foo'  'b\\':ar', 'c'"), "select E'foo'  'b\\'$1', 'c'"); // The same line: another string.
  EXPECT_EQ(pg("select E'foo'\n, 'b\\', :a"), "select E'foo'\n, 'b\\', $1");
  EXPECT_EQ(pg("select E'foo'\n/**/'b\\', :a"), "select E'foo'\n/**/'b\\', $1");
  EXPECT_EQ(pg("select E'foo' -- end"), "select E'foo' -- end");
}

TEST(Scanner, KnowsPrefixedStrings) {
  EXPECT_TRUE(untouched("select U&'\\0061:a', B'1:b', x'F:c', N':d', U&\":e\""));
  EXPECT_EQ(pg("select U&'\\', :a"), "select U&'\\', $1");
  EXPECT_TRUE(untouched("select :e'a\\':b'")); // A colon and an escape string.
  EXPECT_TRUE(untouched("select :U&'a:b'"));
}

TEST(Scanner, LeavesQuotedIdentifiersAlone) {
  EXPECT_TRUE(untouched("select \"a:b\", \"c\"\":d\""));
  EXPECT_EQ(pg("select \"a\\\", :b"), "select \"a\\\", $1");
  EXPECT_TRUE(untouched("select \":a"));
}

TEST(Scanner, LeavesDollarQuotesAlone) {
  EXPECT_TRUE(untouched("do $$ begin x := :a; end $$"));
  EXPECT_EQ(pg("select $a$ :x $b$ :y $$ :z $A$ $a$, :b"), "select $a$ :x $b$ :y $$ :z $A$ $a$, $1");
  EXPECT_EQ(pg("select $ä1$ :x $ä1$:b"), "select $ä1$ :x $ä1$ $1");
  EXPECT_EQ(pg("select $a$x$a$a$:b"), "select $a$x$a$a$ $1"); // Behind the string, the name a$.
  EXPECT_TRUE(untouched("select $q$ :a $q"));
  EXPECT_TRUE(untouched("select $$ :a"));
}

TEST(Scanner, KnowsWhereADollarQuotesNothing) {
  EXPECT_EQ(pg("select a$b$c, :d, a$b$"), "select a$b$c, $1, a$b$");
  EXPECT_EQ(pg("select $a :b $"), "select $a $1 $");
  EXPECT_EQ(pg("select $1a$ :b $1a$"), "select $1a$ $1 $1a$");
  EXPECT_TRUE(untouched("select 1$$ :a $$"));
  EXPECT_TRUE(untouched("select 1.5e10$$ :a $$"));
}

TEST(Scanner, LeavesCommentsAlone) {
  EXPECT_EQ(pg("select -- :a 'b\n :c -- :d"), "select -- :a 'b\n $1 -- :d");
  EXPECT_EQ(pg("select -- :a\r:c"), "select -- :a\r$1");
  EXPECT_EQ(pg("select /* :a ' */ :b /**/ :c"), "select /* :a ' */ $1 /**/ $2");
  EXPECT_EQ(pg("select 1 - :a / :b * :c"), "select 1 - $1 / $2 * $3");
  EXPECT_EQ(pg("select 1+--:a\n:b"), "select 1+--:a\n$1");
}

TEST(Scanner, NestsCommentsInPostgresqlOnly) {
  EXPECT_EQ(pg("/* /* :a */ :b */ :c"), "/* /* :a */ :b */ $1");
  EXPECT_EQ(pg("/*/ :a */ :b"), "/*/ :a */ $1");
  EXPECT_EQ(pg("/*/* :a */*/:b"), "/*/* :a */*/$1");
  EXPECT_TRUE(untouched("/* /* :a */ :b"));
  EXPECT_EQ(lite("/* /* :a */ :b */ :c"), "b c");
  EXPECT_EQ(lite("/*/ :a */ :b"), "b");
}

TEST(Scanner, LeavesSlicesAlone) {
  for (const auto* sql :
       {"select a[1:2]", "select a[x:y]", "select a[x :y]", "select a[:]", "select a[1:]", "select a[1:y][2:x]",
        "select a[(1):y]", "select a[b[1]:y]", "select a['1':y]", "select a[\"x\":y]", "select a[$1:y]",
        "select a[x/**/:y]", "select a.b[x:y]", "select (f(1))[x:y]", "select a [ x:y ]"})
    EXPECT_TRUE(untouched(sql, dialect::postgresql, {"x", "y"})) << sql;
}

TEST(Scanner, TakesADeclaredNameAtTheBeginningOfASubscriptForAParameter) {
  EXPECT_EQ(pg("select a[:n]", {"n"}), "select a[$1]");
  EXPECT_EQ(pg("select a[ :n:m]", {"n", "m"}), "select a[ $1:m]");
  EXPECT_EQ(pg("select a[1][:n]", {"n"}), "select a[1][$1]");
  EXPECT_EQ(pg("select :a[:n]", {"n"}), "select $1[$2]");
  EXPECT_TRUE(untouched("select a[:n]"));
  EXPECT_TRUE(untouched("select a[:n]", dialect::postgresql, {"m"}));
}

TEST(Scanner, FindsParametersWithinSubscripts) {
  EXPECT_EQ(pg("select a[1 : :n]"), "select a[1 : $1]");
  EXPECT_EQ(pg("select a[f(:n)]"), "select a[f($1)]");
  EXPECT_EQ(pg("select a[(:n)]"), "select a[($1)]");
  EXPECT_EQ(pg("select a[x+:n]"), "select a[x+$1]");
  EXPECT_EQ(pg("select a[f(x):n], f(:n)"), "select a[f(x):n], f($1)");
  EXPECT_EQ(pg("select a[(x:y)]"), "select a[(x $1)]"); // No slice has its colon in parentheses.
  EXPECT_EQ(pg("select a[1:2], :n, (:m)"), "select a[1:2], $1, ($2)");
  EXPECT_EQ(pg("select a[:n::int]", {"n"}), "select a[$1::int]");
  EXPECT_EQ(pg("select a[1::n]"), "select a[1::n]"); // A cast, for PostgreSQL too.
}

TEST(Scanner, EndsNumbersWherePostgresqlDoes) {
  EXPECT_TRUE(untouched("select a[1.:x], a[1.5:x], a[.5:x], a[1e3:x], a[0x1f:x]"));
  EXPECT_EQ(pg("select a[1.5.:x], a[.5.:x], a[1..:x]"), "select a[1.5.$1], a[.5.$1], a[1..$1]");
}

TEST(Scanner, FindsParametersInArrayConstructors) {
  EXPECT_EQ(pg("select ARRAY[:a, :b]"), "select ARRAY[$1, $2]");
  EXPECT_EQ(pg("select array [:a]"), "select array [$1]");
  EXPECT_EQ(pg("select Array[[:a,:b],[:c, x[1:n]]]"), "select Array[[$1,$2],[$3, x[1:n]]]");
  EXPECT_EQ(pg("select ARRAY[case when :a then :b end]"), "select ARRAY[case when $1 then $2 end]");
  EXPECT_EQ(pg("select arrays[x:y]"), "select arrays[x:y]");
}

TEST(Scanner, TellsWhenTheDeclaredNamesMattered) {
  const auto asks = [](std::string_view sql, dialect d = dialect::postgresql) {
    bool asked = true;
    parse_statement(sql, d, {}, &asked);
    return asked;
  };
  EXPECT_TRUE(asks("select a[:n]"));
  EXPECT_FALSE(asks("select a[1:n]"));
  EXPECT_FALSE(asks("select ARRAY[:n]"));
  EXPECT_FALSE(asks("select :n"));
  EXPECT_FALSE(asks("select a[:n]", dialect::sqlite));
}

TEST(Scanner, SurvivesBracketsThatDoNotMatch) {
  EXPECT_EQ(pg("select :a] ), :b"), "select $1] ), $2");
  EXPECT_EQ(pg("select a[(], :b"), "select a[(], $1");
  EXPECT_EQ(pg("select a[1), x:b"), "select a[1), x:b");
}

TEST(Scanner, TellsParametersOfTheDatabasesOwnKind) {
  const auto positional = [](std::string_view sql, dialect d) { return parse_statement(sql, d, {}).positional; };
  EXPECT_TRUE(positional("select $1", dialect::postgresql));
  EXPECT_EQ(pg("select $1, :a"), "select $1, $1");
  for (const auto* sql : {"select ?", "select ?1", "select @x", "select $x", "select :1", "select $x(:y)"})
    EXPECT_TRUE(positional(sql, dialect::sqlite)) << sql;
  for (const auto* sql : {"select :a", "select '$1'", "select $$1$$", "select a$1", "select 'a' ? 'b', @ -1"})
    EXPECT_FALSE(positional(sql, dialect::postgresql)) << sql;
  for (const auto* sql : {"select :a", "select '?'", "select [?], `@x`, \"$x\"", "select a$1"})
    EXPECT_FALSE(positional(sql, dialect::sqlite)) << sql;
}

TEST(Scanner, KnowsSqliteQuotes) {
  for (const auto* sql :
       {"select ':a', 'it''s :b'", "select \":a\"", "select `:a``:b`", "select [:a[:b]", "select x':a'"})
    EXPECT_TRUE(untouched(sql, dialect::sqlite)) << sql;
  EXPECT_EQ(lite("select E'a\\', :b"), "b");
  EXPECT_EQ(lite("select $$:b, $$"), "b"); // No quotes, and no SQL either.
  EXPECT_EQ(lite("select [a]:b, -- :c\r:d\n:e"), "b e");
  EXPECT_EQ(lite("select @x:a, $y:b, ?:c, $z(:d) :e"), "a b c e");
}

TEST(Scanner, KnowsAnEmptyStatement) {
  for (const auto d : {dialect::postgresql, dialect::sqlite}) {
    for (const auto* sql : {"", " \t\r\n", "-- select", "/* select */", ";", " ; -- x\n ; /* y */"})
      EXPECT_TRUE(parse_statement(sql, d, {}).empty) << sql;
    for (const auto* sql : {"select", "/* */ x", "'", "-", "; :a"})
      EXPECT_FALSE(parse_statement(sql, d, {}).empty) << sql;
  }
  EXPECT_FALSE(parse_statement("/* open", dialect::postgresql, {}).empty); // The server's to complain about.
}

} // namespace
} // namespace sheaf
