// SPDX-License-Identifier: BSD-3-Clause
//
// The output formats of `sheaf query`, byte by byte: against psql itself, against PostgreSQL's to_json, and through a
// JSON parser.

#include "integration/program/cli_process.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace {

using cli::memory;
using cli::postgres;
using cli::run_sheaf;
using cli::words;

/// Statements whose result does not change when they are run again.
const words statements{
    R"(select 1 as a, 'x' as b, 'a,b' as c, 'q"q' as d, E'l\nm' as e, E'c\rd' as f, '' as g, null as h, ' lead ' as i)",
    R"(select '\.' as "\.", '\.x' as "a,b", 'x\.' as "q""q", '.' as ";")",
    R"(select '\.')",
    "select ''",
    "select null",
    "values (null::text, null::int), (null, 3)",
    "select",
    "select from generate_series(1, 3)",
    "select 1 as a, 'x' as b where false",
    R"(select 1 as id, E'two\nlines' as t, E'x\ny\n' as l)",
    R"(select E'two\nlines' as t, 1 as id)",
    "select 1 as \"he\nader\", 2 as b",
    R"(select E'tab\tx' as t, E'\x01\x1b[0m' as c, E'\r' as r, E'\u0085' as c1, E'a\tb\n\tc' as tt)",
    R"(select '日本語' as w, 'é' as e, E'e\u0301' as comb, '👍' as emoji, 'ﾊﾝｶｸ' as half, 1 as "幅")",
    R"(select 1.5::float8 as a, 1::oid o, '1'::xid, 1::money, true, '2020-01-01'::date, '1 day'::interval, 1::numeric,
'{1}'::int[])",
    R"(select 'NaN'::float8, '-Infinity'::float4, 1e20::float8, 1e-7::float8, 0.1::float4, -0.0::float8,
1.10::numeric(9,4), 'NaN'::numeric)",
    R"(select '\x00ff'::bytea, '{"a": [1, null]}'::jsonb, '<a/>'::xml, B'101')",
    "select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
    R"(select '12:00:00.123456+02'::timetz, '2020-01-01 12:00:00.5+02'::timestamptz, 'infinity'::timestamp,
'0044-03-15 BC'::date)",
    R"(select '1 year 2 mons 3 days 04:05:06.7'::interval, '10.0.0.1/8'::inet, '08:00:2b:01:02:03'::macaddr,
'(1,2)'::point)",
    R"(select '{1,2,null}'::int[], '{"a,b","q\""}'::text[], '[1,5)'::int4range, row(1,'x'))",
    "select '{[1,3),[5,7)}'::int4multirange",
    R"(select 'fat cat'::tsvector, 'pg_class'::regclass, '0/16B3748'::pg_lsn, 'a'::"char", 'x'::name, 'abc'::char(5),
pg_sleep(0))",
    "select * from pg_type order by oid",
    "select * from pg_class where relkind = 'v' order by oid",
    "create temp table t (i int)",
    "create temp table t as select 1 as i from generate_series(1, 7)",
    "explain (costs off) select 1",
    "show work_mem",
    "set work_mem = '5MB'",
    "with x (i) as (values (1), (2)) select * from x",
    "create or replace function pg_temp.f() returns int language sql as 'select 1'",
};

void expect_psql(const std::string& sql) {
  for (const std::string format : {"csv", "table"}) {
    words psql{"psql", "--no-psqlrc", "-d", postgres(), "-c", sql};
    if (format == "csv")
      psql.push_back("--csv");
    const auto ours = run_sheaf({"query", postgres(), sql, "--format", format});
    EXPECT_EQ(ours.err, "") << sql;
    EXPECT_EQ(ours.out, cli::run(psql).out) << sql;
  }
}

TEST(CliFormat, IsPsqlsByteForByte) {
  for (const auto& sql : statements)
    expect_psql(sql);
}

TEST(CliFormat, IsPsqlsForCommandsThatChangeRows) {
  const auto once = [](const std::string& sql) { run_sheaf({"query", postgres(), sql}); };
  once("drop table if exists cli_format");
  once("create table cli_format as select i, 'x' || i as t from generate_series(1, 5) i");
  for (const std::string sql :
       {"update cli_format set t = t where i > 2", "update cli_format set t = t where i > 3 returning *",
        "delete from cli_format where i > 9", "delete from cli_format where i > 9 returning i",
        "insert into cli_format select 1, 'a' where false returning i, t",
        "insert into cli_format select 1, 'a' where false",
        "with x as (update cli_format set t = t returning i) select count(*) from x"})
    expect_psql(sql);
  once("drop table cli_format");
}

/// The only row of the only result, and the text of the whole reply.
struct json_reply {
  std::string text;
  boost::json::value parsed;
  int exit_code;
};

json_reply ask_json(const std::string& url, const std::string& sql, const words& more = {}) {
  words command{"query", url, sql, "--format", "json"};
  command.insert(command.end(), more.begin(), more.end());
  auto said = run_sheaf(command);
  boost::json::parse_options strict;
  strict.allow_invalid_utf8 = false;
  auto parsed = boost::json::parse(said.out, {}, strict);
  return {std::move(said.out), std::move(parsed), said.exit_code};
}

TEST(CliFormat, KeepsNumbersInJsonAsPostgresqlDoes) {
  for (const std::string value : {"1::int2",
                                  "(-2147483648)::int4",
                                  "9223372036854775807::int8",
                                  "0.1::float4",
                                  "0.1::float8",
                                  "1e300::float8",
                                  "1e-300::float8",
                                  "5e-324::float8",
                                  "'-0'::float8",
                                  "'NaN'::float8",
                                  "'-Infinity'::float4",
                                  "1.10::numeric",
                                  "'NaN'::numeric",
                                  "'Infinity'::numeric",
                                  "123456789012345678901234567890.1234567890::numeric",
                                  "0.000000001::numeric",
                                  "true",
                                  "false",
                                  "null::int",
                                  "1::oid",
                                  "'x'::text",
                                  "'{\"b\": 1, \"a\": [true, null]}'::json",
                                  "'[1.50, 1e3]'::jsonb",
                                  "'1 day'::interval",
                                  "'\\xff00'::bytea",
                                  "'(1,2)'::point",
                                  "E'q\"\\\\ \\t\\n\\r\\x01\\x7f é 👍'::text"}) {
    const auto ours = run_sheaf({"query", postgres(), "select " + value + " as v", "--format", "ndjson"});
    const auto theirs = cli::run({"psql", "--no-psqlrc", "-At", "-d", postgres(), "-c",
                                  "select coalesce(to_json(" + value + ")::text, 'null')"});
    const auto expected = theirs.out.substr(0, theirs.out.size() - 1);
    const auto parsed = boost::json::parse(ours.out).at("row").at("v");
    EXPECT_EQ(parsed, boost::json::parse(expected)) << value;
    if (parsed.is_number()) {
      EXPECT_EQ(ours.out, "{\"query\": \"q1\", \"row\": {\"v\": " + expected + "}}\n");
    }
  }
}

TEST(CliFormat, NamesTypesErrorsAndTimesInJson) {
  const auto said =
      ask_json(postgres(), "good=select 1 as n, array['x'] as a", {"bad=select\nfrom where", "--on-error", "partial"});
  EXPECT_EQ(said.exit_code, 2);
  const auto& good = said.parsed.at("results").at("good");
  EXPECT_EQ(good.at("columns"),
            boost::json::parse(R"([{"name": "n", "type": "int4"}, {"name": "a", "type": "text[]"}])"));
  EXPECT_EQ(good.at("rows"), boost::json::parse(R"([[1, ["x"]]])"));
  EXPECT_FALSE(said.parsed.at("results").as_object().contains("bad"));
  const auto& bad = said.parsed.at("errors").at("bad");
  EXPECT_EQ(bad.at("code"), "rejected_sql");
  EXPECT_EQ(bad.at("sqlstate"), "42601");
  EXPECT_EQ(bad.at("line"), 2);
  EXPECT_EQ(bad.at("column"), 6);
  const auto& timing = said.parsed.at("timing");
  EXPECT_GT(timing.at("elapsed_ms").to_number<double>(), 0);
  EXPECT_GT(timing.at("queries").at("good").at("released_ms").to_number<double>(), 0);
}

TEST(CliFormat, IsValidJsonWhateverSqliteHolds) {
  const auto said = ask_json(
      memory, "select 9223372036854775807 as i, 1.0 as r, 0.1 + 0.2 as s, 1e999 as inf, x'00ff' as b, "
              "cast(x'41ff42c3' as text) as bad, 'a' || char(10, 34, 92, 1, 0x2028) as t, null as n, 1e20 as e");
  const auto row = said.parsed.at("results").at("q1").at("rows").at(0).as_array();
  EXPECT_EQ(row.at(0), INT64_MAX);
  EXPECT_THAT(said.text, testing::HasSubstr("[9223372036854775807, 1.0, 0.30000000000000004, \"Infinity\""));
  EXPECT_EQ(row.at(4), "\\x00ff");
  EXPECT_EQ(row.at(5), "A\ufffdB\ufffd");
  EXPECT_EQ(said.parsed.at("results").at("q1").at("replaced_values"), 1);
  EXPECT_EQ(row.at(6), "a\n\"\\\x01\u2028");
  EXPECT_TRUE(row.at(7).is_null());
  EXPECT_EQ(row.at(8), 1e20);
}

TEST(CliFormat, GivesAnObjectForEachRowInNdjson) {
  const auto said =
      run_sheaf({"query", postgres(), "a=select i, i as i, 2 as i_2, E'{\\n}'::json as j from generate_series(1, 2) i",
                 "b=set work_mem = '5MB'", "c=select 1/0", "d=select 1 as x where false", "--format", "ndjson",
                 "--on-error", "partial"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_EQ(
      said.out,
      "{\"query\": \"a\", \"row\": {\"i\": 1, \"i_3\": 1, \"i_2\": 2, \"j\": { }}}\n"
      "{\"query\": \"a\", \"row\": {\"i\": 2, \"i_3\": 2, \"i_2\": 2, \"j\": { }}}\n"
      "{\"query\": \"b\", \"affected_rows\": 0}\n"
      "{\"query\": \"c\", \"error\": {\"code\": \"rejected_sql\", \"phase\": \"execute\", \"sqlstate\": \"22012\", "
      "\"message\": \"division by zero\"}}\n");
}

TEST(CliFormat, SeparatesSeveralResults) {
  const auto csv = run_sheaf({"query", memory, "a=select 1 as x", "select '2' as y", "--format", "csv"});
  EXPECT_EQ(csv.out, "# a\nx\n1\n\n# q2\ny\n2\n");
  const auto table = run_sheaf({"query", memory, "a=select 1 as x union all select null", "select '2' as y, 2.5 as z"});
  EXPECT_EQ(table.out, "a:\n x \n---\n 1\n  \n(2 rows)\n\nq2:\n y |  z  \n---+-----\n 2 | 2.5\n(1 row)\n\n");
}

TEST(CliFormat, SaysWhatASqliteCommandDid) {
  const sheaf::app::temporary_directory home;
  const auto at = [&](const words& rest) {
    words command{"query", "sqlite:t.db?mode=rwc"};
    command.insert(command.end(), rest.begin(), rest.end());
    return run_sheaf(command, {.directory = home.path()}).out;
  };
  EXPECT_EQ(at({"create table t (i int)"}), "0 rows affected\n");
  EXPECT_EQ(at({"insert into t values (1), (2)"}), "2 rows affected\n");
  EXPECT_EQ(at({"insert into t values (3) returning i", "--format", "csv"}), "i\n3\n");
  EXPECT_EQ(at({"delete from t where i = 1", "--format", "csv"}), "");
  EXPECT_EQ(at({"update t set i = 0", "--format", "ndjson"}), "{\"query\": \"q1\", \"affected_rows\": 2}\n");
}

} // namespace
