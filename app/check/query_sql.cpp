// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/query_sql.hpp"

#include "app/show/failure_text.hpp"

#include "sheaf/backends.hpp"

#include <fmt/format.h>

#include <set>

namespace sheaf::app {

parameters parameters_of(const request_spec& r) {
  parameters all;
  std::set<std::string_view> names;
  for (const auto& p : r.parameters)
    if (names.insert(p.name).second)
      all.emplace_back(p.name, value{});
  for (const auto& q : r.queries)
    if (q.for_each && names.insert(q.for_each->first).second)
      all.emplace_back(q.for_each->first, value{});
  return all;
}

std::shared_ptr<const parsed_statement> parsed_for(const database_options& database, const parameters& declared,
                                                   const query_spec& q) {
  return q.query.statement.parse(dialect_of(database), declared);
}

finding finding_in_sql(const query_spec& q, finding::severity how, std::string_view message, std::size_t position) {
  finding x{how, q.sql_at, fmt::format("query \"{}\": {}", q.query.name, message)};
  if (position > 0) {
    const auto at = find_place(q.query.statement.sql(), position);
    x.message += fmt::format(" (line {}, column {} of its SQL)", at.line, at.column);
  }
  return x;
}

} // namespace sheaf::app
