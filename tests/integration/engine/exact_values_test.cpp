// SPDX-License-Identifier: BSD-3-Clause

#include "integration/engine/raw_postgres.hpp"
#include "sheaf/data/wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace sheaf::test {
namespace {

using testing::UnorderedElementsAre;

/// A PostgreSQL type, and the literals that are cast to it.
struct exact_case {
  std::string type;
  std::vector<std::string> literals;
};

const std::string long_text(20'000, 'x');

const exact_case exact_cases[] = {
    {"bool", {"true", "false"}},
    {"int2", {"0", "-32768", "32767"}},
    {"int4", {"0", "-2147483648", "2147483647"}},
    {"int8", {"0", "-9223372036854775808", "9223372036854775807"}},
    {"float4",
     {"0",        "-0",        "1",       "-1.5",   "0.1",     "NaN",   "Infinity",       "-Infinity",    "100000",
      "999999",   "1e6",       "1234567", "0.0001", "0.00001", "1e-45", "1.17549435e-38", "3.4028235e38", "16777216",
      "33554432", "8.388608e6"}},
    {"float8",
     {"0",
      "-0",
      "1",
      "-1.5",
      "0.1",
      "NaN",
      "Infinity",
      "-Infinity",
      "100000000000000",
      "999999999999999",
      "1e15",
      "1e16",
      "0.0001",
      "0.00001",
      "1e23",
      "5e-324",
      "2.2250738585072014e-308",
      "1.7976931348623157e308",
      "9007199254740993",
      "123456789012345678",
      "0.30000000000000004",
      "9.5367431640625e-07"}},
    {"numeric",
     {"0", "0.00", "-0.5", "NaN", "Infinity", "-Infinity", "1e1000", "1e-300",
      "98765432109876543210.12345678901234567890", "1.10"}},
    {"numeric(10,2)", {"1", "-99999999.99"}},
    {"money", {"0", "12345.67", "-0.01", "92233720368547758.07"}},
    {"text",
     {"", " ", "a", "it's", "\"q\"", "a,b", "line\nbreak", "\r\n", "tab\t", "back\\slash", "\\.", "NULL", "ü漢🎈",
      "<null>x", long_text}},
    {"varchar", {"", "ü", " x "}},
    {"varchar(3)", {"abc", ""}},
    {"char(5)", {"", "ab", "漢字"}},
    {"bpchar", {"", "ab  "}},
    {"name", {"", "a name"}},
    {"\"char\"", {"", "a", "~"}},
    {"bytea", {"", "\\x00ff5c0a", "abc"}},
    {"json", {"null", "{\"a\": 1e400,  \"b\":\"\\u0041\"}", "[1, 2.0]"}},
    {"jsonb", {"null", "{\"b\": 1.10,  \"a\":\"ü\"}", "[]"}},
    {"xml", {"<a b=\"c\">x</a>", "text"}},
    {"uuid", {"00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}},
    {"date",
     {"2024-02-29", "1970-01-01", "1999-12-31", "2000-01-01", "0001-01-01", "0001-12-31 BC", "0044-03-15 BC",
      "4713-01-01 BC", "10000-01-01", "5874897-12-31", "infinity", "-infinity"}},
    {"time", {"00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.7"}},
    {"timetz", {"00:00:00+00", "12:34:56.789+05:30", "23:59:59-15:59:59"}},
    {"timestamp",
     {"2024-02-29 12:34:56", "1970-01-01 00:00:00", "1999-12-31 23:59:59.999999", "2000-01-01 00:00:00.000001",
      "2024-01-01 00:00:00.5", "0001-01-01 00:00:00", "0044-03-15 01:02:03.004 BC", "4713-01-01 00:00:00 BC",
      "10000-01-01 00:00:00", "294276-12-31 23:59:59.999999", "infinity", "-infinity"}},
    {"timestamptz",
     {"2024-02-29 12:34:56+00", "1890-01-01 00:00:00.5+01:02:03", "0044-03-15 01:02:03 BC", "infinity", "-infinity"}},
    {"interval",
     {"0", "1 year 2 mons -3 days 04:05:06.789", "-1 day +02:03", "0.000001 s", "1000000 hours", "-178000000 years",
      "1.5 weeks"}},
    {"inet", {"192.168.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"}},
    {"cidr", {"10.0.0.0/8", "::/0"}},
    {"macaddr", {"08:00:2b:01:02:03"}},
    {"macaddr8", {"08:00:2b:01:02:03:04:05"}},
    {"point", {"(1,2)", "(0.1,-1e300)", "(NaN,Infinity)"}},
    {"line", {"{1,-1,0}"}},
    {"lseg", {"[(0,0),(1,1.5)]"}},
    {"box", {"(1,1),(0,0)"}},
    {"path", {"[(0,0),(1,1)]", "((0,0),(1,1))"}},
    {"polygon", {"((0,0),(1,1),(1,0))"}},
    {"circle", {"<(0,0),1.5>"}},
    {"bit(5)", {"10101"}},
    {"varbit", {"", "1"}},
    {"tsvector", {"", "'a':1A 'it''s':2"}},
    {"tsquery", {"'a' & !'b'"}},
    {"oid", {"0", "4294967295"}},
    {"xid", {"0", "4294967295"}},
    {"xid8", {"18446744073709551615"}},
    {"cid", {"7"}},
    {"tid", {"(0,1)"}},
    {"pg_lsn", {"0/0", "16/B374D848"}},
    {"pg_snapshot", {"10:20:10,14,15"}},
    {"regclass", {"pg_class"}},
    {"regtype", {"timestamp with time zone", "\"char\""}},
    {"regproc", {"pg_backend_pid"}},
    {"regprocedure", {"abs(int4)"}},
    {"regoperator", {"+(int4,int4)"}},
    {"regnamespace", {"pg_catalog"}},
    {"regrole", {"pg_monitor"}},
    {"regconfig", {"english"}},
    {"jsonpath", {"$.a[*] ? (@ > 1)"}},
    {"refcursor", {"c"}},
    {"int2vector", {"1 2 3"}},
    {"oidvector", {"1 2"}},
    {"int4range", {"empty", "[1,10)", "(,)"}},
    {"int8range", {"[1,10]"}},
    {"numrange", {"[0.10,1.0]", "(,1]"}},
    {"tsrange", {"[2024-01-01 00:00:00.5,infinity)"}},
    {"tstzrange", {"[2024-01-01 00:00:00+00,)"}},
    {"daterange", {"[2024-01-01,2024-02-01)"}},
    {"int4multirange", {"{}", "{[1,2),[5,9)}"}},
    {"tsmultirange", {"{[2024-01-01 00:00:00,2024-01-02 00:00:00)}"}},
    {"bool[]", {"{t,f,NULL}"}},
    {"int4[]", {"{}", "{1,NULL,-3}", "[2:4]={1,2,3}", "{{1,2},{3,4}}", "[1:1][2:3]={{1,2}}"}},
    {"float8[]", {"{0.1,NaN,-Infinity}"}},
    {"text[]", {"{}", "{\"\",\"NULL\",NULL,\"a,b\",\"q\\\"\\\\\",ü,\"line\nbreak\"}"}},
    {"timestamp[]", {"{\"2024-01-01 00:00:00.5\",infinity}"}},
    {"bytea[]", {"{\"\\\\x00ff\"}"}},
    {"box[]", {"{(1,1),(0,0);(2,2),(0,0)}"}},
    {"exact_values.mood", {"happy", "so, so"}},
    {"exact_values.mood[]", {"{happy,\"so, so\",NULL}"}},
    {"exact_values.positive", {"1"}},
    {"exact_values.pair", {"(1,\"a \"\"b\"\", c\")", "(,)"}},
    {"exact_values.pair[]", {"{\"(1,a)\"}"}},
    {"exact_values.float_range", {"[0.1,Infinity]"}},
    {"exact_values.float_multirange", {"{[0.1,0.2)}"}},
};

/// `select` of a case's literals in order, a NULL between them.
std::string query_of(const exact_case& x) {
  std::string sql = "select x from (values (0, null::" + x.type + ")";
  for (std::size_t i = 0; i < x.literals.size(); ++i) {
    auto literal = x.literals[i];
    for (std::size_t at = 0; (at = literal.find('\'', at)) != std::string::npos; at += 2)
      literal.insert(at, 1, '\'');
    sql += ", (" + std::to_string(i + 1) + ", cast('" + literal + "' as " + x.type + "))";
  }
  return sql + ") as v(i, x) order by i";
}

class ExactValues : public testing::Test {
protected:
  void SetUp() override {
    TearDown();
    server_.run("create schema exact_values");
    server_.run("create type exact_values.mood as enum ('happy', 'so, so')");
    server_.run("create domain exact_values.positive as int4 check (value > 0)");
    server_.run("create type exact_values.pair as (a int4, b text)");
    server_.run("create type exact_values.float_range as range (subtype = float8, "
                "multirange_type_name = exact_values.float_multirange)");
  }

  void TearDown() override { server_.run("drop schema if exists exact_values cascade"); }

  raw_postgres server_;
};

/// Expects `t` to have psql's rows, as text, as std::string, and once more after a journey over the wire.
void expect_rows(const table& t, const std::vector<csv_row>& expected) {
  ASSERT_EQ(t.rows(), expected.size());
  std::string sent;
  wire::append(sent, t);
  const auto arrived = wire::read_table(sent);
  ASSERT_TRUE(arrived);
  for (std::size_t row = 0; row < t.rows(); ++row) {
    ASSERT_EQ(t.columns(), expected[row].size());
    for (std::size_t i = 0; i < t.columns(); ++i) {
      EXPECT_EQ(t.text(row, i), expected[row][i]);
      EXPECT_EQ(t.get<std::optional<std::string>>(row, i), expected[row][i]);
      EXPECT_EQ(t.is_null(row, i), !expected[row][i]);
      EXPECT_EQ(arrived->text(row, i), expected[row][i]);
    }
  }
}

TEST_F(ExactValues, OfEveryTypeAreWhatPsqlPrints) {
  std::string all; // psql takes longer to start than to answer
  for (const auto& x : exact_cases)
    all += query_of(x) + ";\n";
  auto printed = psql(all);
  std::set<std::string> binary_types;
  for (const auto& x : exact_cases) {
    SCOPED_TRACE(x.type);
    const auto count = static_cast<std::ptrdiff_t>(x.literals.size()) + 1;
    ASSERT_LE(count, std::ssize(printed));
    const std::vector<csv_row> expected{printed.begin(), printed.begin() + count};
    printed.erase(printed.begin(), printed.begin() + count);
    const auto t = server_.run(query_of(x));
    expect_rows(t, expected);
    if (postgresql::binary_is_exact(t.column_at(0).oid)) {
      expect_rows(server_.run(query_of(x), format::binary), expected);
      binary_types.insert(t.column_at(0).type);
    }
  }
  EXPECT_TRUE(printed.empty());
  EXPECT_THAT(binary_types, UnorderedElementsAre("bool", "int2", "int4", "int8", "oid", "float4", "float8", "text",
                                                 "varchar", "bpchar", "name", "json", "uuid", "date", "timestamp"));
}

TEST_F(ExactValues, OfVoidRecordsAndUntypedLiteralsAreWhatPsqlPrints) {
  for (const std::string sql :
       {"select pg_sleep(0)", "select row(1, 'a b', null)", "select 'x', null", "select array[row(1,2)]",
        "select version(), now() - now()", "values (1, 'a'), (2, 'b')", "select 1 as a, 2 as a"})
    expect_rows(server_.run(sql), psql(sql));
}

TEST(TypeNames, AreTheServersOwn) {
  raw_postgres server;
  const auto types =
      server.run("select t.oid, case when t.typname = 'char' then '\"char\"' when e.typname = 'char' then "
                 "'\"char\"[]' when e.typname is not null then e.typname || '[]' else t.typname end as name "
                 "from pg_type t left join pg_type e on e.typarray = t.oid and e.typtype <> 'c' "
                 "where t.oid < 10000 and t.typtype <> 'c' and (t.typcategory <> 'A' or e.oid is not null or "
                 "t.oid in (22, 30))");
  ASSERT_GT(types.rows(), 150U);
  std::size_t exact = 0;
  for (std::size_t row = 0; row < types.rows(); ++row) {
    const auto oid = types.get<std::uint32_t>(row, "oid");
    EXPECT_EQ(postgresql::type_name(oid), types.get<std::string>(row, "name"));
    exact += postgresql::binary_is_exact(oid) ? 1 : 0;
  }
  EXPECT_EQ(exact, 15U) << "types that come in binary, each with a case above";
  EXPECT_EQ(postgresql::type_name(16'412), "oid 16412");
}

} // namespace
} // namespace sheaf::test
