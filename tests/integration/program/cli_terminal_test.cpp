// SPDX-License-Identifier: BSD-3-Clause
//
// The program's drawings: timelines, colour and width on terminals, plain text everywhere else.

#include "integration/program/cli_process.hpp"

#include <gmock/gmock.h>

namespace {

using cli::lines_of;
using cli::memory;
using cli::run_sheaf;
using cli::words;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(CliTerminal, DrawsATimelineWithoutTouchingTheOutput) {
  const auto said = run_sheaf(
      {"query", memory, "one=select 1 as x", "two=select 2 as x", "--format", "csv", "--timeline", "--width", "1"});
  EXPECT_EQ(said.out, "# one\nx\n1\n\n# two\nx\n2\n");
  EXPECT_THAT(said.err, AllOf(HasSubstr("  one  "), HasSubstr("  two  "), HasSubstr("waiting"), HasSubstr("running")));
}

TEST(CliTerminal, UsesColourOnlyOnATerminalThatWantsIt) {
  const words command{"query", memory, "a=select 1", "b=select 2", "--timeline"};
  EXPECT_THAT(run_sheaf(command, {.columns = 100}).out, HasSubstr("\033["));
  EXPECT_THAT(run_sheaf(command, {.environment = {{"NO_COLOR", "1"}}, .columns = 100}).out, Not(HasSubstr("\033[")));
  EXPECT_THAT(run_sheaf(command, {.environment = {{"TERM", "dumb"}}, .columns = 100}).out, Not(HasSubstr("\033[")));
  const auto piped = run_sheaf(command);
  EXPECT_THAT(piped.out + piped.err, Not(HasSubstr("\033[")));
}

TEST(CliTerminal, FitsTheTimelineToTheTerminal) {
  for (const int columns : {60, 80, 140}) {
    const auto said = run_sheaf({"query", memory, "a=select 1", "--timeline", "--format", "csv"},
                                {.environment = {{"NO_COLOR", "1"}, {"LC_ALL", "C"}}, .columns = columns});
    const auto lines = lines_of(said.out);
    ASSERT_GT(lines.size(), 2u);
    EXPECT_LE(lines[2].size(), static_cast<std::size_t>(columns) + 1) << lines[2]; // and a carriage return
    EXPECT_GT(lines[2].size(), static_cast<std::size_t>(columns) - 30) << lines[2];
  }
}

TEST(CliTerminal, SaysWhenItsOutputCannotBeWritten) {
  const auto said = run_sheaf({"query", memory, "select 1"}, {.output = "/dev/full"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, HasSubstr("standard output: No space left"));
}

} // namespace
