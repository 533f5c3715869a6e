// SPDX-License-Identifier: BSD-3-Clause
//
// The README tells the truth: its program is the example's, prints what it says, and its commands run.

#include "integration/program/cli_process.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <sstream>

namespace {

using namespace cli;

/// The text between `begin` and the next `end` after it.
std::string between(const std::string& text, std::string_view begin, std::string_view end) {
  const auto from = text.find(begin);
  if (from == text.npos)
    return {};
  const auto start = from + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

const std::filesystem::path project = SHEAF_SOURCE_DIR;

TEST(Readme, ShowsTheExampleAsItIs) {
  const auto example = text_of(project / "examples/books.cpp");
  const auto shown = between(text_of(project / "README.md"), "```cpp\n", "```");
  EXPECT_THAT(example, testing::EndsWith(shown));
  EXPECT_GT(shown.size(), 500u);
  const auto main = shown.substr(shown.find("int main"));
  EXPECT_LE(std::count(main.begin(), main.end(), '\n'), 25);
}

TEST(Readme, SaysWhatTheExamplePrints) {
  const auto promised = between(text_of(project / "README.md"), "prints\n\n    ", "\n");
  const auto example = std::filesystem::path{program()}.parent_path().parent_path() / "examples/books";
  const auto done = run({example});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.out, promised + "\n");
}

TEST(Readme, GivesAQueryThatRuns) {
  const auto shown = between(text_of(project / "README.md"), "    export PATH=", "\n\n");
  const sheaf::app::temporary_directory folder; // empty, as a newcomer's
  std::filesystem::create_directories(folder.path() + "/build/release/app");
  std::filesystem::create_symlink(program(), folder.path() + "/build/release/app/sheaf");
  const auto done = run({"sh", "-e", "-c", "export PATH=" + shown}, {.directory = folder.path()});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, testing::HasSubstr("12.5"));
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 2) << "a path and two queries";
}

TEST(Readme, ShowsAPictureOfThePage) {
  constexpr std::uintmax_t bytes_max = 200UL * 1024; // it is fetched with every clone
  const auto shown = project / between(text_of(project / "README.md"), "last two minutes](", ")");
  EXPECT_EQ(shown.filename(), "page.png");
  EXPECT_LE(std::filesystem::file_size(shown), bytes_max);
}

TEST(Readme, ShowsARunOfTheExampleFile) {
  const auto shown =
      between(text_of(project / "README.md"), "    $ sheaf run examples/files/shop.yaml smoke\n", "\n\n");
  const sheaf::app::temporary_directory folder;
  for (const auto& file : std::filesystem::directory_iterator{project / "examples/files"})
    std::filesystem::copy(file.path(), std::filesystem::path{folder.path()} / file.path().filename());
  const auto done = run({program(), "run", "shop.yaml", "smoke"}, {.directory = folder.path()});
  // All but the times and the seed are the same each time.
  const std::regex varying{"[0-9.]+ (us|ms|s|at once)\\b|seed [0-9]+"};
  const auto steady = [&](const std::string& text) { return std::regex_replace(text, varying, "#"); };
  std::istringstream lines{shown};
  for (std::string line; std::getline(lines, line);)
    if (line != "    ...") {
      EXPECT_THAT(steady(done.out), testing::HasSubstr(steady(line.substr(4)) + "\n"));
    }
  EXPECT_GT(std::count(shown.begin(), shown.end(), '\n'), 5);
}

TEST(Readme, GivesALoadThatRuns) {
  EXPECT_EQ(between(text_of(project / "README.md"), "    sheaf bench ", "\n"),
            "examples/files/load.yaml shop --clients 16 --duration 10s --output report.json");
  const sheaf::app::temporary_directory folder;
  const std::filesystem::path there{folder.path()};
  std::filesystem::create_directories(there / "examples");
  std::filesystem::copy(project / "examples/files", there / "examples/files");
  const auto done = run({program(), "bench", "examples/files/load.yaml", "shop", "--clients", "16", "--duration",
                         "300ms", "--output", "report.json"}, // but for so long
                        {.directory = folder.path()});
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_TRUE(exists(there / "report.json"));
}

/// Each promise names tests, and these exist.
TEST(Reliability, NamesTestsThatAreThere) {
  std::string tests;
  for (const auto* kind : {"unit", "integration", "fault"})
    for (const auto& file : std::filesystem::recursive_directory_iterator{project / "tests" / kind})
      if (file.is_regular_file())
        tests += text_of(file.path());
  const auto table = between(text_of(project / "docs/reliability.md"), "| --- | --- | --- |\n", "\n\n");
  const std::regex named{"`([A-Za-z]+)\\.([A-Z][A-Za-z]+)`"};
  std::istringstream lines{table};
  int promises = 0;
  for (std::string line; std::getline(lines, line); ++promises) {
    const std::sregex_iterator begin{line.begin(), line.end(), named}, end;
    EXPECT_NE(begin, end) << "proved by nothing: " << line;
    for (auto i = begin; i != end; ++i) {
      const auto declared = '(' + (*i)[1].str() + ", " + (*i)[2].str() + ')';
      EXPECT_TRUE(tests.find("TEST" + declared) != tests.npos || tests.find("TEST_F" + declared) != tests.npos ||
                  tests.find("TEST_P" + declared) != tests.npos)
          << i->str();
    }
  }
  EXPECT_GT(promises, 20);
}

} // namespace
