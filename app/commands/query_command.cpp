// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf query`: one request from the command line, its reply in one of four formats. Main thread.

#include "app/base/duration.hpp"
#include "app/base/exit.hpp"
#include "app/base/standard_streams.hpp"
#include "app/commands/command.hpp"
#include "app/commands/failure_line.hpp"
#include "app/commands/query_input.hpp"
#include "app/scenario/runner.hpp"
#include "app/show/failure_text.hpp"
#include "app/show/format.hpp"
#include "app/show/timeline.hpp"

#include "sheaf/backends.hpp"

#include <CLI/Validators.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <memory>

namespace sheaf::app {

namespace {

constexpr const char* query_help = R"help(Queries:
  Each SQL is one statement. They are independent: each runs on a session of its own, all at once.
  name=SQL names a query: a word directly followed by = at the very start, so `select a = 1` has no name.
  Queries without a name are q1, q2, ... by position; those of --file come after those of the command line.

Passwords:
  Every user of this machine can see a command line while it runs (ps), and the shell keeps it. env:DATABASE_URL takes the
  URL from the environment, and libpq takes the password from PGPASSWORD, or from the file that PGPASSFILE names
  (~/.pgpass), when the URL has none. -p values are seen as well: a sheaf file's ${NAME} come from the environment.

Parameters:
  :id in SQL is a parameter, given as -p id=42 to every query that uses it. It is bound, never pasted into the SQL.
  PostgreSQL infers its type from where it stands. SQLite does not: 42 and -1.5 are numbers there, 007 is text.
  name:TYPE=VALUE says the type: text, int, double, bool (true, false), bytes (\x00ff), each also as an array
  (int[]=1,2,3 with null for NULL and "a,b" for text with commas), and name:null for NULL. PostgreSQL gets int as
  bigint, bool and bytes as what they are, where the SQL takes them; it infers the types of the others all the same.

Formats:
  table   as psql prints; a heading for each query when there are several
  csv     as psql --csv prints; with several queries a line `# name` before each and an empty line between
  json    one object: results and errors by query name, timing; numbers exactly as the database has them
  ndjson  an object for each row: {"query": ..., "row": {...}}; a column name that stood before gets _2, _3, ...
  In JSON, PostgreSQL's json is embedded, NaN and infinities are strings, bytes are strings such as "\\x00ff".
  What the server says beside the rows (NOTICE, WARNING) is on stderr, as psql has it. In JSON it is there as well:
  "notices" by query name, when there are any; in ndjson {"query": ..., "notice": {...}} before the query's rows.

Exit codes:
  0 every query was answered; 1 bad input, nothing was sent; 2 a query failed; 130 interrupted

Examples:
  sheaf query 'sqlite:shop.db?mode=rwc' "create table if not exists book (id integer primary key, title, author)"
  sheaf query sqlite:shop.db "insert into book (title, author) values ('Notes', 'Ada'), ('Letters', 'Bob')"
  sheaf query sqlite:shop.db 'select * from book order by id limit 3'
  sheaf query sqlite:shop.db books='select count(*) from book' authors='select count(distinct author) from book'
  sheaf query sqlite:shop.db 'select title from book where id = :id' -p id=2 --format csv
  sheaf query env:DATABASE_URL 'select :n::int + 1 as next' -p n=41 --format json
  sheaf query env:DATABASE_URL a='select pg_sleep(0.1)' b='select pg_sleep(0.1)' --timeline
  sheaf query env:DATABASE_URL 'select * from pg_class where oid = any(:ids)' -p 'ids:int[]=1247,1249' --format ndjson
  sheaf query env:DATABASE_URL slow='select pg_sleep(60)' fast='select 1' --on-error first --read-only
  sheaf query env:DATABASE_URL good='select 1' bad='select 1/0' --on-error partial || echo "exit code $?"
  echo 'select 6 * 7 as answer' | sheaf query sqlite:shop.db --file -
)help";

constexpr std::uint64_t width_max = 10'000;
constexpr std::uint64_t rows_max = 1'000'000'000;
constexpr std::uint64_t bytes_max = std::uint64_t{1} << 40;

struct query_arguments {
  std::string url;
  std::vector<std::string> sql, files, parameters;
  std::string format = "table", on_error = "fail", deadline = "30s";
  bool timeline = false, read_only = false, no_prepare = false;
  std::size_t width = 0, first = 1;
  std::size_t max_rows = options{}.max_rows;
  std::uint64_t max_bytes = options{}.max_bytes;
};

bool is_partial(const query_arguments& how) noexcept { return how.on_error == "partial"; }

options engine_options(const query_arguments& from) {
  auto how = for_database(from.url);
  auto& database = how.databases.front();
  auto& pool = database.pool;
  how.deadline = value_or_throw(parse_duration(from.deadline), "--deadline: ");
  // Nothing but the deadline ends the wait of a query for its turn.
  pool.acquire_timeout = how.deadline;
  if (from.width > 0)
    pool.max_size = from.width;
  if (from.no_prepare)
    database.statement_cache_size = 0;
  how.max_rows = from.max_rows;
  how.max_bytes = from.max_bytes;
  return how;
}

request make_request(const query_arguments& from, std::vector<query> queries) {
  request made;
  made.queries = std::move(queries);
  made.width = from.width;
  for (auto& q : made.queries)
    q.read_only = from.read_only;
  if (from.on_error == "first") {
    made.on_error = error_policy::first;
    made.first = from.first;
  }
  if (is_partial(from)) {
    made.on_error = error_policy::partial;
    // On the command line every result that there is gets printed, and the exit code tells of the rest.
    for (auto& q : made.queries)
      q.required = false;
  }
  return made;
}

void write_reply(const query_arguments& how, const reply& got, const std::vector<std::string>& sql) {
  output to;
  const bool has_results = got.ok() || is_partial(how);
  if (how.format == "json")
    write_json_format(to, got, sql);
  else if (how.format == "ndjson")
    write_ndjson_format(to, got, sql);
  else if (has_results && how.format == "csv")
    write_csv_format(to, got);
  else if (has_results)
    write_table_format(to, got, look_at(stdout));
  to.flush();
}

/// Tells each failure. Gives the exit code.
int report_failures(const query_arguments& how, const reply& got, const std::vector<std::string>& sql) {
  int exit_code = exit_all_held;
  const auto report = [&](const failure& why) {
    tell_failure(why, sql_of(why, got, sql));
    exit_code = std::max(exit_code, exit_code_of(why));
  };
  // Under `fail` the first failure says it all; the queries that it cancelled have nothing to add.
  if (is_partial(how))
    for (const auto& of : got.outcomes)
      if (const auto* why = of.error_info())
        report(*why);
  if (got.failure && exit_code == exit_all_held)
    report(*got.failure);
  return exit_code;
}

int run_query(query_arguments how) {
  expect_url(how.url);
  how.url = given_url(how.url);
  const auto queries = gather_queries(how.sql, how.files);
  if (how.first != 1 && how.on_error != "first")
    bad_input("--first is for --on-error first");
  if (queries.empty())
    bad_input("no query: give SQL, or a file of it with --file");
  std::vector<std::string> sql;
  for (const auto& query : queries)
    sql.push_back(query.text);

  const auto answered = [&] {
    const signal_watch signals;
    // Checks the URL first: nothing is said about SQL that may be a URL in the wrong place.
    const auto engine = make_engine(engine_options(how));
    const auto& kind = *value_or_throw(backend_for(how.url));
    return run(*engine, make_request(how, bind_parameters(queries, how.parameters, kind)), signals);
  }();
  tell_text(show_notices(answered.outcomes));
  // A request that was refused as a whole has no outcomes to show.
  if (!answered.outcomes.empty())
    write_reply(how, answered, sql);
  const int exit_code = report_failures(how, answered, sql);
  if (how.timeline)
    tell("{}  {} in all, {:.1f} queries at once on average\n", timeline(answered, look_at(stderr)),
         to_text(answered.elapsed), answered.overlap());
  return exit_code;
}

} // namespace

void add_query_command(CLI::App& program, chosen_command& chosen) {
  auto how = std::make_shared<query_arguments>();
  auto* command =
      program.add_subcommand("query", "Run SQL queries at once, each on a session of its own, and print their results");
  command
      ->add_option(
          "URL", how->url,
          "postgresql://..., a libpq keyword string, sqlite:PATH (?mode=rwc creates the file), or env:NAME: the "
          "URL in that environment variable")
      ->required();
  command->add_option("SQL", how->sql, "A query, or name=query; as many as you like");
  command->add_option("-p,--param", how->parameters, "A parameter: name=value or name:type=value")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command->add_option("--file", how->files, "Read one more query from a file; - is standard input; name=FILE names it")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command->add_option("--format", how->format, "Format of the results")
      ->check(CLI::IsMember({"table", "json", "csv", "ndjson"}).description(""))
      ->type_name("table|json|csv|ndjson")
      ->capture_default_str();
  command->add_flag("--timeline", how->timeline, "Draw on stderr when each query waited and ran");
  command->add_option("--width", how->width, "Maximum number of queries running at once, 1 to 10000 (default: 10)")
      ->check(CLI::Range(std::uint64_t{1}, width_max).description(""))
      ->type_name("N");
  command->add_option("--deadline", how->deadline, "Time for all queries, with a unit: 250ms, 5s, 1m")
      ->type_name("D")
      ->capture_default_str();
  command
      ->add_option(
          "--on-error", how->on_error,
          "fail: the first failure cancels the rest; partial: every result is printed; first: the first that succeed")
      ->check(CLI::IsMember({"fail", "partial", "first"}).description(""))
      ->type_name("fail|partial|first")
      ->capture_default_str();
  command
      ->add_option("--first", how->first,
                   "Number of queries that have to succeed under --on-error first; the rest is cancelled")
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--read-only", how->read_only,
                    "The queries change nothing, and are run again when their session is lost");
  command->add_flag("--no-prepare", how->no_prepare, "Prepare no statement on the server: for poolers that forbid it");
  command->add_option("--max-rows", how->max_rows, "Maximum number of rows of one result")
      ->check(CLI::Range(std::uint64_t{1}, rows_max).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--max-bytes", how->max_bytes, "Maximum number of bytes of one result, such as 64MiB")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(CLI::Range(std::uint64_t{1}, bytes_max).description(""))
      ->type_name("SIZE")
      ->default_str("64MiB");
  command->footer(query_help);
  command->callback([how, &chosen] { chosen = [how] { return run_query(*how); }; });
}

} // namespace sheaf::app
