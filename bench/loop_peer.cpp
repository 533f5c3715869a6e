// SPDX-License-Identifier: BSD-3-Clause
//
// The lookups on nothing but SQLite: one thread, one connection and one prepared statement, one lookup after another.

#include "workload.hpp"

#include <sqlite3.h>

#include <memory>
#include <stdexcept>

namespace bench {

namespace {

using sqlite_ptr = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using sqlite_statement_ptr = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

/// `sqlite:path?settings` is a URI of SQLite's own but for the scheme.
sqlite_ptr open_sqlite(std::string_view url) {
  if (!url.starts_with("sqlite:"))
    throw std::runtime_error("--conninfo of this peer is sqlite:path");
  url.remove_prefix(std::string_view{"sqlite:"}.size());
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(("file:" + std::string{url}).c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, nullptr);
  sqlite_ptr opened{db, sqlite3_close};
  if (code != SQLITE_OK)
    throw std::runtime_error(sqlite3_errstr(code));
  return opened;
}

std::uint64_t look_up(sqlite3_stmt* statement, std::int32_t id) {
  std::uint64_t sum = 0;
  int code = sqlite3_bind_int(statement, 1, id);
  while (code == SQLITE_OK || code == SQLITE_ROW)
    if ((code = sqlite3_step(statement)) == SQLITE_ROW)
      sum += static_cast<std::uint64_t>(sqlite3_column_int(statement, 0)) +
             static_cast<std::uint64_t>(sqlite3_column_int(statement, 1));
  if (code != SQLITE_DONE)
    throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(statement)));
  sqlite3_reset(statement);
  return sum;
}

} // namespace

void run_loop(const run_options& how, const window& w, std::vector<client>& clients) {
  const auto db = open_sqlite(how.conninfo);
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(db.get(), (std::string{world_sql} + "?").c_str(), -1, &made, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(db.get()));
  const sqlite_statement_ptr statement{made, sqlite3_finalize};
  auto& c = clients.front();
  for (auto now = clock::now(); now < w.until;) {
    c.began = now;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < how.n; ++i)
      sum += look_up(statement.get(), c.ids.next());
    sink.fetch_add(sum, std::memory_order_relaxed);
    now = clock::now();
    if (w.counts(now))
      c.latencies_us.push_back(std::chrono::duration<float, std::micro>(now - c.began).count());
  }
}

} // namespace bench
