// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf demo`: shows the cost of one session for three queries, and the gain of a session for each of them. Main
// thread.

#include "app/base/duration.hpp"
#include "app/base/exit.hpp"
#include "app/base/output.hpp"
#include "app/base/temporary_directory.hpp"
#include "app/base/terminal.hpp"
#include "app/commands/command.hpp"
#include "app/commands/demo_book.hpp"
#include "app/commands/demo_measure.hpp"
#include "app/commands/query_input.hpp"
#include "app/scenario/runner.hpp"

#include "sheaf/backends.hpp"

#include <CLI/Validators.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <thread>

namespace sheaf::app {

namespace {

constexpr const char* demo_help = R"(A database session does one thing at a time:
queries that share one are answered one after another, however they were asked. The demo counts the rows of a table
once, three times on one session, and three times on a session each.

Without --url it works on an SQLite file of its own, which it removes. In a database of yours the table is called
sheaf_demo_book; it is made, or filled up to --rows, and then kept, so that a second run starts at once.

Exit codes:
  0 measured; 1 bad input; 2 the database refused or went away; 130 interrupted

Examples:
  sheaf demo
  sheaf demo --rows 100000 --runs 3
  sheaf demo --url 'sqlite:demo.db?mode=rwc' --rows 100000
  sheaf demo --url env:DATABASE_URL --rows 200000
)";

constexpr std::uint64_t demo_rows_max = 1'000'000'000;

struct demo_arguments {
  std::string url;
  std::uint64_t rows = 1'000'000;
  std::size_t runs = 5;
};

options engine_options(const std::string& url, std::size_t sessions) {
  // Nothing here is slow but the database, and the user can interrupt.
  constexpr auto patience = std::chrono::hours{1};
  auto how = for_database(url, {.max_size = sessions, .acquire_timeout = patience});
  how.deadline = patience;
  return how;
}

/// `1000000` as `1,000,000`.
std::string grouped(std::uint64_t number) {
  auto text = fmt::to_string(number);
  for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

std::string system_name(engine& on, bool sqlite, const signal_watch& signals) {
  const auto asked = run_statement(on, sqlite ? "select sqlite_version()" : "show server_version", {}, signals);
  return fmt::format("{} {}", sqlite ? "SQLite" : "PostgreSQL", asked.get<std::string>(0, 0));
}

std::string describe_table(const book_table& which, const made_table& made) {
  if (made.added == 0)
    return fmt::format("{}, {} rows that were there", which.name, grouped(made.rows));
  return fmt::format("{}, {} rows, {} of them made in {}", which.name, grouped(made.rows), grouped(made.added),
                     to_text(made.took));
}

/// Says what the cores allow three queries that each keep one busy.
std::string describe_cores(bool sqlite) {
  const auto cores = std::max(std::thread::hardware_concurrency(), 1u);
  auto text = fmt::format("{}{}", cores, sqlite ? "" : " here; the server's own count when it is on another machine");
  if (cores < 3)
    text += fmt::format("\n             three counts keep three cores busy: with {} the ratio is at best {:.2f}", cores,
                        3.0 / cores);
  return text;
}

int run_demo(const demo_arguments& how) {
  const signal_watch signals; // First: until the last file is gone no second interrupt gets between.
  std::optional<temporary_directory> directory;
  if (how.url.empty())
    directory.emplace();
  const auto url = directory ? new_sqlite_file(directory->path() + "/demo.db") : given_url(how.url);
  const bool sqlite = value_or_throw(backend_for(url))->name() == "sqlite";
  const book_table books{directory ? "book" : "sheaf_demo_book", sqlite};
  // A plain count is a look at every row in PostgreSQL. SQLite only adds up what its pages say they hold, so there the
  // rows have to be looked at.
  const experiment counting{
      "count", fmt::format("select count(*) from {}{}", books.name, sqlite ? " where author like '%7%'" : "")};

  const auto shared = make_engine(engine_options(url, 1));
  const auto separate = make_engine(engine_options(url, 3));
  const auto where = look_at(stdout);
  output to;
  const auto say = [&](std::string_view name, std::string_view text) {
    to.text() += fmt::format("{} {}\n", paint(where, style::bold, fmt::format("{:<12}", name)), text);
  };
  say("Database",
      system_name(*shared, sqlite, signals) + (directory ? ", a file of its own that is removed at the end" : ""));
  to.flush();
  say("Table", describe_table(books, make_books(*shared, books, how.rows, signals)));
  say("Query", counting.sql + (sqlite ? "" : "   (without parallel workers: parallel_workers = 0)"));
  say("Cores", describe_cores(sqlite));
  say("Runs", fmt::format("{}, after one to warm up\n", how.runs));
  to.flush();

  to.text() += report(counting, measure({*shared, *separate}, counting, how.runs, signals), true, where);
  if (!sqlite) {
    const experiment sleeping{"sleep", "select pg_sleep(0.2)"};
    to.text() += fmt::format("\nThe same with {}, which waits and needs no core:\n\n", sleeping.sql);
    to.flush();
    to.text() += report(sleeping, measure({*shared, *separate}, sleeping, how.runs, signals), false, where);
  }
  if (!directory)
    to.text() +=
        fmt::format("\nThe table {} is kept for the next run; `drop table {}` removes it.\n", books.name, books.name);
  to.flush();
  return exit_all_held;
}

} // namespace

void add_demo_command(CLI::App& program, chosen_command& chosen) {
  auto how = std::make_shared<demo_arguments>();
  auto* command = program.add_subcommand("demo", "Measure three queries on one session, and on a session each");
  command->add_option(
      "--url", how->url,
      "postgresql://..., a libpq keyword string, sqlite:PATH (?mode=rwc creates the file), or env:NAME: the "
      "URL in that environment variable, which nobody sees in a list of processes");
  command->add_option("--rows", how->rows, "Minimum number of rows in the table")
      ->check(CLI::Range(std::uint64_t{1}, demo_rows_max).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--runs", how->runs, "Number of measurements")
      ->check(CLI::Range(1, 10'000).description(""))
      ->type_name("K")
      ->capture_default_str();
  command->footer(demo_help);
  command->callback([how, &chosen] { chosen = [how] { return run_demo(*how); }; });
}

} // namespace sheaf::app
