// SPDX-License-Identifier: BSD-3-Clause
//
// The list of requests that the page shows. SQL is in it only where it may be known. Any thread.

#include "app/serve/route_table.hpp"
#include "app/serve/service.hpp"
#include "app/serve/target.hpp"

#include "app/base/json_text.hpp"
#include "app/show/parameter_json.hpp"

#include <algorithm>

namespace sheaf::app::serve {

namespace {

void append_parameter(std::string& out, const parameter_spec& p) {
  out += "{\"name\":";
  append_json_string(out, p.name);
  out += ",\"type\":";
  append_json_string(out, p.type);
  out += p.default_value ? ",\"required\":false,\"default\":" : ",\"required\":true";
  if (p.default_value)
    append_json_value(out, *p.default_value);
  out += '}';
}

std::string_view to_string(effect x) {
  return x == effect::reads ? "reads" : x == effect::may_write ? "may_write" : "writes";
}

/// A request that the file has take POST only may change something, whatever its words are.
effect shown_effect(const sheaf_file& file, const request_spec& x) {
  const auto words = effect_of(file, x);
  return x.method == request_method::post ? std::max(words, effect::may_write) : words;
}

void append_query(std::string& out, const sheaf_file& file, const query_spec& q, bool shows_sql) {
  out += "{\"name\":";
  append_json_string(out, q.query.name);
  out += ",\"database\":";
  append_json_string(out, q.query.database.empty() ? file.databases.front().name : q.query.database);
  out += q.for_each ? ",\"for_each\":true" : ",\"for_each\":false";
  if (shows_sql)
    append_json_string(out += ",\"sql\":", q.query.statement.sql());
  out += '}';
}

template <class All, class Append>
void append_list(std::string& out, const All& all, Append append) {
  out += '[';
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0)
      out += ',';
    append(all[i]);
  }
  out += ']';
}

} // namespace

std::string make_catalogue(const sheaf_file& file, bool shows_sql) {
  std::string out = "{\"file\":";
  append_json_string(out, file.path.filename().string());
  out += shows_sql ? ",\"shows_sql\":true,\"requests\":" : ",\"shows_sql\":false,\"requests\":";
  append_list(out, file.requests, [&](const request_spec& x) {
    out += "{\"name\":";
    append_json_string(out, x.name);
    out += ",\"path\":";
    append_json_string(out, "/requests/" + percent_encoded(x.name));
    append_json_string(out += ",\"about\":", x.about);
    append_json_string(out += ",\"effect\":", to_string(shown_effect(file, x)));
    out += ",\"parameters\":";
    append_list(out, x.parameters, [&](const parameter_spec& p) { append_parameter(out, p); });
    out += ",\"queries\":";
    append_list(out, x.queries, [&](const query_spec& q) { append_query(out, file, q, shows_sql); });
    out += '}';
  });
  out += '}';
  return out;
}

} // namespace sheaf::app::serve
