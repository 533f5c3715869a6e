// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/route_table.hpp"

#include "app/check/query_sql.hpp"
#include "app/serve/page.hpp"

#include "sheaf/backends.hpp"

#include <algorithm>

namespace sheaf::app::serve {

namespace {

std::string path_of(std::string_view page) {
  if (page == "index.html")
    return "/";
  return page == "docs.html" ? "/docs" : '/' + std::string{page};
}

} // namespace

effect effect_of(const sheaf_file& file, const request_spec& x) {
  auto declared = parameters_of(x);
  auto most = effect::reads;
  for (const auto& q : x.queries) {
    const auto* database = file.database_of(q.query);
    const auto effects = parsed_for(dialect_of(database ? *database : file.databases.front()), declared, q)->effects;
    if (effects.effect == effect::writes || effects.names_change)
      return effect::writes;
    if (!q.query.read_only)
      most = std::max(most, effects.effect);
  }
  return most;
}

bool takes_only_post(const sheaf_file& file, const request_spec& x) {
  return x.method ? *x.method == request_method::post : effect_of(file, x) == effect::writes;
}

void route_table::add(route x) {
  x.number = routes_.size();
  routes_.try_emplace(x.pattern, x);
}

route_table::route_table(const sheaf_file& file, const std::vector<std::string>& shortcuts) {
  for (std::size_t i = 0; i < page_files().size(); ++i)
    add({.pattern = path_of(page_files()[i].name), .act = action::page, .index = i, .is_open = true});
  add({.pattern = "/healthz", .act = action::health, .is_open = true});
  add({.pattern = "/readyz", .act = action::ready, .is_open = true});
  add({.pattern = "/metrics", .act = action::metrics});
  add({.pattern = "/openapi.json", .act = action::openapi});
  add({.pattern = "/api/requests", .act = action::catalogue});
  add({.pattern = "/api/recent", .act = action::recent});
  add({.pattern = "/api/explain", .act = action::explain, .only_post = true});
  add({.pattern = "/events", .act = action::events});
  for (std::size_t i = 0; i < file.requests.size(); ++i) {
    const auto& name = file.requests[i].name;
    const bool only_post = takes_only_post(file, file.requests[i]);
    add({.pattern = "/requests/" + name, .act = action::run, .index = i, .only_post = only_post});
    for (const auto& x : shortcuts)
      if (x == name)
        add({.pattern = '/' + name, .act = action::run, .index = i, .only_post = only_post});
  }
}

const route* route_table::find(std::string_view path) const {
  const auto found = routes_.find(path);
  return found == routes_.end() ? nullptr : &found->second;
}

std::vector<std::string> route_table::patterns() const {
  std::vector<std::string> all(routes_.size());
  for (const auto& x : routes_)
    all[x.second.number] = x.first;
  all.emplace_back(); // OpenTelemetry: without a route the label is left out; an empty one is the same to Prometheus
  return all;
}

} // namespace sheaf::app::serve
