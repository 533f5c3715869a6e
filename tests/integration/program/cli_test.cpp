// SPDX-License-Identifier: BSD-3-Clause
//
// The program as its users meet it: help, examples, bad input, exit codes, parameters, interrupts.

#include "integration/program/cli_process.hpp"

#include <gmock/gmock.h>
#include <libpq-fe.h>

#include <csignal>
#include <fstream>
#include <memory>

namespace {

using cli::lines_of;
using cli::memory;
using cli::postgres;
using cli::run_sheaf;
using cli::setting;
using cli::words;
using sheaf::app::temporary_directory;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

TEST(Cli, SaysWhenItsVersionCannotBeWritten) {
  for (const char* option : {"--version", "--help"}) {
    const auto said = run_sheaf({option}, {.output = "/dev/full"});
    EXPECT_EQ(said.exit_code, 2) << option;
    EXPECT_EQ(said.err, "sheaf: cannot write to standard output\n") << option;
  }
}

TEST(Cli, SaysItsVersion) {
  const auto said = run_sheaf({"--version"});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_THAT(said.out, testing::MatchesRegex("sheaf [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

class CliExamples : public testing::TestWithParam<std::string> {};

TEST_P(CliExamples, DoWhatTheHelpPromises) {
  const temporary_directory home; // empty: what an example needs, those before it make
  std::filesystem::create_symlink(cli::program(), home.path() + "/sheaf");
  const setting how{.environment = {{"PATH", home.path() + ":" + std::getenv("PATH")}, {"DATABASE_URL", postgres()}},
                    .directory = home.path()};
  auto command = words{"--help"};
  if (!GetParam().empty())
    command.insert(command.begin(), GetParam());
  for (const auto& example : cli::examples_of(command)) {
    const auto said = cli::run({"sh", "-c", example}, how);
    EXPECT_EQ(said.exit_code, 0) << example << '\n' << said.err;
    const bool is_quiet = example.find(" > ") != example.npos || example.starts_with("sheaf check");
    EXPECT_TRUE(!said.out.empty() || is_quiet) << example;
  }
}

INSTANTIATE_TEST_SUITE_P(OfHelp, CliExamples,
                         testing::Values("", "query", "run", "bench", "check", "init", "demo", "help", "completion"),
                         [](const auto& x) { return x.param.empty() ? "program" : x.param; });

TEST(Cli, NamesItsCommandsWhenNoneIsGiven) {
  for (const words& command : {words{}, {"frobnicate"}, {"--frobnicate"}}) {
    const auto said = run_sheaf(command);
    EXPECT_EQ(said.exit_code, 1);
    EXPECT_THAT(said.out, IsEmpty());
    EXPECT_THAT(lines_of(said.err), SizeIs(1));
    EXPECT_THAT(said.err, AllOf(StartsWith("sheaf: "), HasSubstr("demo, query"), HasSubstr("--help")));
  }
}

/// A command line that is refused: its exit code and what its one line says.
struct bad {
  words command;
  int exit_code;
  std::string says;
};

void expect_one_line(const bad& x, const setting& how = {}) {
  const auto said = run_sheaf(x.command, how);
  const auto shown = testing::PrintToString(x.command);
  EXPECT_EQ(said.exit_code, x.exit_code) << shown << said.err;
  EXPECT_THAT(said.out, IsEmpty()) << shown;
  EXPECT_THAT(lines_of(said.err), SizeIs(1)) << shown;
  EXPECT_THAT(said.err, AllOf(StartsWith("sheaf: "), HasSubstr(x.says), Not(HasSubstr("secret")))) << shown;
}

TEST(Cli, RefusesBadArgumentsInOneLine) {
  for (const bad& x : std::initializer_list<bad>{
           {{"query"}, 1, "URL is required"},
           {{"query", memory}, 1, "no query"},
           {{"query", memory, "select 1", "--first", "2"}, 1, "--first is for --on-error first"},
           {{"query", memory, "select 1", "--first", "2", "--on-error", "first"}, 1, "first is 2"},
           {{"query", memory, "select 1", "--width", "-1"}, 1, "--width"},
           {{"query", memory, "select 1", "--width", "0"}, 1, "--width"},
           {{"query", memory, "select 1", "--max-rows", "-5"}, 1, "--max-rows"},
           {{"query", memory, "select 1", "--max-bytes", "-5"}, 1, "--max-bytes"},
           {{"query", memory, "select 1", "--deadline", "5"}, 1, "needs a unit"},
           {{"query", memory, "select 1", "--deadline", "-5s"}, 1, "more than nothing"},
           {{"query", memory, "select 1", "--deadline", "5 parsecs"}, 1, "unit"},
           {{"query", memory, "select 1", "--format", "yaml"}, 1, "table,json,csv,ndjson"},
           {{"query", memory, "select 1", "--on-error", "panic"}, 1, "fail,partial"},
           {{"query", memory, "select 1", "--colour"}, 1, "--colour"},
           {{"query", memory, "--file", "/nowhere/at/all.sql"}, 1, "No such file"},
           {{"query", memory, "--file", "/"}, 1, "Is a directory"},
           {{"query", memory, "--file", "/dev/zero"}, 1, "larger than 16 MiB"},
           {{"query", memory, "--file", "-", "--file", "-"}, 1, "only once"},
           {{"query", memory, "a=select 1", "a=select 2"}, 1, "two queries are named \"a\""},
           {{"query", memory, "select :id"}, 1, "add -p id=VALUE"},
           {{"query", memory, "select :id", "-p", "secret"}, 1, "name=VALUE"},
           {{"query", "host=x", "password=secret", "tail"}, 1, "a keyword of a connection"},
           {{"query", "env:SHEAF_NOT_THERE", "select 1"}, 1, "no such environment variable"},
           {{"check", "PW=secret"}, 1, "a variable stands"},
           {{"query", memory, "select :id", "-p", "=1"}, 1, "name=value"},
           {{"query", memory, "select :id", "-p", "id=1", "-p", "id=2"}, 1, "given twice"},
           {{"query", memory, "select :id, :name", "-p", "id=1", "-p", "name=x", "-p", "nam=secret"},
            1,
            "known: :id, :name"},
           {{"query", memory, "select :id", "-p", "id:int=secret"}, 1, "whole number"},
           {{"query", memory, "select :id", "-p", "id:number=secret"}, 1, "a type is text, int"},
           {{"demo", "--rows", "0"}, 1, "--rows"},
           {{"demo", "--runs", "-1"}, 1, "--runs"},
       })
    expect_one_line(x);
}

TEST(Cli, RefusesBadDatabasesInOneLine) {
  const temporary_directory home;
  std::ofstream{home.path() + "/garbage.db"} << std::string(5000, 'x');
  const auto server = postgres();
  const auto locked = server.substr(0, server.find("user=")) + "user=sheaf_locked password=secret";
  for (const bad& x : std::initializer_list<bad>{
           {{"query", "oracle://u:secret@host/x", "select 1"}, 1, "unknown URL scheme"},
           {{"query", "select 1", "postgresql://u:secret@host/x"}, 1, "no URL: the first argument says which database"},
           {{"query", "select 1", "host=x password=:secret"}, 1, "no URL: the first argument says which database"},
           {{"query", "select 1"}, 1, "no URL: the first argument says which database"},
           {{"query", "n=SELECT 1"}, 1, "no URL: the first argument says which database"},
           {{"query", "shop.db", "select 1"}, 1, "shop.db is no URL; for a file of SQLite's write sqlite:shop.db"},
           {{"query", "postgresql://u:secret@h/d?sslmod=x", "select 1"},
            1,
            "has the keyword sslmod, which libpq does not"},
           {{"query", "postgresql://h/d?password=ab&secret", "select 1"}, 1, "does not parse"},
           {{"query", "postgresql://h/d?password=ab&secret=5", "select 1"}, 1, "does not parse"},
           {{"query", "postgresql://u:ab?secret", "select 1"}, 1, "does not parse"},
           {{"query", "sqlite:nowhere.db", "select 1"},
            2,
            "the SQLite file nowhere.db of database main cannot be opened"},
           {{"query", "postgresql://u:se%cret@[::1/x", "select 1"}, 1, "does not parse"},
           {{"query", "host='x password=secret", "select 1"}, 1, "does not parse"},
           {{"query", "postgresql://u:p@secret@host/x", "select 1"}, 1, "does not parse"},
           {{"query", "postgresql://u:p/secret@host/x", "select 1"}, 1, "does not parse"},
           {{"demo", "--url", "host=u:secret@host", "--rows", "1"}, 1, "does not parse"},
           {{"demo", "postgresql://u:secret@host/x"}, 1, "not shown"},
           {{"demo", "--rows", "postgresql://u:secret@host/x"}, 1, "not shown"},
           {{"demo", "--rows=postgresql://u:secret@host/x"}, 1, "not shown"},
           {{"postgresql://u:secret@host/x"}, 1, "not shown"},
           {{"query", "postgresql://u:secret@127.0.0.1:1/x", "select 1"}, 2, "connect_failed"},
           {{"query", locked, "select 1"}, 2, "password authentication failed"},
           {{"demo", "--url", locked}, 2, "password authentication failed"},
           {{"query", "sqlite:nowhere.db", "select 1"}, 2, "mode=rwc"},
           {{"query", "sqlite:garbage.db", "select 1 from sqlite_master"}, 2, "not an SQLite database"},
       })
    expect_one_line(x, {.directory = home.path()});
  EXPECT_FALSE(std::filesystem::exists(home.path() + "/nowhere.db"));
}

TEST(Cli, ReportsFailingStatementsInOneLine) {
  for (const auto& url : {memory, postgres()})
    for (const bad& x : std::initializer_list<bad>{
             {{"query", url, ""}, 2, "empty"},
             {{"query", url, "-- only a comment"}, 2, "empty"},
             {{"query", url, "select 1", "--file", "-"}, 2, "empty"},
             {{"query", url, "select 1 as x union all select 2", "--max-rows", "1"}, 2, "result_too_large"},
         })
      expect_one_line(x);
  expect_one_line(
      {{"query", postgres(), "good=select 1", "bad=select 1/0"}, 2, "query \"bad\": rejected_sql: division"});
  expect_one_line({{"query", postgres(), "select 1; select 2"}, 2, "rejected_sql"});
  expect_one_line({{"query", postgres(), "select pg_sleep(100)", "--deadline", "100ms"}, 2, "deadline_exceeded"});
}

TEST(Cli, ShowsWhereTheServerStumbled) {
  const auto wide = run_sheaf({"query", postgres(), "total=select '日本',\n\t'é' form book"});
  EXPECT_EQ(wide.exit_code, 2);
  EXPECT_EQ(wide.err, "sheaf: query \"total\": rejected_sql: syntax error at or near \"book\" (line 2, column 11)\n"
                      " 'é' form book\n"
                      "          ^\n");
  const auto wider = run_sheaf({"query", postgres(), "select '日本' form book"});
  EXPECT_THAT(wider.err, EndsWith("select '日本' form book\n                   ^\n"));
  const auto sqlite = run_sheaf({"query", memory, "select '日本' form book"});
  EXPECT_THAT(sqlite.err, EndsWith("select '日本' form book\n                   ^\n"));
}

TEST(Cli, PrintsTheGoodResultsUnderPartial) {
  const auto said = run_sheaf({"query", postgres(), "bad=select 1/0", "good=select 1 as x", "--on-error", "partial"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_EQ(said.out, "good:\n x \n---\n 1\n(1 row)\n\n");
  EXPECT_EQ(said.err, "sheaf: query \"bad\": rejected_sql: division by zero\n");

  const auto late = run_sheaf({"query", postgres(), "a=select 1 as x", "b=select pg_sleep(1000)", "--deadline", "3s",
                               "--on-error", "partial", "--format", "csv"});
  EXPECT_EQ(late.exit_code, 2);
  EXPECT_EQ(late.out, "# a\nx\n1\n");
  EXPECT_THAT(lines_of(late.err), SizeIs(1));
  EXPECT_THAT(late.err, AllOf(HasSubstr("\"b\""), HasSubstr("deadline_exceeded")));
}

TEST(Cli, TakesTheFirstThatSucceed) {
  const auto said = run_sheaf({"query", postgres(), "slow=select pg_sleep(60)", "bad=select 1/0", "fast=select 7 as x",
                               "--on-error", "first", "--read-only", "--format", "csv"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out, "# fast\nx\n7\n");
  const auto two = run_sheaf({"query", postgres(), "a=select 1", "bad=select 1/0", "b=select 2", "--on-error", "first",
                              "--first", "3", "--format", "csv"});
  EXPECT_EQ(two.exit_code, 2);
  EXPECT_THAT(two.out, IsEmpty());
  EXPECT_THAT(two.err, HasSubstr("division by zero"));
  const auto written = run_sheaf({"query", postgres(), "create table x (y int)", "--read-only"});
  EXPECT_EQ(written.exit_code, 1);
  EXPECT_THAT(written.err, HasSubstr("declared read_only"));
}

TEST(Cli, BindsParametersByTheirTypes) {
  const auto types = [](const std::string& sql, const words& given) {
    words command{"query", memory, sql, "--format", "csv"};
    for (const auto& parameter : given)
      command.insert(command.end(), {"-p", parameter});
    const auto said = run_sheaf(command);
    return said.err + said.out.substr(std::min(said.out.find('\n') + 1, said.out.size()));
  };
  EXPECT_EQ(types("select typeof(:a), typeof(:b), typeof(:c), typeof(:d), :d", {"a=42", "b=-1.5", "c=abc", "d=007"}),
            "integer,real,text,text,007\n");
  EXPECT_EQ(types("select typeof(:a), typeof(:b), typeof(:c)", {"a:text=42", "b:int=42", "c:double=42"}),
            "text,integer,real\n");
  EXPECT_EQ(types("select typeof(:a), hex(:b), typeof(:b)", {"a:null", "b:bytes=\\x00ff"}), "null,00FF,blob\n");
  EXPECT_EQ(types("select :a || :a, :b", {"a=x=y", "b="}), "x=yx=y,\n");

  const auto arrays =
      run_sheaf({"query", postgres(), "select :i::int[] as i, :t::text[] as t, :e::int[] as e, :b::bool as b", "-p",
                 "i:int[]=1,null,3", "-p", "t:text[]=a,\"b,c\",\"q\\\"\"", "-p", "e:int[]=", "-p", "b:bool=true",
                 "--format", "csv"});
  EXPECT_EQ(arrays.err, "");
  EXPECT_EQ(arrays.out, "i,t,e,b\n\"{1,NULL,3}\",\"{a,\"\"b,c\"\",\"\"q\\\"\"\"\"}\",{},t\n");
}

TEST(Cli, GivesEachQueryItsOwnParametersAndReadsFiles) {
  const temporary_directory home;
  std::ofstream{home.path() + "/b.sql"} << "\xef\xbb\xbfselect :b + 1 as x;\n";
  const auto said = run_sheaf({"query", memory, "a=select :a as x", "--file", "b.sql", "-p", "a=1", "-p", "b=2",
                               "--file", "c=-", "--format", "csv"},
                              {.input = "select :a = :b as x -- no\n", .directory = home.path()});
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(said.out, "# a\nx\n1\n\n# q2\nx\n3\n\n# c\nx\n0\n");
}

/// A client of its own, to look at the server.
std::string ask_server(const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> client{PQconnectdb(postgres().c_str()), PQfinish};
  const std::unique_ptr<PGresult, void (*)(PGresult*)> answer{PQexec(client.get(), sql.c_str()), PQclear};
  EXPECT_EQ(PQresultStatus(answer.get()), PGRES_TUPLES_OK) << PQerrorMessage(client.get());
  return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
}

/// `a[:n]` is a slice up to the column n unless n is given: the statement's form is then for these parameters only.
TEST(Cli, TakesAParameterInASubscript) {
  const auto x = run_sheaf({"query", postgres(), "select (array[10, 20, 30])[:n] as x, (array[1, 2, 3])[:n:3] as y",
                            "-p", "n=2", "--format", "csv"});
  EXPECT_EQ(x.exit_code, 0) << x.err;
  EXPECT_EQ(x.out, "x,y\n20,\"{2,3}\"\n");

  const sheaf::app::temporary_directory folder;
  const auto file = std::filesystem::path{folder.path()} / "sheaf.yaml";
  std::ofstream{file} << "databases: {main: {url: \"" << postgres() << "\"}}\n"
                      << "requests:\n  r: {parameters: {n: {type: int, default: 3}},\n"
                      << "      queries: {q: \"select (array[10, 20, 30])[:n] as x\"}}\n";
  for (const auto& [given, value] : {std::pair{"n=2", "20"}, {"n=1", "10"}}) {
    const auto y = run_sheaf({"run", file, "r", "-p", given, "--format", "csv"});
    EXPECT_EQ(y.exit_code, 0) << y.err;
    EXPECT_THAT(y.out, testing::HasSubstr(value));
  }
}

/// A word of a shell's: the folder may have blanks in its name.
std::string in_quotes(const std::string& word) { return "'" + word + "'"; }

/// A message that nobody can read changes neither what a command does nor its exit code.
TEST(Cli, GoesOnWhereItsMessagesCannotBeWritten) {
  const sheaf::app::temporary_directory folder;
  std::ofstream{std::filesystem::path{folder.path()} / "bad.yaml"} << "requests: 1\n";
  for (const auto* command :
       {"query sqlite::memory: 'select 1 as x' --timeline", "query sqlite::memory: 'select nonsense'", "nonsense",
        "check bad.yaml", "run bad.yaml", "demo --rows nonsense", "demo --rows 1000"}) {
    const auto with = [&](const char* redirection) {
      return cli::run({"sh", "-c", in_quotes(cli::program()) + ' ' + command + redirection},
                      {.directory = folder.path()});
    };
    const auto usual = with("");
    EXPECT_THAT(usual.exit_code, testing::AnyOf(0, 1, 2)) << command;
    for (const auto* redirection : {" 2>&-", " 2>/dev/full", " <&- 2>&-"}) {
      const auto x = with(redirection);
      EXPECT_EQ(x.exit_code, usual.exit_code) << command << redirection;
      EXPECT_EQ(x.err, "") << command << redirection;
    }
  }
}

/// The next file that is opened would have the number of standard error, and the messages.
TEST(Cli, WritesNoMessageIntoAFileThatItOpens) {
  const sheaf::app::temporary_directory folder;
  const std::filesystem::path here{folder.path()};
  std::ofstream{here / "sheaf.yaml"} << "databases: {main: {url: \"sqlite::memory:\"}}\n"
                                     << "requests: {r: {queries: {q: select 1 as x}}}\n";
  const auto run_with = [&](const std::string& redirection) {
    const auto command =
        in_quotes(cli::program()) + " run sheaf.yaml r --format csv --output out.csv --timeline" + redirection;
    EXPECT_EQ(cli::run({"sh", "-c", command}, {.directory = folder.path()}).exit_code, 0) << redirection;
    return cli::text_of(here / "out.csv");
  };
  const auto usual = run_with("");
  EXPECT_THAT(usual, testing::HasSubstr("x\n1\n"));
  EXPECT_EQ(run_with(" 2>&-"), usual);
  EXPECT_EQ(run_with(" <&- >&- 2>&-"), usual);
}

TEST(Cli, CancelsItsQueriesWhenInterrupted) {
  const std::string running = "select count(*) from pg_stat_activity where state = 'active' and query like "
                              "'%pg_sleep(1000)%' and pid <> pg_backend_pid()";
  for (const int signal : {SIGINT, SIGTERM}) {
    cli::child command{{cli::program(), "query", postgres(), "select pg_sleep(1000)", "select pg_sleep(1000)"}};
    while (ask_server(running) != "2") {
    }
    command.send(signal);
    const auto said = command.finish();
    EXPECT_EQ(said.exit_code, 128 + signal);
    EXPECT_EQ(said.out, "");
    EXPECT_EQ(said.err, "sheaf: interrupted\n");
    while (ask_server(running) != "0") {
    }
  }
}

} // namespace
