// SPDX-License-Identifier: BSD-3-Clause
//
// Values out of SQLite and into it: exact, whatever their type.

#include "unit/backend/sqlite_client.hpp"

#include <chrono>
#include <limits>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;
using std::chrono::sys_days;

class SqliteValues : public test::SqliteTest {
protected:
  session_ptr db = open("sqlite:" + path("a.db") + "?mode=rwc");

  std::string list(statement sql, parameters values = {}) {
    return as_list(rows(*db, std::move(sql), std::move(values)));
  }
  failure refused(statement sql, parameters values = {}) { return failure_of(*db, std::move(sql), std::move(values)); }
};

// -- values
// ---------------------------------------------------------------------------------------------------------------

TEST_F(SqliteValues, ReadsWhatTheShellReads) {
  const std::string sql = R"(
    values (9223372036854775807, -9223372036854775808, 5000000000, 0), (0.1, -1e308, 1.0, 4.9e-324),
           ('text', 'Bücher 書', '', 'a''b'), (null, 1e999, -1e999, 0.30000000000000004))";
  EXPECT_EQ(list(sql), shell(path("a.db"), sql + ";"));
}

TEST_F(SqliteValues, KeepsTheTypeOfEachValue) {
  rows(*db, "create table t(n, v integer)");
  rows(*db, "insert into t values (1, 1), (2, 1.5), (3, 'x'), (4, x'00ff'), (5, null), (6, x''), (7, '')");
  const auto t = rows(*db, "select v from t order by n");
  const encoding expected[] = {encoding::integer, encoding::real, encoding::text, encoding::blob,
                               encoding::null,    encoding::blob, encoding::text};
  ASSERT_EQ(t.rows(), std::size(expected));
  for (std::size_t i = 0; i < t.rows(); ++i)
    EXPECT_EQ(t.cell_at(i, 0).encoding, expected[i]) << i;
  EXPECT_EQ(t.get<std::int64_t>(0, 0), 1);
  EXPECT_EQ(t.get<double>(1, 0), 1.5);
  EXPECT_EQ(t.get<bytes>(3, 0), (bytes{std::byte{0}, std::byte{255}}));
  EXPECT_EQ(t.get<bytes>(5, 0), bytes{});
  EXPECT_EQ(t.get<std::string>(6, 0), "");
}

TEST_F(SqliteValues, ReadsWholeIntegersAndDoubles) {
  const auto t = rows(*db, "select 9223372036854775807, -9223372036854775808, 0.1, 4.9e-324");
  EXPECT_EQ(t.get<std::int64_t>(0, 0), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(t.get<std::int64_t>(0, 1), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(t.get<double>(0, 2), 0.1);
  EXPECT_EQ(t.get<double>(0, 3), 4.9e-324);
}

TEST_F(SqliteValues, ReadsTextBeyondANulByte) {
  EXPECT_EQ(rows(*db, "select cast(x'610062' as text)").scalar<std::string>(), std::string("a\0b", 3));
}

TEST_F(SqliteValues, NamesColumnsAndTheirDeclaredTypes) {
  rows(*db, "create table t(id integer primary key, name varchar(20), note)");
  const auto t = rows(*db, "select id, name as title, note, count(*), id from t where false");
  ASSERT_EQ(t.columns(), 5u);
  EXPECT_EQ(t.rows(), 1u);
  const std::pair<std::string, std::string> expected[] = {
      {"id", "INTEGER"}, {"title", "varchar(20)"}, {"note", ""}, {"count(*)", ""}, {"id", "INTEGER"}};
  for (std::size_t i = 0; i < t.columns(); ++i) {
    EXPECT_EQ(t.column_at(i).name, expected[i].first);
    EXPECT_EQ(t.column_at(i).type, expected[i].second);
  }
  EXPECT_EQ(t.get<int>(0, "count(*)"), 0);
}

TEST_F(SqliteValues, GivesColumnsWithoutRows) {
  const auto t = rows(*db, "select 1 as a, 2 as b where false");
  EXPECT_EQ(t.columns(), 2u);
  EXPECT_EQ(t.rows(), 0u);
  EXPECT_EQ(rows(*db, "create table t(x)").columns(), 0u);
}

TEST_F(SqliteValues, ReadsSixteenHundredColumns) {
  std::string sql = "select 0";
  for (int i = 1; i < 1600; ++i)
    sql += "," + std::to_string(i);
  const auto t = rows(*db, sql);
  ASSERT_EQ(t.columns(), 1600u);
  EXPECT_EQ(t.get<int>(0, 1599), 1599);
}

// -- parameters
// -----------------------------------------------------------------------------------------------------------

TEST_F(SqliteValues, BindsEachTypeAsSqliteHasIt) {
  const std::pair<value, std::string> cases[] = {
      {nullptr, "null|NULL"},
      {true, "integer|1"},
      {false, "integer|0"},
      {std::numeric_limits<std::int64_t>::min(), "integer|-9223372036854775808"},
      {1.5, "real|1.5"},
      {std::numeric_limits<double>::infinity(), "real|Inf"},
      {"it's", "text|'it''s'"},
      {"", "text|''"},
      {bytes{std::byte{0}, std::byte{0xfe}}, "blob|X'00FE'"},
      {bytes{}, "blob|X''"},
      {sys_days{2024y / 2 / 29}, "text|'2024-02-29'"},
      {sys_days{0y / 1 / 1}, "text|'0000-01-01'"},
      {sys_days{2024y / 2 / 29} + 3h + 4min + 5s, "text|'2024-02-29 03:04:05'"},
      {sys_days{1969y / 12 / 31} + 23h + 59min + 59s + 1us, "text|'1969-12-31 23:59:59.000001'"},
  };
  for (const auto& [bound, expected] : cases)
    EXPECT_EQ(list("select typeof(:x), quote(:x)", {{"x", bound}}), expected + "\n");
}

TEST_F(SqliteValues, BindsDatesThatSqliteCanReckonWith) {
  EXPECT_EQ(list("select datetime(:t, '+1 second'), date(:d, '+1 day')",
                 {{"t", sys_days{2023y / 12 / 31} + 23h + 59min + 59s + 250ms}, {"d", sys_days{2023y / 12 / 31}}}),
            "2024-01-01 00:00:00|2024-01-01\n");
}

TEST_F(SqliteValues, TakesAParameterThatStandsTwiceOnce) {
  EXPECT_EQ(list("select :b || :a || :b", {{"a", "1"}, {"b", "2"}}), "212\n");
}

TEST_F(SqliteValues, ComeInColumnsThatAreNamedAsInTheShell) {
  for (const std::string sql : {
           "select :x + 1",
           "select :x, :y, :x, :x+:y",
           "select :y||:x, ':x ?1', '?1' || :x, \"?2\", '$1'",
           "select :größe*2, -:x, (:y), /* :z */ :y -- :z",
           "select case when:x then:y else:größe end, max(:x,:y) limit:x",
           "select * from (select :x, :y + 1, [?1] from (select 1 as [?1]))",
           " ; select  :x  +  :y ,count(*)from(select 1)where:x=:x",
           "values (:x, :y)",
       }) {
    parameters values;
    std::string set;
    for (const auto& [name, x] : {std::pair{"x", 7}, std::pair{"y", 12}, std::pair{"größe", 3}}) {
      if (sql.find(std::string{':'} + name) != sql.npos)
        values.emplace_back(name, x);
      set += std::string{".parameter set :"} + name + " " + std::to_string(x) + "\n";
    }
    const auto t = rows(*db, sql, values);
    std::string names;
    for (std::size_t i = 0; i < t.columns(); ++i)
      names += (i > 0 ? "|" : "") + std::string{t.column_at(i).name};
    EXPECT_EQ(names + "\n" + as_list(t), shell(path("a.db"), set + ".headers on\n" + sql + "\n;")) << sql;
  }
}

TEST_F(SqliteValues, RefusesWhatSqliteCannotHold) {
  const value cases[] = {value::array{1, 2}, std::numeric_limits<double>::quiet_NaN(), sys_days{10000y / 1 / 1},
                         sys_days{-1y / 12 / 31}, sys_days{10000y / 1 / 1} + 1s};
  for (const auto& bad : cases) {
    const auto f = refused("select :good, :bad", {{"good", 1}, {"bad", bad}});
    EXPECT_EQ(f.code, errc::invalid_request);
    EXPECT_NE(f.message.find("parameter bad"), std::string::npos) << f.message;
    EXPECT_FALSE(f.reached_server);
  }
  EXPECT_EQ(list("select :good, :bad", {{"good", 1}, {"bad", 2}}), "1|2\n"); // the statement is as good as before
}

TEST_F(SqliteValues, RefusesParametersOfAnotherForm) {
  for (const auto* sql : {"select ?", "select ?1", "select @x", "select $x", "select ?2, :a", "select ?, :a",
                          "select ?1, :a", "select :a::x", "select :a(1)"}) {
    const auto f = refused(sql, {{"a", 1}});
    EXPECT_EQ(f.code, errc::invalid_request) << sql;
    EXPECT_NE(f.message.find(":name"), std::string::npos) << f.message;
  }
}

} // namespace
