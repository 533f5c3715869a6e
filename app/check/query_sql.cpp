// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/query_sql.hpp"

#include "app/show/failure_text.hpp"

#include <fmt/format.h>

namespace sheaf::app {

parameters parameters_of(const request_spec& r) {
  parameters all;
  for (const auto& p : r.parameters)
    all.emplace_back(p.name, value{});
  return all;
}

std::shared_ptr<const parsed_statement> parsed_for(dialect d, parameters& declared, const query_spec& q) {
  if (!q.for_each)
    return q.query.statement.parse(d, declared);
  declared.emplace_back(q.for_each->first, value{}); // it binds one more
  auto text = q.query.statement.parse(d, declared);
  declared.pop_back();
  return text;
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
