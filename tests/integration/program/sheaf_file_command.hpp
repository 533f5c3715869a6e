// SPDX-License-Identifier: BSD-3-Clause
//
// A folder with the example files, where the program is run on them. Test's thread.

#pragma once

#include "integration/program/cli_process.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace cli {

inline const std::filesystem::path source = SHEAF_SOURCE_DIR;

class SheafFileCommand : public ::testing::Test {
protected:
  SheafFileCommand() {
    for (const auto& file : std::filesystem::directory_iterator{source / "examples/files"})
      std::filesystem::copy(file.path(), std::filesystem::path{folder.path()} / file.path().filename());
  }

  void write(const std::string& name, std::string_view text) {
    std::ofstream{std::filesystem::path{folder.path()} / name} << text;
  }

  finished sheaf(words arguments, std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), program());
    return run(arguments, {.environment = std::move(environment), .directory = folder.path()});
  }

  /// A file of the folder.
  std::filesystem::path at(std::string_view name) const { return std::filesystem::path{folder.path()} / name; }

  /// The content of the file's database.
  std::string shell(const std::string& sql) {
    return run({"sqlite3", "shop.db", sql}, {.directory = folder.path()}).out;
  }

  /// The example with something else in it.
  void change_example(std::string_view from, std::string_view to) {
    auto text = text_of(std::filesystem::path{folder.path()} / "shop.yaml");
    const auto at = text.find(from);
    ASSERT_NE(at, text.npos) << from;
    write("shop.yaml", text.replace(at, from.size(), to));
  }

  sheaf::app::temporary_directory folder;
};

} // namespace cli
