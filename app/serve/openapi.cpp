// SPDX-License-Identifier: BSD-3-Clause
//
// The service as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), made from the sheaf file. Any thread.

#include "app/serve/known_columns.hpp"
#include "app/serve/result_schema.hpp"
#include "app/serve/route_table.hpp"
#include "app/serve/service.hpp"
#include "app/serve/target.hpp"

#include "app/show/parameter_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace sheaf::app::serve {

namespace {

namespace json = boost::json;

json::object schema_of_element(std::string_view type) {
  if (type == "int")
    return {{"type", "integer"}, {"format", "int64"}};
  if (type == "double")
    return {{"type", "number"}, {"format", "double"}};
  if (type == "bool")
    return {{"type", "boolean"}};
  if (type == "bytes")
    return {{"type", "string"}, {"pattern", "^\\\\x([0-9a-fA-F]{2})*$"}};
  return {{"type", "string"}};
}

json::object or_null(json::object schema) {
  schema["type"] = json::array{schema["type"], "null"};
  return schema;
}

json::value json_of(const value& x) {
  std::string text;
  append_json_value(text, x);
  return json::parse(text);
}

/// In a query string NULL has no value of its own: it is a name without one.
json::object schema_of(const parameter_spec& p, bool in_json) {
  const bool is_list = p.type.ends_with("[]");
  auto made = schema_of_element(std::string_view{p.type}.substr(0, p.type.size() - (is_list ? 2 : 0)));
  if (in_json)
    made = or_null(std::move(made));
  if (is_list) {
    made = {{"type", "array"}, {"items", std::move(made)}};
    if (in_json)
      made = or_null(std::move(made));
  }
  if (p.default_value && (in_json || !p.default_value->is_null()))
    made["default"] = json_of(*p.default_value);
  if (!p.about.empty())
    made["description"] = p.about;
  return made;
}

json::object reference(std::string_view to) { return {{"$ref", fmt::format("#/components/{}", to)}}; }

json::object choice(std::string_view name, std::string_view about, json::array values) {
  const auto first = values.front();
  return {{"name", name},
          {"in", "query"},
          {"description", about},
          {"schema", json::object{{"type", "string"}, {"enum", std::move(values)}, {"default", first}}}};
}

/// A request of the file, and the things that the document takes from elsewhere.
struct described_request {
  const request_spec& spec;
  std::size_t index; ///< Its position in the file.
  const known_columns& columns;
  bool only_post, needs_token;
};

/// The results by name: those of `for_each` have their numbers behind it. Under a policy that lets queries fail each
/// may be among the errors instead.
json::object results_of(const described_request& of) {
  json::object members;
  json::array required;
  bool any_each = false;
  for (const auto& q : of.spec.queries) {
    any_each = any_each || q.for_each;
    if (q.for_each)
      continue;
    const auto columns = of.columns.of(of.index, q.query.name);
    members[q.query.name] = columns.empty() ? reference("schemas/Result") : result_schema(columns);
    if (of.spec.settings.on_error == error_policy::fail)
      required.emplace_back(q.query.name);
  }
  json::object made{{"type", "object"}, {"properties", std::move(members)}};
  if (!required.empty())
    made["required"] = std::move(required);
  if (any_each)
    made["additionalProperties"] = reference("schemas/Result");
  else
    made["additionalProperties"] = false;
  return made;
}

json::object reply_to(const described_request& of) {
  json::object headers;
  for (const auto* name : {"X-Request-Id", "traceresponse", "Server-Timing"})
    headers[name] = reference(fmt::format("headers/{}", name));
  json::object reply{{"type", "object"},
                     {"required", json::array{"results", "errors", "timing"}},
                     {"properties",
                      {{"results", results_of(of)},
                       {"errors", {{"type", "object"}, {"additionalProperties", reference("schemas/QueryError")}}},
                       {"replaced_values",
                        {{"type", "integer"},
                         {"description", "Values with bytes that are not UTF-8, each of which has become U+FFFD; not "
                                         "there when there are none"}}},
                       {"timing", reference("schemas/Timing")}}}};
  return {{"description", "Each query's result or error"},
          {"headers", std::move(headers)},
          {"content", {{"application/json", {{"schema", std::move(reply)}}}}}};
}

json::object responses(const described_request& of, bool is_post) {
  json::object made{{"200", reply_to(of)}};
  for (const auto* status :
       {"400", "403", "405", "408", "413", "414", "421", "422", "431", "500", "501", "504", "505", "507"})
    made[status] = reference("responses/Problem");
  if (of.needs_token)
    made["401"] = reference("responses/Problem");
  if (is_post) {
    made["415"] = reference("responses/Problem");
    made["417"] = reference("responses/Problem");
  }
  for (const auto* status : {"429", "503"})
    made[status] = reference("responses/Later");
  return made;
}

/// A name that generators of clients take as one of a function.
std::string operation_id(std::string_view method, std::string_view name, std::set<std::string>& taken) {
  auto made = fmt::format("{}_{}", method, name);
  for (auto& c : made)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
      c = '_';
  const auto plain = made;
  for (int i = 2; !taken.insert(made).second; ++i)
    made = fmt::format("{}_{}", plain, i);
  return made;
}

/// An option that a parameter of the same name hides does not stand beside it.
json::object operation(const described_request& of, std::string_view method, json::array parameters,
                       std::set<std::string>& taken) {
  const bool is_post = method == "post";
  for (const auto* name : {"shape", "numbers", "arrays", "session"})
    if (is_post || !of.spec.find_parameter(name))
      parameters.emplace_back(reference(fmt::format("parameters/{}", name)));
  for (const auto* name : {"timeout", "request_id", "traceparent"})
    parameters.emplace_back(reference(fmt::format("parameters/{}", name)));
  return {{"operationId", operation_id(method, of.spec.name, taken)},
          {"summary", of.spec.about.empty() ? fmt::format("Runs the request {}", of.spec.name) : of.spec.about},
          {"tags", json::array{"requests"}},
          {"parameters", std::move(parameters)},
          {"responses", responses(of, is_post)}};
}

json::object path_of(const described_request& of, std::set<std::string>& taken) {
  json::array parameters, required;
  json::object members, example;
  for (const auto& p : of.spec.parameters) {
    json::object made{{"name", p.name},  {"in", "query"},   {"required", !p.default_value.has_value()},
                      {"style", "form"}, {"explode", true}, {"schema", schema_of(p, false)}};
    if (!p.about.empty())
      made["description"] = p.about;
    parameters.emplace_back(std::move(made));
    members[p.name] = schema_of(p, true);
    if (p.default_value)
      example[p.name] = json_of(*p.default_value);
    else
      required.emplace_back(p.name);
  }
  const bool is_required = !required.empty();
  json::object body{{"type", "object"}, {"properties", std::move(members)}, {"additionalProperties", false}};
  if (is_required)
    body["required"] = std::move(required);
  json::object content{{"schema", std::move(body)}};
  if (!is_required) // which no value would be made up for
    content["example"] = std::move(example);
  json::object made;
  if (!of.only_post)
    made["get"] = operation(of, "get", std::move(parameters), taken);
  auto post = operation(of, "post", {}, taken);
  post["requestBody"] = {{"required", is_required}, {"content", {{"application/json", std::move(content)}}}};
  made["post"] = std::move(post);
  return made;
}

json::object plain_path(std::string_view id, std::string_view summary, std::string_view type) {
  json::object content;
  content[type] = json::object{};
  return {{"get",
           {{"operationId", id},
            {"summary", summary},
            {"tags", json::array{"service"}},
            {"security", json::array{}},
            {"responses", {{"200", {{"description", "The answer"}, {"content", std::move(content)}}}}}}}};
}

json::object text_header(std::string_view about) {
  return {{"description", about}, {"schema", json::object{{"type", "string"}}}};
}

json::object header_parameter(std::string_view name, std::string_view about) {
  return {{"name", name}, {"in", "header"}, {"description", about}, {"schema", json::object{{"type", "string"}}}};
}

json::object problem(bool has_time) {
  json::object headers{{"X-Request-Id", reference("headers/X-Request-Id")}};
  if (has_time)
    headers["Retry-After"] = reference("headers/Retry-After");
  return {{"description", "The reason why there is no answer"},
          {"headers", std::move(headers)},
          {"content", {{"application/problem+json", {{"schema", reference("schemas/Problem")}}}}}};
}

json::object components(bool needs_token) {
  const json::object text{{"type", "string"}}, number{{"type", "number"}};
  const json::object time{{"type", json::array{"number", "null"}}};
  json::object schemas;
  schemas["Result"] = result_schema({});
  schemas["QueryError"] = {
      {"type", "object"},
      {"required", json::array{"code", "message", "phase"}},
      {"properties", {{"code", text}, {"message", text}, {"phase", {{"type", json::array{"string", "null"}}}}}}};
  schemas["Timing"] = {{"type", "object"},
                       {"description", "Milliseconds since the request was taken; null for what was not reached"},
                       {"properties",
                        {{"elapsed_ms", number},
                         {"serial_sum_ms", number},
                         {"overlap", number},
                         {"queries",
                          {{"type", "object"},
                           {"additionalProperties",
                            {{"type", "object"},
                             {"properties",
                              {{"queued_ms", time},
                               {"acquired_ms", time},
                               {"sent_ms", time},
                               {"first_row_ms", time},
                               {"last_row_ms", time},
                               {"released_ms", time},
                               {"answered_ms", time},
                               {"pack", {{"type", "integer"}}},
                               {"database", text}}}}}}}}}};
  schemas["Problem"] = {
      {"type", "object"},
      {"required", json::array{"title", "status", "code", "detail", "request_id"}},
      {"properties",
       {{"title", text},
        {"status", {{"type", "integer"}}},
        {"code", text},
        {"detail", text},
        {"request_id", text},
        {"parameters",
         {{"type", "array"}, {"items", {{"type", "object"}, {"properties", {{"name", text}, {"reason", text}}}}}}}}}};
  json::object made{
      {"schemas", std::move(schemas)},
      {"parameters",
       {{"shape", choice("shape", "Rows as lists, rows as objects, or the only value", {"rows", "objects", "scalar"})},
        {"numbers",
         choice("numbers", "`string`: numbers that JavaScript would round come as strings", {"number", "string"})},
        {"arrays", choice("arrays", "`text`: arrays as PostgreSQL writes them", {"list", "text"})},
        {"session", choice("session", "`shared`: all queries on one session", {"own", "shared"})},
        {"timeout", header_parameter("X-Request-Timeout",
                                     "Longest time to answer, such as 500ms; the file's deadline holds all the same")},
        {"request_id", header_parameter("X-Request-Id", "A name for this request: in the answer and the log")},
        {"traceparent", header_parameter("traceparent", "W3C trace context")}}},
      {"headers",
       {{"X-Request-Id", text_header("The request's name")},
        {"traceresponse", text_header("W3C trace context")},
        {"Server-Timing", text_header("The database's share of the time; not of streamed results")},
        {"Retry-After", {{"description", "Seconds"}, {"schema", {{"type", "integer"}}}}}}},
      {"responses", {{"Problem", problem(false)}, {"Later", problem(true)}}}};
  if (needs_token)
    made["securitySchemes"] = {{"token", {{"type", "http"}, {"scheme", "bearer"}}}};
  return made;
}

} // namespace

std::string make_openapi(const sheaf_file& file, const known_columns& columns, bool needs_token) {
  json::object paths;
  std::set<std::string> taken{"healthz", "readyz", "metrics"};
  for (std::size_t i = 0; i < file.requests.size(); ++i) {
    const auto& x = file.requests[i];
    paths["/requests/" + percent_encoded(x.name)] =
        path_of({x, i, columns, takes_only_post(file, x), needs_token}, taken);
  }
  paths["/healthz"] = plain_path("healthz", "Reports that the service lives", "text/plain");
  paths["/readyz"] = plain_path("readyz", "Reports whether each database answers", "application/json");
  paths["/readyz"].at("get").at("responses").as_object()["503"] = reference("responses/Later");
  paths["/metrics"] = plain_path("metrics", "Metrics for Prometheus", "text/plain");
  json::object made{
      {"openapi", "3.1.0"},
      {"info", {{"title", file.path.empty() ? "sheaf" : file.path.filename().string()}, {"version", "1"}}},
      {"paths", std::move(paths)},
      {"components", components(needs_token)}};
  if (needs_token)
    made["security"] = json::array{json::object{{"token", json::array{}}}};
  return json::serialize(made);
}

} // namespace sheaf::app::serve
