// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf init`: a sheaf file to begin with, which runs at once. Main thread.

#include "app/base/exit.hpp"
#include "app/commands/command.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace sheaf::app {

namespace {

constexpr std::string_view starter =
    R"(# A sheaf file: queries that belong together, and what must hold when they are run.
#
#   sheaf check FILE              finds what is wrong in it
#   sheaf run FILE dashboard      runs the request
#   sheaf run FILE smoke          runs the scenario; exit code 99 when an expectation is missed

databases:
  # Or postgresql://user@host/dbname. ${NAME:-default} is a variable: from -D NAME=VALUE, or from the environment.
  # max_size is the maximum number of sessions: one for each query that runs at once.
  main: {url: "${DATABASE_URL:-sqlite:sheaf-example.db?mode=rwc}", pool: {max_size: 3}}

requests:
  dashboard:
    parameters:
      author: {type: text, default: Ada} # a value for :author; it is bound, and never put into the SQL
    deadline: 5s
    queries: # all at once, each on a session of its own
      total: select count(*) from book
      by_author: {sql: "select count(*) from book where author = :author", timeout: 2s, read_only: true}
      dearest: select author, price from book order by price desc limit 1

scenarios:
  smoke:
    setup: # all of it, or nothing
      - sql: create table if not exists book (author text, price real)
      - sql: delete from book
      - sql: insert into book values ('Ada', 12.5), ('Bob', 8), ('Ada', 20)
    steps:
      - request: dashboard
        with: {author: Ada}
        expect:
          total.scalar: 3
          by_author.scalar: "> 1"
          dearest.rows: 1
          elapsed: "< 2s"
)";

int run_init(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "wxe"), std::fclose};
  if (!file)
    bad_input(errno == EEXIST ? fmt::format("{} is there already; give another name", path)
                              : fmt::format("{}: {}", path, std::generic_category().message(errno)));
  if (std::fwrite(starter.data(), 1, starter.size(), file.get()) != starter.size() || std::fflush(file.get()) != 0)
    throw command_error{exit_run_time_failure, fmt::format("{} cannot be written", path)};
  fmt::print("{} is written; try: sheaf run {} smoke\n", path, path);
  return exit_all_held;
}

} // namespace

void add_init_command(CLI::App& program, chosen_command& chosen) {
  auto path = std::make_shared<std::string>("sheaf.yaml");
  auto* command = program.add_subcommand("init", "Write a sheaf file to begin with, which runs at once on SQLite");
  command->add_option("FILE", *path, "Its name; it must not be there yet")->capture_default_str();
  command->footer("Examples:\n  sheaf init\n  sheaf init books.yaml\n");
  command->callback([path, &chosen] { chosen = [path] { return run_init(*path); }; });
}

} // namespace sheaf::app
