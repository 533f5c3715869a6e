// SPDX-License-Identifier: BSD-3-Clause

#include "app/commands/file_arguments.hpp"
#include "app/file/file_reader.hpp"

#include "app/base/exit.hpp"
#include "app/base/nearest.hpp"
#include "app/base/standard_streams.hpp"
#include "app/base/terminal.hpp"
#include "app/check/file_check.hpp"
#include "app/commands/query_input.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {

void add_define_option(CLI::App& command, std::vector<std::string>& into) {
  command.add_option("-D,--define", into, "A variable for ${NAME} in the file")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
}

variables parse_defines(const std::vector<std::string>& arguments) {
  variables all;
  for (const auto& argument : arguments) {
    auto [name, text] = split_name(argument);
    if (name.empty())
      bad_input("-D takes NAME=VALUE"); // not shown: it may hold a password
    if (!all.emplace(name, std::move(text)).second)
      bad_input(fmt::format("-D {}: given twice", name));
  }
  return all;
}

void expect_used(const variables& given, const std::vector<const read_result*>& files) {
  std::vector<std::string_view> known;
  for (const auto* x : files) {
    if (has_errors(x->findings))
      return;
    known.insert(known.end(), x->file.asked.begin(), x->file.asked.end());
  }
  for (const auto& [name, text] : given)
    if (std::none_of(files.begin(), files.end(), [&, &n = name](const read_result* x) {
          return x->file.asked.contains(n) || x->file.mentioned.contains(n);
        }))
      bad_input(fmt::format("-D {}: nothing uses ${{{}}}{}", name, name, did_you_mean(name, known)));
}

std::vector<finding> findings_in(const read_result& read, const variables& given) {
  auto all = read.findings;
  if (!has_errors(all)) { // or one mistake would be told twice, in two ways
    auto more = check_file(read.file, given);
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    std::stable_sort(all.begin(), all.end(), [](const finding& a, const finding& b) { return a.at < b.at; });
  }
  return all;
}

sheaf_file load_sheaf_file(const std::string& path, const variables& given,
                           const std::function<void(sheaf_file&)>& change) {
  auto read = read_sheaf_file(path, given);
  if (change)
    change(read.file);
  const auto findings = findings_in(read, given);
  for (const auto& x : findings)
    tell("{}\n", to_text(x, path));
  if (has_errors(findings))
    throw command_error{exit_bad_input, ""};
  expect_used(given, {&read});
  return std::move(read.file);
}

options engine_options(const sheaf_file& file) {
  options how;
  how.databases = file.databases;
  for (auto& d : how.databases) // nothing but the deadline ends a query's wait for its turn, as in `sheaf query`
    d.pool.acquire_timeout = std::max(d.pool.acquire_timeout, how.deadline);
  return how;
}

} // namespace sheaf::app
