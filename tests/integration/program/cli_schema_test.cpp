// SPDX-License-Identifier: BSD-3-Clause
//
// The JSON Schema agrees with the reader: on the examples, on files that are broken in one way each, and on files whose
// faults only the reader can know.

#include "app/file/file_keys.hpp"
#include "integration/program/sheaf_file_command.hpp"

#include <gmock/gmock.h>

#include <map>

namespace {

using namespace cli;
using testing::HasSubstr;

words files_in(const std::filesystem::path& folder) {
  words names;
  for (const auto& file : std::filesystem::directory_iterator{folder})
    if (file.path().extension() == ".yaml")
      names.push_back(file.path());
  return names;
}

class Schema : public SheafFileCommand {
protected:
  /// The schema's verdict on each file: `ok`, or the reason why not.
  std::map<std::string, std::string> judged(const words& files) {
    write("schema.json", sheaf::app::json_schema());
    words command{source / "tests/support/schema_check.py", at("schema.json")};
    command.insert(command.end(), files.begin(), files.end());
    const auto done = run(command);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    std::map<std::string, std::string> said;
    for (const auto& line : lines_of(done.out))
      said.emplace(line.substr(0, line.find(": ")), line.substr(line.find(": ") + 2));
    EXPECT_EQ(said.size(), files.size());
    return said;
  }

  /// The first line of each file says what the reader says.
  void expect_refused_by_the_reader(const std::string& file) {
    const auto done = sheaf({"check", file});
    EXPECT_EQ(done.exit_code, 1) << file;
    EXPECT_THAT(done.out, HasSubstr(lines_of(text_of(file)).front().substr(2))) << file;
  }
};

TEST_F(Schema, TakesEachExampleTheStarterAndTheDocumentedFile) {
  ASSERT_EQ(sheaf({"init", "starter.yaml"}).exit_code, 0);
  const auto documentation = text_of(source / "docs/sheaf-file.md");
  const auto begin = documentation.find("```yaml\n") + 8;
  write("documented.yaml", documentation.substr(begin, documentation.find("```", begin) - begin));
  EXPECT_EQ(sheaf({"check", "documented.yaml"}).out, "");
  const auto files = files_in(folder.path());
  EXPECT_GE(files.size(), 7u);
  for (const auto& [file, said] : judged(files))
    EXPECT_EQ(said, "ok") << file;
}

TEST_F(Schema, RefusesWhatTheReaderRefuses) {
  const auto files = files_in(source / "tests/files/broken");
  EXPECT_GE(files.size(), 40u);
  for (const auto& [file, said] : judged(files)) {
    EXPECT_NE(said, "ok") << file;
    expect_refused_by_the_reader(file);
  }
}

TEST_F(Schema, CannotKnowAllThatTheReaderKnows) {
  const auto files = files_in(source / "tests/files/reader_only");
  EXPECT_GE(files.size(), 20u);
  for (const auto& [file, said] : judged(files)) {
    EXPECT_EQ(said, "ok") << file << ": it belongs to the others now";
    expect_refused_by_the_reader(file);
  }
}

} // namespace
