// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf check` and `sheaf run`, as their user has them: the examples, exit codes, formats, and what a scenario leaves
// behind. The documentation of the file knows the keys that the reader knows.

#include "app/file/file_keys.hpp"
#include "integration/program/sheaf_file_command.hpp"
#include "support/postgresql_server.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <sstream>

namespace {

using namespace cli;
using testing::HasSubstr;
using testing::Not;

TEST_F(SheafFileCommand, RunsTheExampleOnSqlite) {
  EXPECT_EQ(sheaf({"check", "shop.yaml"}).out, "");
  const auto done = sheaf({"run", "shop.yaml", "smoke", "--seed", "1"});
  EXPECT_EQ(done.exit_code, 0) << done.err << done.out;
  EXPECT_EQ(done.err, "");
  EXPECT_THAT(done.out, HasSubstr("  held  total.scalar: > 0  (it is 6)\n"));
  EXPECT_THAT(done.out, HasSubstr("smoke: 6 requests, 12 expectations, all held in "));
  EXPECT_THAT(done.out, HasSubstr("(seed 1)\n"));
  EXPECT_EQ(shell(".tables"), "") << "teardown has not run";
}

TEST_F(SheafFileCommand, RunsTheExampleOnPostgresql) {
  sheaf::test::postgresql_schema schema;
  const auto done = sheaf({"run", "shop.yaml", "smoke", "-D", "DATABASE_URL=" + schema.url()});
  EXPECT_EQ(done.exit_code, 0) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr("12 expectations, all held"));
  EXPECT_EQ(schema.server("select count(*) from pg_tables where schemaname = '" + schema.name() + "'"), "0");
}

TEST_F(SheafFileCommand, EndsWith99WhenAnExpectationIsMissed) {
  change_example("by_author.scalar: 2\n          each", "by_author.scalar: \"> 2 * 2\"\n          each");
  const auto done = sheaf({"run", "shop.yaml", "smoke"});
  EXPECT_EQ(done.exit_code, 99);
  EXPECT_THAT(done.out,
              testing::ContainsRegex("  MISSED  by_author.scalar: > 2 \\* 2  \\(it is 2; step 1, line [0-9]+\\)\n"));
  EXPECT_THAT(done.out, HasSubstr("12 expectations, 1 missed"));

  const auto junit = sheaf({"run", "shop.yaml", "smoke", "--format", "junit"});
  EXPECT_EQ(junit.exit_code, 99);
  EXPECT_THAT(junit.out, HasSubstr("<testsuite name=\"smoke\" tests=\"12\" failures=\"1\""));
  EXPECT_THAT(junit.out, HasSubstr("name=\"step 1: dashboard: by_author.scalar: &gt; 2 * 2\""));
  EXPECT_THAT(junit.out, HasSubstr("<failure message=\"it is 2 (shop.yaml:"));
  write("report.xml", junit.out);
  EXPECT_EQ(run({"xmllint", "--noout", "report.xml"}, {.directory = folder.path()}).exit_code, 0);

  const auto json = boost::json::parse(sheaf({"run", "shop.yaml", "smoke", "--format", "json"}).out).as_object();
  EXPECT_EQ(json.at("held"), false);
  EXPECT_EQ(json.at("scenario"), "smoke");
  const auto& steps = json.at("steps").as_array();
  ASSERT_EQ(steps.size(), 6u);
  EXPECT_EQ(steps[0].at("request"), "dashboard");
  EXPECT_EQ(steps[0].at("queries"), 6);
  EXPECT_EQ(steps[0].at("held"), false);
  EXPECT_EQ(steps[0].at("expectations").at(1).at("found"), 2);
  EXPECT_EQ(steps[1].at("held"), true);
}

TEST_F(SheafFileCommand, EndsWith2WhenNoSessionCanBeOpened) {
  write("away.yaml", R"(databases: {main: {url: "sqlite:nowhere.db"}}
requests: {one: {queries: {n: select 1}}}
scenarios:
  plain: {steps: [{request: one}]}
  expects: {steps: [{request: one, expect: {n.scalar: 1}}]}
  knows: {steps: [{request: one, expect: {error: "'connect_failed'"}}]}
)");
  for (const auto* name : {"one", "plain", "expects"}) {
    const auto said = sheaf({"run", "away.yaml", name});
    EXPECT_EQ(said.exit_code, 2) << name << said.out << said.err;
    EXPECT_THAT(said.err, HasSubstr("connect_failed")) << name;
  }
  EXPECT_EQ(sheaf({"run", "away.yaml", "knows"}).exit_code, 0);
}

/// Each of two requests waits for the other; one that ran alone would pass its deadline.
TEST_F(SheafFileCommand, RunsParallelStepsAtOnce) {
  sheaf::test::postgresql_schema schema;
  write("meet.yaml", R"(
databases: {main: {url: "${DATABASE_URL}"}}
requests:
  meet: {deadline: 10s, queries: {met: select meet()}}
scenarios:
  s:
    setup:
      - sql: create sequence arrived
      - sql: |
          create function meet() returns int language plpgsql as $$ begin
            perform nextval('arrived');
            loop exit when (select last_value from arrived) >= 2; perform pg_sleep(0.001); end loop;
            return 1; end $$
    steps: [{parallel: [{request: meet, expect: {met.scalar: 1}}, {request: meet, expect: {met.scalar: 1}}]}]
)");
  const auto done = sheaf({"run", "meet.yaml"}, {{"DATABASE_URL", schema.url()}});
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
}

TEST_F(SheafFileCommand, CapturesAnewEachTime) {
  write("count.yaml", R"(
databases: {main: {url: "sqlite::memory:"}}
requests: {add: {parameters: {n: {type: int}}, queries: {sum: "select :n + 1"}}}
scenarios:
  s:
    steps:
      - {request: add, with: {n: "${START}"}, capture: {n: sum.scalar}}
      - repeat:
          times: 3
          of: [{request: add, with: {n: "${n}"}, expect: {sum.scalar: "= n + 1"}, capture: {n: sum.scalar}}]
      - {request: add, with: {n: "${n}"}, expect: {sum.scalar: 15}}
)");
  const auto done = sheaf({"run", "count.yaml", "-D", "START=10"}, {{"START", "70"}});
  EXPECT_EQ(done.exit_code, 0) << "a variable of -D comes before one of the environment\n" << done.out << done.err;
  EXPECT_EQ(sheaf({"run", "count.yaml"}, {{"START", "70"}}).exit_code, 99);
}

TEST_F(SheafFileCommand, TellsOfATeardownThatFails) {
  change_example("drop table book", "drop table nothing");
  const auto done = sheaf({"run", "shop.yaml", "smoke"});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_THAT(done.err, HasSubstr("teardown failed, and changed nothing: "));
  EXPECT_THAT(shell(".tables"), HasSubstr("book"));
}

TEST_F(SheafFileCommand, RunsARequestWithParameters) {
  change_example("    teardown:\n      - sql: drop table book\n", "");
  ASSERT_EQ(sheaf({"run", "shop.yaml", "smoke"}).exit_code, 0);
  const auto json =
      sheaf({"run", "shop.yaml", "dashboard", "-p", "author=Author 3", "-p", "ids=2,5", "--format", "json"});
  EXPECT_EQ(json.exit_code, 0) << json.err;
  const auto results = boost::json::parse(json.out).at("results").as_object();
  EXPECT_EQ(results.at("by_author").at("rows").at(0).at(0), 2);
  EXPECT_EQ(results.at("each[0]").at("rows").at(0).at(0), "\"Quoted\"");
  EXPECT_EQ(results.at("each[1]").at("rows").at(0).at(0), "Third");
  EXPECT_EQ(sheaf({"run", "shop.yaml", "authors", "--format", "csv"}).out, "authors\n3\n");
  EXPECT_THAT(sheaf({"run", "shop.yaml", "authors", "--timeline"}).err, HasSubstr("count"));
}

/// The names of files that were being written.
std::vector<std::string> names_in(const std::filesystem::path& folder, std::string_view begin) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator{folder})
    if (file.path().filename().string().starts_with(begin))
      names.push_back(file.path().filename());
  return names;
}

TEST_F(SheafFileCommand, WritesResultsAndReportsIntoAFile) {
  const std::filesystem::path there{folder.path()};
  change_example("    teardown:\n      - sql: drop table book\n", "");
  write("report.xml", "old");
  std::filesystem::permissions(there / "report.xml", std::filesystem::perms{0640});
  const auto junit = sheaf({"run", "shop.yaml", "smoke", "--format", "junit", "--output", "report.xml"});
  EXPECT_EQ(junit.exit_code, 0) << junit.err;
  EXPECT_THAT(text_of(there / "report.xml"), HasSubstr("<testsuite name=\"smoke\" tests=\"12\" failures=\"0\""));
  EXPECT_EQ(std::filesystem::status(there / "report.xml").permissions(), std::filesystem::perms{0640});
  EXPECT_THAT(junit.out, HasSubstr("  held  total.scalar: > 0  (it is 6)\n")) << "who looks sees how it goes";
  EXPECT_THAT(junit.out, HasSubstr("12 expectations, all held"));

  const auto table = sheaf({"run", "shop.yaml", "smoke", "--output", "report.txt"});
  EXPECT_EQ(text_of(there / "report.txt"), table.out);
  const auto request = sheaf({"run", "shop.yaml", "authors", "--format", "csv", "--output", "authors.csv"});
  EXPECT_EQ(request.out, "");
  EXPECT_EQ(text_of(there / "authors.csv"), "authors\n3\n");
  std::filesystem::create_symlink("authors.csv", there / "link.csv");
  EXPECT_EQ(sheaf({"run", "shop.yaml", "dashboard", "--format", "csv", "--output", "link.csv"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(there / "link.csv"));
  EXPECT_THAT(text_of(there / "authors.csv"), HasSubstr("# total\n"));
  EXPECT_EQ(sheaf({"run", "shop.yaml", "authors", "--output", "/dev/stdout"}).out.substr(0, 9), " authors ");
  EXPECT_THAT(names_in(there, "report."), testing::UnorderedElementsAre("report.xml", "report.txt"));
}

TEST_F(SheafFileCommand, LeavesAFileAsItWasWhenThereIsNothingToWrite) {
  const std::filesystem::path there{folder.path()};
  write("report.json", "old");
  change_example("delete from book", "delete from nothing");
  const auto failed = sheaf({"run", "shop.yaml", "smoke", "--format", "json", "--output", "report.json"});
  EXPECT_EQ(failed.exit_code, 2);
  EXPECT_EQ(text_of(there / "report.json"), "old");
  shell("create table book (author text)");
  EXPECT_THAT(names_in(there, "report."), testing::ElementsAre("report.json"));
  for (const auto& [file, why] :
       {std::pair{"nowhere/x.json", "nowhere/x.json cannot be written: No such file or directory"},
        {".", ". cannot be written: Is a directory"},
        {"/dev/full", "/dev/full cannot be written: No space left on device"}}) {
    const auto done = sheaf({"run", "shop.yaml", "authors", "--output", file});
    EXPECT_EQ(done.exit_code, 2);
    EXPECT_EQ(done.err, fmt::format("sheaf: {}\n", why));
  }
}

TEST_F(SheafFileCommand, DrawsARequestIntoAFile) {
  for (const auto& [file, begin] : {std::pair{"t.svg", "<svg "}, {"t.html", "<!DOCTYPE html>"}, {"t.json", "{"}}) {
    const auto done = sheaf({"run", "shop.yaml", "smoke", "--timeline", file});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(text_of(std::filesystem::path{folder.path()} / file), HasSubstr(begin)) << file;
  }
  EXPECT_EQ(run({"xmllint", "--noout", "t.svg"}, {.directory = folder.path()}).exit_code, 0);
  const auto wrong = sheaf({"run", "shop.yaml", "smoke", "--timeline", "t.gif"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("a picture is a .svg, .html or .json file"));
}

TEST_F(SheafFileCommand, TellsWhatThereIsToRun) {
  for (const auto& [name, why] :
       {std::pair<std::string, std::string>{"nope", "shop.yaml has no nope; it has request "
                                                    "dashboard, request authors, scenario smoke"}}) {
    const auto done = sheaf({"run", "shop.yaml", name});
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_THAT(done.err, HasSubstr(why));
  }
  EXPECT_THAT(sheaf({"run", "shop.yaml", "dashboard", "-p", "autor=x"}).err,
              HasSubstr("-p autor: dashboard has no such parameter"));
  EXPECT_THAT(sheaf({"run", "shop.yaml", "smoke", "-p", "author=x"}).err, HasSubstr("-p is for requests"));
  EXPECT_THAT(sheaf({"run", "shop.yaml", "smoke", "-D", "x"}).err, HasSubstr("-D takes NAME=VALUE"));
}

TEST_F(SheafFileCommand, ChangesNothingWhenASetupFailsAndTearsDownAllTheSame) {
  shell("create table kept (x int)");
  for (const auto& [csv, why] :
       {std::pair{"id,title,author,price\n100,a,b\n", "books.csv: line 2: 3 fields, and there are 4 "
                                                      "columns"},
        {"id,title,author,price\n100,a,b,1\n100,a,b,1\n", "books.csv: line 3: UNIQUE constraint"},
        {"id,titel\n100,a\n", "books.csv: line 2: table book has no column named titel"}}) {
    write("books.csv", csv);
    change_example("drop table book", "create table torn_down (x int)");
    const auto done = sheaf({"run", "shop.yaml", "smoke"});
    EXPECT_EQ(done.exit_code, 2);
    EXPECT_THAT(done.err, HasSubstr("setup failed, and changed nothing: ")) << done.err;
    EXPECT_THAT(done.err, HasSubstr(why));
    EXPECT_THAT(shell(".tables"), Not(HasSubstr("book")));
    EXPECT_THAT(shell(".tables"), HasSubstr("torn_down"));
    shell("drop table torn_down");
    change_example("create table torn_down (x int)", "drop table book");
  }
}

TEST_F(SheafFileCommand, ChecksSeveralFilesAtOnce) {
  write("bad.yaml", "databases: {main: {url: 'sqlite:x', pol: {}}}\n");
  const auto text = sheaf({"check", "shop.yaml", "bad.yaml"});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_EQ(text.out, "bad.yaml:1:37: error: a database has no key \"pol\"; did you mean \"pool\"?\n");
  const auto json = sheaf({"check", "shop.yaml", "bad.yaml", "bad.yaml", "--format", "json"});
  EXPECT_EQ(json.exit_code, 1);
  const auto all = boost::json::parse(json.out).as_array();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].at("file"), "bad.yaml");
  EXPECT_EQ(all[0].at("column"), 37);
  EXPECT_EQ(all[0].at("severity"), "error");
  EXPECT_EQ(sheaf({"check", "shop.yaml", "--format", "json"}).out, "[]\n");
  EXPECT_EQ(sheaf({"run", "bad.yaml"}).exit_code, 1);
  EXPECT_THAT(sheaf({"run", "bad.yaml"}).err, HasSubstr("bad.yaml:1:37: error: "));
}

TEST_F(SheafFileCommand, ShowsNoPasswordOfAUrl) {
  write("secret.yaml", "databases: {main: {url: 'postgresql://u:hunter2@127.0.0.1:1/db'}}\n"
                       "requests: {r: {queries: {q: select 1}}}\n");
  const auto done = sheaf({"run", "secret.yaml"});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_THAT(done.err, HasSubstr("connect_failed"));
  EXPECT_THAT(done.err + done.out, Not(HasSubstr("hunter2")));
}

TEST_F(SheafFileCommand, WritesAFileToBeginWithThatRunsAtOnce) {
  const auto first = sheaf({"init"});
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(first.out, "sheaf.yaml is written; try: sheaf run sheaf.yaml smoke\n");
  EXPECT_EQ(sheaf({"check", "sheaf.yaml"}).out, "");
  const auto run = sheaf({"run", "sheaf.yaml", "smoke"});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("4 expectations, all held"));
  EXPECT_EQ(sheaf({"run", "sheaf.yaml", "dashboard"}).exit_code, 0) << "the scenario has left its table";
  const auto again = sheaf({"init"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("sheaf.yaml is there already; give another name"));
}

// -- the documentation

TEST(SheafFileDocumentation, KnowsTheKeysThatTheReaderKnows) {
  using namespace sheaf::app;
  const auto text = text_of(source / "docs/sheaf-file.md");
  for (const auto x : all_sections()) {
    const auto begin = text.find(fmt::format("\n## {}\n", to_string(x)));
    ASSERT_NE(begin, text.npos) << to_string(x);
    const auto part = text.substr(begin + 1, text.find("\n## ", begin + 1) - begin);
    for (const auto& key : keys_of(x)) {
      EXPECT_THAT(part, HasSubstr(fmt::format("\n| `{}` | {} |", key.name, type_text(key))));
      EXPECT_THAT(part, HasSubstr(fmt::format(" | {} | {} |\n",
                                              key.default_value.empty() ? "" : fmt::format("`{}`", key.default_value),
                                              key.meaning)));
    }
    const auto rows = static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n')) - 5;
    EXPECT_EQ(rows, keys_of(x).size()) << to_string(x) << ": there are others";
  }
}

TEST(SheafFileDocumentation, HasTheSchemaOfTheKeys) {
  EXPECT_EQ(text_of(source / "docs/sheaf-file.schema.json"), sheaf::app::json_schema());
}

} // namespace
