// SPDX-License-Identifier: BSD-3-Clause

#include "app/commands/demo_file.hpp"

#include "app/commands/demo_book.hpp"

#include <fmt/format.h>

namespace sheaf::app {

namespace {

// SQLite adds up what its pages say they hold, unless it has to look at the rows.
constexpr const char* count = "select count(*) from book where author like '%7%'";

query_spec make_query(const char* name, std::string sql) {
  query_spec made;
  made.query = query{name, std::move(sql)};
  made.query.read_only = true;
  return made;
}

database_options database_in(const std::string& directory) {
  constexpr std::size_t sessions = 8;
  database_options made;
  made.url = new_sqlite_file(directory + "/demo.db");
  made.pool.max_size = sessions;
  return made;
}

} // namespace

demo_file::demo_file(std::uint64_t rows, const signal_watch& signals) {
  options how;
  how.databases.push_back(database_in(directory_.path()));
  const auto engine = make_engine(std::move(how));
  make_books(*engine, {.name = "book", .sqlite = true}, rows, signals);
}

sheaf_file demo_file::content() const {
  sheaf_file made;
  made.databases.push_back(database_in(directory_.path()));
  made.requests.push_back({.name = "total_books", .queries = {make_query("total", count)}});
  made.requests.push_back(
      {.name = "multiple_counts",
       .queries = {make_query("first", count), make_query("second", count), make_query("third", count)}});
  made.requests.push_back(
      {.name = "author",
       .parameters = {{.name = "author", .type = "text", .default_value = value{"Author 7"}},
                      {.name = "limit", .type = "int", .default_value = value{10}}},
       .queries = {make_query("books", "select id, title, price from book where author = :author order by id limit "
                                       ":limit"),
                   make_query("count", "select count(*) as books from book where author = :author"),
                   make_query("prices", "select min(price) as least, avg(price) as mean, max(price) as most from book "
                                        "where author = :author"),
                   make_query("all", "select count(*) as books, count(distinct author) as authors from book")}});
  return made;
}

std::vector<std::string> demo_file::shortcuts() { return {"total_books", "multiple_counts"}; }

} // namespace sheaf::app
