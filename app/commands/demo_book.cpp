// SPDX-License-Identifier: BSD-3-Clause
//
// Makes the table in bounded batches, the same books every time, and shows how far it is. Main thread.

#include "app/commands/demo_book.hpp"

#include "app/base/exit.hpp"
#include "app/base/standard_streams.hpp"
#include "app/base/terminal.hpp"
#include "app/show/failure_text.hpp"

#include "sheaf/backends.hpp"
#include "sheaf/clock.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace sheaf::app {

namespace {

constexpr std::int64_t batch_rows = 50'000;

// A PostgreSQL table that is kept out of the log, as it can be made again at any time, and away from parallel workers,
// so that one count keeps one core busy, as it does on other databases.
constexpr const char* create_postgresql = R"(
create unlogged table if not exists {} (
  id bigint not null, title text not null, author text not null, price double precision not null,
  published timestamp not null
) with (parallel_workers = 0))";

constexpr const char* fill_postgresql = R"(
insert into {} (id, title, author, price, published)
select i, 'Book ' || i, 'Author ' || (i * 7919 % 10007), (i * 31 % 9000 + 1000) / 100.0,
       timestamp '2000-01-01' + i * interval '1 minute'
from generate_series(:first::bigint, :last::bigint) i)";

constexpr const char* create_sqlite = R"(
create table if not exists {} (
  id integer primary key, title text not null, author text not null, price double not null, published timestamp not null
))";

constexpr const char* fill_sqlite = R"(
insert into {} (id, title, author, price, published)
with recursive n(i) as (select :first union all select i + 1 from n where i < :last)
select i, 'Book ' || i, 'Author ' || (i * 7919 % 10007), (i * 31 % 9000 + 1000) / 100.0,
       datetime(946684800 + i * 60, 'unixepoch')
from n)";

/// A bar on stderr that is drawn over itself, and wiped at the end, also when the work is given up.
class progress_bar {
public:
  explicit progress_bar(std::int64_t goal) : goal_(goal) { show(0); }
  ~progress_bar() {
    if (where_.interactive)
      tell("\r{:{}}\r", "", width_);
  }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void show(std::int64_t done) {
    if (!where_.interactive)
      return;
    const auto room = std::clamp(where_.width - 40, 10, 60);
    const auto full = static_cast<int>(done * room / goal_);
    std::string bar;
    for (int i = 0; i < room; ++i)
      bar += i < full ? (where_.utf8 ? "█" : "#") : (where_.utf8 ? "░" : ".");
    tell("\rmaking books {} {:3}% {:>12}", paint(where_, style::good, bar), done * 100 / goal_,
         fmt::format("{} rows", done));
    width_ = room + 13 + 6 + 12 + 4;
  }

private:
  std::int64_t goal_;
  int width_ = 0;
  terminal where_ = look_at(stderr);
};

} // namespace

table run_statement(engine& on, const std::string& sql, parameters values, const signal_watch& signals) {
  request asked;
  asked.queries.emplace_back("demo", sql, std::move(values));
  auto answered = run(on, std::move(asked), signals);
  if (answered.failure)
    throw command_error{exit_code_of(*answered.failure), describe(*answered.failure, sql)};
  return answered[0].table();
}

std::string new_sqlite_file(const std::string& path) {
  return (*backend_for("sqlite:"))->join_url({"sqlite:", "?mode=rwc"}, {path});
}

made_table make_books(engine& on, const book_table& which, std::uint64_t rows, const signal_watch& signals) {
  const auto started = clock::now();
  run_statement(on, fmt::format(fmt::runtime(which.sqlite ? create_sqlite : create_postgresql), which.name), {},
                signals);
  const auto present =
      run_statement(on, fmt::format("select count(*), coalesce(max(id), 0) from {}", which.name), {}, signals);
  const auto found = present.get<std::int64_t>(0, 0);
  const auto last_id = present.get<std::int64_t>(0, 1);
  const auto missing = std::max<std::int64_t>(static_cast<std::int64_t>(rows) - found, 0);
  if (missing > 0) {
    progress_bar progress{missing};
    const auto fill = fmt::format(fmt::runtime(which.sqlite ? fill_sqlite : fill_postgresql), which.name);
    for (std::int64_t done = 0; done < missing;) {
      const auto next = std::min(done + batch_rows, missing);
      run_statement(on, fill, {{"first", last_id + done + 1}, {"last", last_id + next}}, signals);
      progress.show(done = next);
    }
    // Else the server's own clean-up would start some time during the measurement.
    if (!which.sqlite)
      run_statement(on, fmt::format("vacuum (analyze) {}", which.name), {}, signals);
  }
  return {static_cast<std::uint64_t>(found + missing), static_cast<std::uint64_t>(missing), clock::now() - started};
}

} // namespace sheaf::app
