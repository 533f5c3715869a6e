// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/request_maker.hpp"

#include "app/scenario/runner.hpp"

#include "sheaf/backends.hpp"
#include "sheaf/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {

namespace {

constexpr std::size_t queries_max = 10'000;

dialect dialect_of(const std::vector<database_options>& databases, const query& q) {
  const auto found =
      std::find_if(databases.begin(), databases.end(), [&](const database_options& d) { return d.name == q.database; });
  return sheaf::dialect_of(found == databases.end() ? databases.front() : *found);
}

/// The values that the statement of `q` uses.
query bound(const query_spec& q, const parameters& values, dialect d) {
  query made = q.query;
  const auto form = made.statement.parse(d, values); // kept: a form that holds only for these values is nobody else's
  for (const auto& name : form->names)
    if (const auto* x = find(values, name))
      made.parameters.emplace_back(name, *x);
  return made;
}

/// False when it would be too many.
bool append_each(std::vector<query>& out, const query_spec& q, const parameters& values, dialect d) {
  const auto& [one, list] = *q.for_each;
  const auto* all = find(values, list);
  const auto* elements = all ? std::get_if<value::array>(&all->data()) : nullptr;
  if (!elements)
    return true; // null: none
  if (out.size() + elements->size() > queries_max)
    return false;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    auto here = values;
    std::erase_if(here, [&bound_to = one](const auto& x) { return x.first == bound_to; });
    here.emplace_back(one, (*elements)[i]);
    auto made = bound(q, here, d);
    made.name += fmt::format("[{}]", i);
    out.push_back(std::move(made));
  }
  return true;
}

} // namespace

result<request> make_request(const std::vector<database_options>& databases, const request_spec& spec,
                             const parameters& values) {
  request made = spec.settings;
  for (const auto& q : spec.queries) {
    const auto d = dialect_of(databases, q.query);
    if (!q.for_each)
      made.queries.push_back(bound(q, values, d));
    else if (!append_each(made.queries, q, values, d))
      return invalid_request(fmt::format("query {} would be more than {} queries", q.query.name, queries_max));
  }
  return made;
}

std::vector<std::size_t> origins(const request_spec& spec, const std::vector<query>& made) {
  std::vector<std::size_t> from;
  for (std::size_t i = 0; i < spec.queries.size(); ++i) {
    const auto& name = spec.queries[i].query.name;
    const auto is_one = [&](const query& q) { // `each[7]` of `each`
      return spec.queries[i].for_each ? q.name.starts_with(name) && q.name.substr(name.size()).starts_with('[')
                                      : q.name == name;
    };
    while (from.size() < made.size() && is_one(made[from.size()]))
      from.push_back(i);
  }
  return from;
}

} // namespace sheaf::app
