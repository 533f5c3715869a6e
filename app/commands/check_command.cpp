// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf check`: finds all that is wrong in sheaf files at once. Main thread.

#include "app/base/exit.hpp"
#include "app/base/output.hpp"
#include "app/check/connect_check.hpp"
#include "app/check/file_check.hpp"
#include "app/commands/command.hpp"
#include "app/commands/file_arguments.hpp"
#include "app/commands/query_input.hpp"
#include "app/file/file_reader.hpp"

#include <CLI/Validators.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace sheaf::app {

namespace {

struct check_arguments {
  std::vector<std::string> files, defines;
  std::string format = "text";
  bool connect = false;
};

/// The findings, with those of the databases. A statement that is wrong already is not reported twice.
std::vector<finding> all_findings_in(const read_result& read, const variables& given, bool connect) {
  auto all = findings_in(read, given);
  if (!connect || has_errors(read.findings) || read.file.databases.empty())
    return all;
  const signal_watch signals;
  for (auto& x : check_connected(read.file, signals))
    if (std::none_of(all.begin(), all.end(),
                     [&](const finding& y) { return y.how == finding::severity::error && y.at == x.at; }))
      all.push_back(std::move(x));
  std::stable_sort(all.begin(), all.end(), [](const finding& a, const finding& b) { return a.at < b.at; });
  return all;
}

int run_check(const check_arguments& how) {
  const auto given = parse_defines(how.defines);
  output to;
  bool bad = false;
  std::string objects;
  std::vector<read_result> files;
  for (const auto& path : how.files) {
    std::error_code none;
    if (!split_name(path).name.empty() && !std::filesystem::exists(path, none)) // not shown: it may hold a password
      bad_input("a variable stands where a file belongs: -D NAME=VALUE");
    const auto findings = all_findings_in(files.emplace_back(read_sheaf_file(path, given)), given, how.connect);
    bad = bad || has_errors(findings);
    for (const auto& x : findings)
      if (how.format == "json")
        objects += (objects.empty() ? "\n " : ",\n ") + to_json(x, path);
      else
        to.text() += to_text(x, path) + '\n';
  }
  if (how.format == "json")
    to.text() += objects.empty() ? "[]\n" : '[' + objects + "\n]\n";
  to.flush();
  std::vector<const read_result*> read;
  for (const auto& x : files)
    read.push_back(&x);
  expect_used(given, read);
  return bad ? exit_bad_input : exit_all_held;
}

constexpr const char* check_help = R"(Examples:
  sheaf init shop.yaml
  sheaf check shop.yaml
  sheaf check *.yaml --format json
  sheaf check shop.yaml -D DATABASE_URL=postgresql://localhost/shop
  sheaf check shop.yaml --connect

Findings are written as FILE:LINE:COLUMN: error: ... or warning: ...; with an error the exit code is 1.
With --connect each statement of a request is also prepared in its database, and none is run: a table or a column that is
not there is an error; or a warning, if the setup of a scenario makes it. A database has 10 s for all of them.
)";

} // namespace

void add_check_command(CLI::App& program, chosen_command& chosen) {
  auto how = std::make_shared<check_arguments>();
  auto* command = program.add_subcommand("check", "Find what is wrong in sheaf files, without running them");
  command->add_option("FILE", how->files, "Sheaf files")->required();
  add_define_option(*command, how->defines);
  command->add_option("--format", how->format, "Format of the findings")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json")
      ->capture_default_str();
  command->add_flag("--connect", how->connect, "Also ask the databases whether all that the statements name exists");
  command->footer(check_help);
  command->callback([how, &chosen] { chosen = [how] { return run_check(*how); }; });
}

} // namespace sheaf::app
