// SPDX-License-Identifier: BSD-3-Clause
//
// Every file in examples/files does what it says: it is checked, and its scenarios are run, on both databases.

#include "app/file/file_reader.hpp"
#include "integration/program/sheaf_file_command.hpp"
#include "support/postgresql_server.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

namespace {

using namespace cli;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

words examples() {
  words names;
  for (const auto& file : std::filesystem::directory_iterator{source / "examples/files"})
    if (file.path().extension() == ".yaml")
      names.push_back(file.path().filename());
  return names;
}

class Examples : public SheafFileCommand {
protected:
  /// Runs a scenario that is the file's only one, or has a name, to its good end.
  std::string held(words command) {
    command.insert(command.begin(), "run");
    const auto done = sheaf(command);
    EXPECT_EQ(done.exit_code, 0) << testing::PrintToString(command) << done.out << done.err;
    EXPECT_EQ(done.err, "");
    EXPECT_THAT(done.out, HasSubstr("all held in "));
    return done.out;
  }
};

TEST_F(Examples, AreAllRunHere) {
  EXPECT_THAT(examples(), UnorderedElementsAre("compare.yaml", "dashboard.yaml", "experiment.yaml", "for_each.yaml",
                                               "load.yaml", "shop.yaml", "two_databases.yaml"));
}

TEST_F(Examples, AreCleanAndRunTwiceOnBothDatabases) {
  sheaf::test::postgresql_schema schema;
  for (const auto& name : examples()) {
    EXPECT_EQ(sheaf({"check", name}).out, "");
    if (name == "compare.yaml") // its expectations depend on the machine: BenchCommand.RunsTheExamples
      continue;
    const auto file = sheaf::app::read_sheaf_file(at(name), {}).file;
    for (const auto& scenario : file.scenarios) {
      const auto first = held({name, scenario.name});
      EXPECT_EQ(lines_of(held({name, scenario.name})).size(), lines_of(first).size()) << "it leaves something behind";
      for (const auto& variable : file.asked)
        if (variable.ends_with("_URL"))
          held({name, scenario.name, "-D", fmt::format("{}={}", variable, schema.url())});
    }
    EXPECT_FALSE(file.scenarios.empty()) << name;
    EXPECT_EQ(schema.server(fmt::format("select count(*) from pg_tables where schemaname = '{}'", schema.name())), "0")
        << name;
  }
}

TEST_F(Examples, CountThreeTimesAtOnce) {
  const auto out = held({"experiment.yaml"});
  EXPECT_THAT(out, HasSubstr("one: 1 query in "));
  EXPECT_THAT(out, HasSubstr("three: 3 queries in "));
  EXPECT_THAT(out, HasSubstr("  held  third.scalar: = count  (it is 10000)\n"));
  EXPECT_EQ(sheaf({"run", "experiment.yaml", "experiment", "--timeline", "experiment.svg"}).exit_code, 0);
  EXPECT_THAT(text_of(at("experiment.svg")), HasSubstr("third"));
}

TEST_F(Examples, ShowADashboardOfTenQueries) {
  const auto out = held({"dashboard.yaml"});
  EXPECT_THAT(out, HasSubstr("page: 10 queries in "));
  EXPECT_THAT(out, HasSubstr("  held  revenue.scalar: 49500  (it is 49500)\n"));
  EXPECT_THAT(out, HasSubstr("  held  by_product.rows: 7  (it is 7)\n"));
}

TEST_F(Examples, MakeAQueryOfEachValue) {
  const auto out = held({"for_each.yaml", "--seed", "1"});
  EXPECT_THAT(out, HasSubstr("titles: 4 queries in "));
  EXPECT_THAT(out, HasSubstr("titles: 2 queries in "));
  EXPECT_THAT(out, HasSubstr("smoke: 8 requests, "));
}

TEST_F(Examples, AskTwoDatabasesAtOnce) {
  EXPECT_THAT(held({"two_databases.yaml"}), HasSubstr("  held  title.scalar: 'One'  (it is 'One')\n"));
  sheaf::test::postgresql_schema schema;
  const auto out = held({"two_databases.yaml", "-D", "SALES_URL=" + schema.url()});
  EXPECT_THAT(out, HasSubstr("  held  revenue.scalar: 22  (it is 22)\n"));
}

} // namespace
