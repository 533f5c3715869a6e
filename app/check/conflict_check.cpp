// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/conflict_check.hpp"

#include "app/check/query_sql.hpp"
#include "app/check/sql_syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace sheaf::app {

namespace {

/// The queries that touch a table, in order: their positions in the request.
struct touching {
  std::vector<std::size_t> readers, writers;
};

const std::size_t* other_than(std::size_t self, const std::vector<std::size_t>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [self](std::size_t x) { return x != self; });
  return found == all.end() ? nullptr : &*found;
}

} // namespace

std::vector<finding> conflicts_in(const request_spec& request, const sheaf_file& file) {
  std::map<std::pair<const database_options*, std::string>, touching> tables;
  std::vector<const database_options*> databases;
  std::vector<sql_syntax> all;
  if (request.queries.size() < 2)
    return {};
  auto declared = parameters_of(request);
  for (std::size_t i = 0; i < request.queries.size(); ++i) {
    const auto& q = request.queries[i];
    const auto* d = databases.emplace_back(file.database_of(q.query));
    // PostgreSQL's parser reads it, whichever database it is for.
    const auto text = parsed_for(dialect::postgresql, declared, q);
    const auto& x = all.emplace_back(d ? syntax_of(text->text) : sql_syntax{});
    for (const auto& table : x.read)
      tables[{d, table}].readers.push_back(i);
    for (const auto& table : x.written)
      tables[{d, table}].writers.push_back(i);
  }
  std::vector<finding> found;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const auto& table : all[i].written) {
      const auto& those = tables[{databases[i], table}];
      const auto *reader = other_than(i, those.readers), *writer = other_than(i, those.writers);
      if (!reader && !writer)
        continue;
      found.push_back(
          {finding::severity::warning, request.queries[i].sql_at,
           fmt::format("query \"{}\" writes {}, which query \"{}\" {}: they run at once, in no order",
                       request.queries[i].query.name, table, request.queries[reader ? *reader : *writer].query.name,
                       reader ? "reads" : "writes")});
      break;
    }
  return found;
}

} // namespace sheaf::app
