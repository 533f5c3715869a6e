// SPDX-License-Identifier: BSD-3-Clause
//
// A connection answers what the page looks at: one of the last requests, and the plan of a query.

#include "app/serve/arguments.hpp"
#include "app/serve/connection.hpp"
#include "app/serve/connection_host.hpp"
#include "app/serve/problem.hpp"

#include "app/scenario/request_maker.hpp"

#include "sheaf/backends.hpp"

#include <algorithm>
#include <utility>

namespace sheaf::app::serve {

namespace {

using http::status;

std::string_view value_of(const target& asked, std::string_view name) {
  for (const auto& [key, text] : asked.query)
    if (key == name && text)
      return *text;
  return {};
}

} // namespace

void connection::tell_recent() {
  const auto& x = *exchange_;
  response found;
  if (!home_.shared().seen.append_one(found.body, value_of(x.asked, "id")))
    found.body = "null";
  respond(std::move(found));
}

/// Has the database make a plan, with the parameters of the body and the request's own deadline. Nothing is run.
void connection::explain() {
  auto& x = *exchange_;
  const auto& all = home_.shared();
  const auto& requests = all.file.requests;
  const auto spec = std::find_if(requests.begin(), requests.end(),
                                 [name = value_of(x.asked, "request")](const auto& r) { return r.name == name; });
  if (!all.rules.shows_sql || spec == requests.end()) {
    respond(make_problem(status::not_found, "not_found", "there is no plan to show", x.id));
    return;
  }
  const auto q = std::find_if(spec->queries.begin(), spec->queries.end(),
                              [name = value_of(x.asked, "query")](const auto& y) { return y.query.name == name; });
  auto given = parse_json_arguments(x.request().body().empty() ? "{}" : std::string_view{x.request().body()});
  if (q == spec->queries.end() || given.has_error()) {
    respond(make_problem(status::bad_request, "invalid_request",
                         given.has_error() ? given.error().message : "the request has no such query", x.id));
    return;
  }
  auto typed = type_arguments(*spec, *given);
  if (!typed.bad.empty()) {
    respond(make_problem(typed.bad, x.id));
    return;
  }
  const auto* database = all.file.database_of(q->query);
  const bool is_sqlite = dialect_of(database ? *database : all.file.databases.front()) == dialect::sqlite;
  request_spec asked;
  asked.name = spec->name;
  asked.settings.deadline = spec->settings.deadline;
  auto& plan = asked.queries.emplace_back(*q);
  plan.query.name.insert(0, "explain "); // so it is told from the query where statements are listed
  plan.query.statement = (is_sqlite ? "explain query plan " : "explain ") + q->query.statement.sql();
  plan.query.read_only = plan.query.no_writes = true;
  auto made = make_request(all.file.databases, asked, typed.values);
  if (made.has_error()) {
    respond(make_problem(status::bad_request, to_string(made.error().code), made.error().message, x.id));
    return;
  }
  made->queries.resize(std::min<std::size_t>(made->queries.size(), 1)); // of `for_each`: they differ in a value
  made->id = x.id;
  run(std::move(*made), false);
}

} // namespace sheaf::app::serve
