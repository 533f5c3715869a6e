// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf check --connect`: the databases' own findings in a file.

#include "integration/program/sheaf_file_command.hpp"
#include "support/postgresql_server.hpp"
#include "support/silent_server.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

namespace {

using namespace cli;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckConnected : public SheafFileCommand {
protected:
  words check(const std::string& url, std::string_view queries, std::string_view more = "") {
    write("f.yaml",
          fmt::format(
              "databases: {{main: {{url: \"{}\"}}}}\nrequests:\n  r:\n    parameters: {{number: {{default: 1}}}}\n"
              "    queries:\n{}{}",
              url, queries, more));
    last = sheaf({"check", "f.yaml", "--connect"});
    return lines_of(last.out);
  }

  finished last;
};

TEST_F(CheckConnected, AsksPostgresql) {
  sheaf::test::postgresql_schema schema;
  schema.server("create table " + schema.name() + ".book (id int, title text)");
  EXPECT_THAT(
      check(schema.url(), "      good: select title from book where id = :number\n"
                          "      table: \"select :number::int\\n from bok\"\n"
                          "      column: select titel from book\n"
                          "      type: \"select :number::colour\"\n"
                          "      several: select 1; select 2\n"),
      ElementsAre("f.yaml:7:14: error: query \"table\": relation \"bok\" does not exist (line 2, column 7 of its "
                  "SQL)",
                  "f.yaml:8:15: error: query \"column\": column \"titel\" does not exist (Perhaps you meant to "
                  "reference the column \"book.title\".) (line 1, column 8 of its SQL)",
                  "f.yaml:9:13: error: query \"type\": type \"colour\" does not exist (line 1, column 17 of its "
                  "SQL)",
                  "f.yaml:10:16: error: query \"several\": several statements: a query is one"));
  EXPECT_EQ(last.exit_code, 1);
}

TEST_F(CheckConnected, AsksSqlite) {
  shell("create table book (id int, title text)");
  EXPECT_THAT(check("sqlite:shop.db", "      good: select title from book where id = :number\n"
                                      "      writes: insert into book values (:number, 'x')\n"
                                      "      table: select 'ö', x from bok\n"
                                      "      column: select titel from book\n"),
              ElementsAre(HasSubstr("7:15: warning: query \"writes\" writes book, which"),
                          "f.yaml:8:14: error: query \"table\": no such table: bok",
                          "f.yaml:9:15: error: query \"column\": no such column: titel (line 1, column 8 of its SQL)"));
  EXPECT_EQ(shell("select count(*) from book"), "0\n") << "nothing is run";
}

TEST_F(CheckConnected, WarnsOfWhatASetupMakes) {
  const std::string_view setup = "scenarios: {s: {setup: [{sql: create table if not exists \"Made\" (x int)}], steps: "
                                 "[{request: r}]}}\n";
  sheaf::test::postgresql_schema schema;
  for (const auto& url : {std::string{"sqlite:new.db?mode=rwc"}, schema.url()}) {
    EXPECT_THAT(check(url, "      later: select x from \"Made\" where :number = 1\n", setup),
                ElementsAre(HasSubstr("f.yaml:6:14: warning: query \"later\": ")));
    EXPECT_THAT(last.out, HasSubstr("; not there yet: the setup of a scenario makes Made\n"));
    EXPECT_EQ(last.exit_code, 0);
    EXPECT_THAT(check(url, "      never: select x from other where :number = 1\n", setup),
                ElementsAre(HasSubstr("f.yaml:6:14: error: query \"never\": ")));
  }
  EXPECT_FALSE(std::filesystem::exists(at("new.db"))) << "a check makes no database";
}

TEST_F(CheckConnected, SaysOnceThatADatabaseCannotBeAsked) {
  EXPECT_THAT(check("postgresql://u:hunter2@127.0.0.1:1/db", "      a: select :number::int\n      b: select 1\n"),
              ElementsAre(HasSubstr("f.yaml:1:13: error: database \"main\": connect_failed: ")));
  EXPECT_EQ(last.exit_code, 1);
  EXPECT_THAT(last.out + last.err, testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(check("sqlite:nowhere.db", "      a: select :number\n"),
              ElementsAre(HasSubstr("f.yaml:1:13: error: database \"main\": connect_failed: ")));
}

TEST_F(CheckConnected, AsksTheOthersWhenAUrlDoesNotParse) {
  write("f.yaml", "databases:\n  bad: {url: 'mysql://x'}\n  good: {url: 'sqlite::memory:'}\n"
                  "requests: {r: {queries: {q: {sql: select * from nowhere, database: good}}}}\n");
  last = sheaf({"check", "f.yaml", "--connect"});
  EXPECT_EQ(last.err, "");
  EXPECT_THAT(lines_of(last.out), ElementsAre(HasSubstr("f.yaml:2:3: error: database \"bad\": unknown URL scheme"),
                                              "f.yaml:4:35: error: query \"q\": no such table: nowhere"));
}

TEST_F(CheckConnected, WaitsForNoDatabaseForEver) {
  sheaf::test::silent_server silent;
  EXPECT_THAT(
      check(silent.url() + " connect_timeout=3600", "      a: select :number::int\n      b: select 1\n"),
      ElementsAre(testing::AllOf(HasSubstr("f.yaml:1:13: error: database \"main\": "),
                                 testing::AnyOf(HasSubstr("deadline_exceeded"), HasSubstr("too long to answer")))));
}

TEST_F(CheckConnected, SaysEachMistakeOnce) {
  sheaf::test::postgresql_schema schema;
  EXPECT_THAT(check(schema.url(), "      a: select :number fro x y\n"), ElementsAre(HasSubstr("6:10: error: ")));
  EXPECT_THAT(check("sqlite::memory:", "      a: select :q\n      b: select :number\n"),
              ElementsAre(HasSubstr("declares no parameter :q")));
  EXPECT_THAT(sheaf({"check", "shop.yaml"}).out, IsEmpty());
}

} // namespace
