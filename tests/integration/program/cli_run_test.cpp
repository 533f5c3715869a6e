// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf run` with values that are nothing, none or many, variables that nothing uses, interruptions, and rows out of
// large files.

#include "integration/program/sheaf_file_command.hpp"
#include "support/counting.hpp"
#include "support/postgresql_server.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

namespace {

using namespace cli;
using sheaf::test::eventually;
using sheaf::test::postgresql_schema;
using testing::HasSubstr;

constexpr const char* in_memory = "databases: {main: {url: 'sqlite::memory:'}}\n";

TEST_F(SheafFileCommand, TakesNullWhereAValueMayBe) {
  write("f.yaml",
        fmt::format(
            "{}requests:\n"
            "  given: {{parameters: {{n: {{type: int}}}}, queries: {{q: 'select :n is null as x'}}}}\n"
            "  left: {{parameters: {{n: {{type: int, default: null}}}}, queries: {{q: 'select :n is null as x'}}}}\n"
            "  text: {{parameters: {{t: {{}}}}, queries: {{q: 'select :t as x'}}}}\n"
            "scenarios:\n"
            "  s:\n"
            "    steps:\n"
            "      - {{request: left, expect: {{q.scalar: 1}}}}\n"
            "      - {{request: given, with: {{n: null}}, expect: {{q.scalar: 1}}}}\n"
            "      - {{request: given, with: {{n: \"${{null}}\"}}, expect: {{q.scalar: 1}}}}\n"
            "      - {{request: text, with: {{t: null}}, capture: {{none: q.scalar}}}}\n"
            "      - {{request: given, with: {{n: \"${{none}}\"}}, expect: {{q.scalar: 1}}}}\n"
            "  within: {{steps: [{{request: text, with: {{t: \"a${{null}}\"}}}}]}}\n",
            in_memory));
  const auto done = sheaf({"run", "f.yaml", "s"});
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_EQ(sheaf({"run", "f.yaml", "left", "--format", "csv"}).out, "x\n1\n");
  EXPECT_EQ(sheaf({"run", "f.yaml", "given", "-p", "n:null", "--format", "csv"}).out, "x\n1\n");
  EXPECT_EQ(sheaf({"run", "f.yaml", "text", "-p", "t=null", "--format", "csv"}).out, "x\nnull\n");
  const auto within = sheaf({"run", "f.yaml", "within"});
  EXPECT_EQ(within.exit_code, 1);
  EXPECT_THAT(within.err, HasSubstr("null"));
}

TEST_F(SheafFileCommand, ReadsListsAsQueryDoes) {
  postgresql_schema schema;
  write("f.yaml",
        fmt::format("databases: {{main: {{url: \"{}\"}}}}\n"
                    "requests: {{r: {{parameters: {{y: {{type: 'text[]'}}}}, queries: {{q: 'select :y::text[] "
                    "as y'}}}}}}\n",
                    schema.url()));
  for (const std::string list : {"a,null,\"b,c\"", "", "\"null\",\"say \\\"x\\\"\"", "NULL"}) {
    const auto query =
        sheaf({"query", schema.url(), "select :y::text[] as y", "-p", "y:text[]=" + list, "--format", "csv"});
    EXPECT_EQ(query.exit_code, 0) << query.err;
    EXPECT_EQ(sheaf({"run", "f.yaml", "r", "-p", "y=" + list, "--format", "csv"}).out, query.out) << list;
  }
  const auto open = sheaf({"run", "f.yaml", "r", "-p", "y=\"a"});
  EXPECT_EQ(open.exit_code, 1);
  EXPECT_THAT(open.err, HasSubstr("-p y: a list is "));
}

TEST_F(SheafFileCommand, AnswersAnEmptyListWithNoResults) {
  write("f.yaml",
        fmt::format(
            "{}requests:\n"
            "  each: {{parameters: {{ids: {{type: 'int[]', default: [1, 2]}}}}, queries: {{e: {{sql: 'select :id * "
            "10 as x', for_each: {{id: '{{ids}}'}}}}}}}}\n"
            "scenarios:\n"
            "  s:\n"
            "    steps:\n"
            "      - {{request: each, with: {{ids: []}}, expect: {{ok: true, queries: 0}}}}\n"
            "      - {{request: each, with: {{ids: [3]}}, expect: {{e.scalar: 30}}}}\n",
            in_memory));
  const auto done = sheaf({"run", "f.yaml", "s"});
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  const auto none = sheaf({"run", "f.yaml", "each", "-p", "ids="});
  EXPECT_EQ(none.exit_code, 0) << none.err;
  EXPECT_EQ(none.out, "");
}

TEST_F(SheafFileCommand, RefusesAVariableThatNothingUses) {
  for (const words& command : {words{"run", "shop.yaml", "authors"},
                               {"check", "shop.yaml", "load.yaml"},
                               {"bench", "load.yaml", "shop", "--duration", "10ms"},
                               {"serve", "shop.yaml"}}) {
    auto line = command;
    line.insert(line.end(), {"-D", "DATABASE_ULR=sqlite::memory:"});
    const auto done = sheaf(line);
    EXPECT_EQ(done.exit_code, 1) << command.front();
    EXPECT_THAT(done.err, HasSubstr("-D DATABASE_ULR: nothing uses ${DATABASE_ULR}; did you mean \"DATABASE_URL\"?"));
  }
  write("f.yaml", fmt::format("{}requests: {{r: {{parameters: {{n: {{type: int}}}}, queries: {{q: 'select :n'}}}}}}\n"
                              "scenarios: {{s: {{steps: [{{request: r, with: {{n: \"${{A + 1}}\"}}, expect: {{q.rows: "
                              "\"B\"}}}}]}}}}\n",
                              in_memory));
  EXPECT_EQ(sheaf({"check", "f.yaml", "-D", "A=1", "-D", "B=1"}).exit_code, 0);
  EXPECT_EQ(
      sheaf({"check", "f.yaml", "shop.yaml", "-D", "A=1", "-D", "B=1", "-D", "DATABASE_URL=sqlite::memory:"}).exit_code,
      0);
}

/// The statement would run for an hour, and the teardown needs its session.
TEST_F(SheafFileCommand, StopsItsStatementsBeforeTheTeardownWhenInterrupted) {
  postgresql_schema schema;
  schema.server("create table " + schema.name() + ".done (x int)");
  write("f.yaml",
        fmt::format("databases: {{main: {{url: \"{}\", pool: {{max_size: 1}}}}}}\n"
                    "requests: {{r: {{deadline: 1h, queries: {{q: select pg_sleep(3600)}}}}}}\n"
                    "scenarios:\n"
                    "  one: {{steps: [{{request: r}}], teardown: [{{sql: insert into done values (1)}}]}}\n"
                    "  two: {{steps: [{{parallel: [{{request: r}}, {{request: r}}]}}], teardown: [{{sql: insert "
                    "into done values (1)}}]}}\n",
                    schema.url()));
  for (const char* scenario : {"one", "two"}) {
    child command{{program(), "run", "f.yaml", scenario}, {.directory = folder.path()}};
    ASSERT_TRUE(eventually([&] { return schema.running() > 0; }));
    command.send(SIGINT);
    const auto done = command.finish();
    EXPECT_EQ(done.exit_code, 128 + SIGINT);
    EXPECT_EQ(done.err, "sheaf: interrupted\n");
    EXPECT_EQ(schema.server("delete from " + schema.name() + ".done returning x"), "1") << scenario;
    EXPECT_EQ(schema.running(), 0);
  }
}

class RowsOfAFile : public SheafFileCommand {
protected:
  finished load(std::string_view csv) {
    write("rows.csv", csv);
    write("f.yaml",
          fmt::format("databases: {{main: {{url: \"{}\"}}}}\n"
                      "requests: {{r: {{queries: {{q: select 1}}}}}}\n"
                      "scenarios: {{s: {{setup: [{{csv: rows.csv, into: row}}], steps: [{{request: r}}]}}}}\n",
                      schema.url()));
    return sheaf({"run", "f.yaml", "s"});
  }

  postgresql_schema schema;
};

TEST_F(RowsOfAFile, GoIntoPostgresqlAsTheyAre) {
  schema.server("create table " + schema.name() + ".row (id int primary key, t text)");
  const auto done = load("t,id\n\"a\tb\nc\\N\rd\"\"ö\",1\n,2\n\"\",3\n\\N,4\n\\.,5\n");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto text_of_row = [&](int id) {
    return schema.server(fmt::format("select coalesce(t, 'nothing') from {}.row where id = {}", schema.name(), id));
  };
  EXPECT_EQ(text_of_row(1), "a\tb\nc\\N\rd\"ö");
  EXPECT_EQ(text_of_row(2), "nothing");
  EXPECT_EQ(text_of_row(3), "");
  EXPECT_EQ(text_of_row(4), "\\N");
  EXPECT_EQ(text_of_row(5), "\\.");
}

TEST_F(RowsOfAFile, GoIntoPostgresqlAllAtOnce) {
  const auto made = schema.name() + ".made";
  schema.server("create table " + schema.name() + ".row (id int); create table " + made + " (x int); create function " +
                made + "() returns trigger language plpgsql as $$begin insert into " + made +
                " values (1); return null; end$$; create trigger t after insert on " + schema.name() +
                ".row for each statement execute function " + made + "()");
  std::string csv = "id\n";
  for (int i = 0; i < 20'000; ++i)
    csv += fmt::format("{}\n", i);
  EXPECT_EQ(load(csv).exit_code, 0);
  EXPECT_EQ(schema.server("select count(*) || ' ' || sum(id) from " + schema.name() + ".row"), "20000 199990000");
  EXPECT_EQ(schema.server("select count(*) from " + made), "1") << "one statement";
}

TEST_F(RowsOfAFile, AreToldByTheirLineWithoutTheirValues) {
  schema.server("create table " + schema.name() + ".row (id int primary key, t text)");
  for (const auto& [csv, line] : {std::pair{"id,t\n1,\"a\nb\"\nhunter2,c\n", 4}, {"id,t\n1,a\n2,b\n1,hunter2\n", 4}}) {
    const auto done = load(csv);
    EXPECT_EQ(done.exit_code, 2);
    EXPECT_THAT(done.err, HasSubstr(fmt::format("setup failed, and changed nothing: ")));
    EXPECT_THAT(done.err, HasSubstr(fmt::format("rows.csv: line {}: ", line)));
    EXPECT_THAT(done.err, testing::Not(HasSubstr("hunter2")));
    EXPECT_EQ(schema.server("select count(*) from " + schema.name() + ".row"), "0");
  }
  EXPECT_THAT(load("nope\n1\n").err, HasSubstr("rows.csv: line 2: column \"nope\""));
}

TEST_F(SheafFileCommand, WritesToStandardOutputForADash) {
  change_example("    teardown:\n      - sql: drop table book\n", "");
  EXPECT_EQ(sheaf({"run", "shop.yaml", "smoke"}).exit_code, 0);
  for (const char* format : {"csv", "junit"}) {
    const std::string name = format == std::string{"csv"} ? "authors" : "smoke";
    const words plain{"run", "shop.yaml", name, "--format", format, "--seed", "1"};
    auto dash = plain;
    dash.insert(dash.end(), {"--output", "-"});
    EXPECT_EQ(sheaf(dash).out.substr(0, 40), sheaf(plain).out.substr(0, 40));
  }
  EXPECT_FALSE(std::filesystem::exists(at("-")));
}

} // namespace
