// SPDX-License-Identifier: BSD-3-Clause
//
// Turns a YAML tree into the content of a sheaf file: databases and requests. Scenarios are read in
// scenario_reader.cpp.

#include "app/file/file_reader.hpp"

#include "app/base/text_file.hpp"
#include "app/base/word_table.hpp"
#include "app/file/map_reader.hpp"
#include "app/file/parameter_text.hpp"
#include "app/file/scenario_reader.hpp"

#include "sheaf/backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sheaf::app {

namespace {

template <class T, class U>
void set(T& to, std::optional<U> from) {
  if (from)
    to = std::move(*from);
}

// -- databases

void read_pool(reading& in, const yaml_node& node, pool_options& pool) {
  const map_reader from{in, node, section::pool};
  set(pool.max_size, from.number("max_size"));
  set(pool.min_size, from.number("min_size"));
  set(pool.max_queue_size, from.number("max_queue_size"));
  set(pool.acquire_timeout, from.duration("acquire_timeout"));
  set(pool.connecting_limit, from.number("connecting_limit"));
  set(pool.max_lifetime, from.duration("max_lifetime"));
  set(pool.idle_timeout, from.duration("idle_timeout"));
  set(pool.keepalive_interval, from.duration("keepalive_interval"));
  set(pool.leak_detection_threshold, from.duration("leak_detection_threshold"));
}

/// A database file is found from where the sheaf file is.
std::string from_folder(const reading& in, std::string url) {
  const auto kind = backend_for(url);
  return kind ? (*kind)->from_folder(std::move(url), in.folder) : url;
}

constexpr meaning<pooler> poolers[]{{"auto", pooler::automatic},
                                    {"none", pooler::none},
                                    {"session", pooler::session},
                                    {"transaction", pooler::transaction},
                                    {"statement", pooler::statement}};

constexpr meaning<session_reset> resets[]{
    {"when_needed", session_reset::when_needed}, {"always", session_reset::always}, {"never", session_reset::never}};

constexpr meaning<packing> packings[]{{"auto", packing::automatic}, {"never", packing::never}};

constexpr meaning<journal_mode> journal_modes[]{{"wal", journal_mode::wal}, {"keep", journal_mode::keep}};

void read_database(reading& in, const yaml_key& name, const yaml_node& node, sheaf_file& file) {
  const map_reader from{in, node, section::database};
  database_options database;
  database.name = name.text;
  if (from.text("url")) {
    if (auto url = in.filled_url(*from.find("url")))
      database.url = from_folder(in, std::move(*url));
  } else if (from.is_map() && !from.find("url")) {
    in.error(name.at, fmt::format("database \"{}\" has no url", name.text));
  }
  if (const auto* pool = from.find("pool"))
    read_pool(in, *pool, database.pool);
  set(database.statement_cache_size, from.number("statement_cache_size"));
  if (const auto word = from.choice("pooler"))
    database.pooler = meaning_of(*word, poolers);
  if (const auto word = from.choice("reset"))
    database.reset = meaning_of(*word, resets);
  if (const auto word = from.choice("journal_mode"))
    database.journal_mode = meaning_of(*word, journal_modes);
  if (const auto word = from.choice("pack"))
    database.pack = meaning_of(*word, packings);
  set(database.cancel_wait_timeout, from.duration("cancel_wait_timeout"));
  if (!database.url.empty()) {
    options alone;
    alone.databases.push_back(database);
    if (const auto wrong = alone.validate())
      in.error(node.at, wrong->message);
  }
  file.databases.push_back(std::move(database));
  file.databases_at.push_back(name.at);
}

// -- requests

bool is_finite(const value& x) {
  const auto* all = std::get_if<value::array>(&x.data());
  const auto* number = std::get_if<double>(&x.data());
  return all ? std::all_of(all->begin(), all->end(), is_finite) : !number || std::isfinite(*number);
}

void read_parameter(reading& in, const yaml_key& name, const yaml_node& node, request_spec& request) {
  const map_reader from{in, node, section::parameter};
  parameter_spec made{.name = name.text, .at = name.at};
  if (const auto word = from.choice("type"))
    made.type = *word;
  set(made.about, from.text("about"));
  if (const auto* text = from.find_or_null("default")) { // null is a default as well
    if (const auto given = read_value(in, *text)) {
      auto value = given->fill(made.type, [](const template_text::hole& x) -> result<std::optional<std::string>> {
        return failure{.code = errc::invalid_request, .message = "a default cannot hold ${" + x.inner + "}"};
      });
      if (value.has_error())
        in.error(text->at, fmt::format("parameter \"{}\": {}", name.text, value.error().message));
      else if (!is_finite(*value)) // JSON, which tells clients of it, has no other numbers
        in.error(text->at, fmt::format("parameter \"{}\": a default is a finite number", name.text));
      else
        made.default_value = std::move(*value);
    }
  }
  request.parameters.push_back(std::move(made));
}

void read_for_each(reading& in, const map_reader& from, query_spec& spec) {
  from.each_name("for_each", [&](const yaml_key& name, const yaml_node& list) {
    const bool is_reference = list.is == yaml_node::kind::scalar && list.text.size() > 2 && list.text.front() == '{' &&
                              list.text.back() == '}';
    if (!is_reference)
      in.error(list.at, "for_each names a list parameter of the request in braces: \"{ids}\"");
    else if (spec.for_each)
      in.error(name.at, "for_each goes over one list");
    else
      spec.for_each = {name.text, list.text.substr(1, list.text.size() - 2)};
  });
}

void read_statement(reading& in, const map_reader& from, const yaml_key& name, query_spec& spec) {
  const auto* sql = from.find("sql");
  const auto* path = from.find("sql_file");
  if (!sql && !path && from.is_map())
    in.error(name.at, fmt::format("query \"{}\" has neither sql nor sql_file", name.text));
  else if (sql && path)
    in.error(path->at, fmt::format("query \"{}\" has both sql and sql_file", name.text));
  else if (sql)
    set(spec.query.statement, from.text("sql"));
  else if (const auto file = from.text("sql_file"))
    set(spec.query.statement, in.content_of(*file, path->at));
  spec.sql_at = sql ? sql->at : path ? path->at : name.at;
}

void read_query(reading& in, const yaml_key& name, const yaml_node& node, request_spec& request) {
  query_spec spec{.at = name.at};
  spec.query.name = name.text;
  if (node.is == yaml_node::kind::scalar) { // `total: select count(*) from book`
    spec.query.statement = node.text;
    spec.sql_at = node.at;
    request.queries.push_back(std::move(spec));
    return;
  }
  const map_reader from{in, node, section::query};
  read_statement(in, from, name, spec);
  set(spec.query.database, from.text("database"));
  set(spec.query.timeout, from.duration("timeout"));
  set(spec.query.required, from.boolean("required"));
  set(spec.query.read_only, from.boolean("read_only"));
  if (const auto word = from.choice("pack"))
    spec.query.pack = meaning_of(*word, packings);
  set(spec.query.max_rows, from.number("max_rows"));
  set(spec.query.max_bytes, from.size("max_bytes"));
  set(spec.stream, from.boolean("stream"));
  read_for_each(in, from, spec);
  request.queries.push_back(std::move(spec));
}

constexpr meaning<error_policy> error_policies[]{
    {"fail", error_policy::fail}, {"partial", error_policy::partial}, {"first", error_policy::first}};
constexpr meaning<request_method> request_methods[]{{"get", request_method::get}, {"post", request_method::post}};
constexpr meaning<priority> priorities[]{
    {"high", priority::high}, {"normal", priority::normal}, {"low", priority::low}};

void read_request(reading& in, const yaml_key& name, const yaml_node& node, sheaf_file& file) {
  const map_reader from{in, node, section::request};
  request_spec made{.name = name.text, .at = name.at};
  from.each_name("parameters", [&](const yaml_key& key, const yaml_node& x) { read_parameter(in, key, x, made); });
  from.each_name("queries", [&](const yaml_key& key, const yaml_node& x) { read_query(in, key, x, made); });
  if (made.queries.empty() && from.is_map())
    in.error(name.at, fmt::format("request \"{}\" has no queries", name.text));
  auto& settings = made.settings;
  set(settings.deadline, from.duration("deadline"));
  set(settings.width, from.number("width"));
  if (const auto word = from.choice("on_error"))
    settings.on_error = meaning_of(*word, error_policies);
  set(made.about, from.text("about"));
  if (const auto word = from.choice("method"))
    made.method = meaning_of(*word, request_methods);
  if (const auto word = from.choice("priority"))
    settings.priority = meaning_of(*word, priorities);
  if (const auto word = from.choice("pack"))
    settings.pack = meaning_of(*word, packings);
  set(settings.first, from.number("first"));
  set(settings.max_rows, from.number("max_rows"));
  set(settings.max_bytes, from.size("max_bytes"));
  file.requests.push_back(std::move(made));
}

} // namespace

read_result read_sheaf_file(const std::filesystem::path& path, const variables& given) {
  const auto text = read_text_file(path.string(), yaml_mebibytes_max);
  if (text.has_value())
    return read_sheaf_text(*text, path, given);
  read_result out;
  out.file.path = path;
  out.findings.push_back({.message = text.error().message});
  return out;
}

read_result read_sheaf_text(const std::string& text, const std::filesystem::path& path, const variables& given) {
  read_result out;
  out.file.path = path;
  reading in{.folder = path.parent_path(), .given = given};
  const auto tree = parse_yaml(text);
  if (tree.has_error()) {
    out.findings.push_back(tree.error());
    return out;
  }
  const map_reader from{in, *tree, section::file};
  from.each_name("databases", [&](const yaml_key& k, const yaml_node& x) { read_database(in, k, x, out.file); });
  from.each_name("requests", [&](const yaml_key& k, const yaml_node& x) { read_request(in, k, x, out.file); });
  from.each_name("scenarios", [&](const yaml_key& k, const yaml_node& x) { read_scenario(in, k, x, out.file); });
  if (tree->is == yaml_node::kind::map && out.file.databases.empty())
    in.error({}, "there are no databases");
  out.findings = std::move(in.findings);
  out.file.asked = std::move(in.asked);
  out.file.mentioned = std::move(in.mentioned);
  std::stable_sort(out.findings.begin(), out.findings.end(),
                   [](const finding& a, const finding& b) { return a.at < b.at; });
  return out;
}

} // namespace sheaf::app
