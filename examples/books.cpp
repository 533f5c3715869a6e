// SPDX-License-Identifier: BSD-3-Clause
//
// Three independent queries answered as one request.

#include "sheaf/engine.hpp"

#include <iostream>

int main() {
  sheaf::engine engine{"sqlite::memory:"}; // or postgresql://user@host/dbname
  engine.run({{{"", "create table book (author text, price real)"}}});
  engine.run({{{"", "insert into book values ('Ada', 12.5), ('Bob', 8), ('Ada', 20)"}}});

  const sheaf::reply reply = engine.run({{
      {"total", "select count(*) from book"},
      {"by_author", "select count(*) from book where author = :name", {{"name", "Ada"}}},
      {"dearest", "select author, price from book order by price desc limit 1"},
  }});
  if (!reply.ok()) {
    std::cerr << to_string(*reply.failure) << '\n';
    return 2;
  }
  std::cout << reply["total"].table().scalar<int>() << " books, " << reply["by_author"].table().scalar<int>()
            << " by Ada; the dearest is by " << reply["dearest"].table().get<std::string>(0, "author") << '\n';
}
