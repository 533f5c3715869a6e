// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf demo` on both databases: its output, the tables that it keeps, the files that it removes.

#include "integration/program/cli_process.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace {

using cli::postgres;
using cli::run_sheaf;
using cli::setting;
using cli::words;
using sheaf::app::temporary_directory;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(CliDemo, RemovesItsFilesAtTheEndAndWhenInterrupted) {
  const temporary_directory home;
  const setting how{.environment = {{"TMPDIR", home.path()}}};
  EXPECT_EQ(run_sheaf({"demo", "--rows", "1000", "--runs", "1"}, how).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(home.path()));

  cli::child command{{cli::program(), "demo", "--rows", "100000000"}, how};
  command.read_until("Database");
  EXPECT_FALSE(std::filesystem::is_empty(home.path()));
  command.send(SIGINT);
  EXPECT_EQ(command.finish().exit_code, 130);
  EXPECT_TRUE(std::filesystem::is_empty(home.path()));
}

TEST(CliDemo, ShowsTheThreeWaysBesideTheArticle) {
  for (const words& command : {words{"demo", "--rows", "1000", "--runs", "1"},
                               {"demo", "--rows", "1000", "--runs", "1", "--url", postgres()}}) {
    const auto said = run_sheaf(command);
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_EQ(said.err, "");
    EXPECT_THAT(said.out, AllOf(HasSubstr("three counts, one session"), HasSubstr("three counts, a session each"),
                                HasSubstr("2.26 s   1.00"), HasSubstr("6.49 s   2.88"), HasSubstr("2.74 s   1.21"),
                                HasSubstr("Cores"), HasSubstr("count 3"), HasSubstr("░ waiting")));
    EXPECT_THAT(said.out, Not(HasSubstr("\033[")));
  }
}

TEST(CliDemo, FillsUpWhatIsThereAndDropsNothing) {
  const temporary_directory home;
  const auto rows_after = [&](const std::string& rows) {
    EXPECT_EQ(run_sheaf({"demo", "--url", "sqlite:demo.db?mode=rwc", "--rows", rows, "--runs", "1"},
                        {.directory = home.path()})
                  .exit_code,
              0);
    return run_sheaf({"query", "sqlite:demo.db", "select count(*) as n, max(id) as m from sheaf_demo_book", "--format",
                      "csv"},
                     {.directory = home.path()})
        .out;
  };
  EXPECT_EQ(rows_after("100"), "n,m\n100,100\n");
  EXPECT_EQ(rows_after("60000"), "n,m\n60000,60000\n");
  EXPECT_EQ(rows_after("10"), "n,m\n60000,60000\n");
}

TEST(CliDemo, ShowsItsProgressOnATerminal) {
  const auto said = run_sheaf({"demo", "--rows", "100000", "--runs", "1"}, {.columns = 100});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_THAT(said.out, AllOf(HasSubstr("making books"), HasSubstr("50%"), HasSubstr("100000 rows")));
}

} // namespace
