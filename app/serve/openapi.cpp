// SPDX-License-Identifier: BSD-3-Clause
//
// The service as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), made from the sheaf file. Any thread.

#include "app/serve/service.hpp"
#include "app/serve/target.hpp"

#include "app/show/parameter_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

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

json::object schema_of(const parameter_spec& p) {
  json::object made;
  if (p.type.ends_with("[]"))
    made = {{"type", "array"}, {"items", schema_of_element(std::string_view{p.type}.substr(0, p.type.size() - 2))}};
  else
    made = schema_of_element(p.type);
  if (p.default_value && !p.default_value->is_null()) {
    std::string text;
    append_json_value(text, *p.default_value);
    made["default"] = json::parse(text);
  }
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

json::object responses() {
  json::object made{{"200", reference("responses/Reply")}};
  for (const auto* status : {"400", "401", "422", "429", "500", "503", "504", "507"})
    made[status] = reference("responses/Problem");
  return made;
}

json::object operation(const request_spec& of, std::string_view method, json::array parameters) {
  for (const auto* name : {"shape", "numbers", "session", "timeout"})
    parameters.emplace_back(reference(fmt::format("parameters/{}", name)));
  return {{"operationId", fmt::format("{}_{}", method, of.name)},
          {"summary", fmt::format("Runs the request {}", of.name)},
          {"tags", json::array{"requests"}},
          {"parameters", std::move(parameters)},
          {"responses", responses()}};
}

json::object path_of(const request_spec& of) {
  json::array parameters, required;
  json::object members;
  for (const auto& p : of.parameters) {
    parameters.emplace_back(json::object{{"name", p.name},
                                         {"in", "query"},
                                         {"required", !p.default_value.has_value()},
                                         {"style", "form"},
                                         {"explode", true},
                                         {"schema", schema_of(p)}});
    members[p.name] = schema_of(p);
    if (!p.default_value)
      required.emplace_back(p.name);
  }
  const bool is_required = !required.empty();
  json::object body{{"type", "object"}, {"properties", std::move(members)}, {"additionalProperties", false}};
  if (is_required)
    body["required"] = std::move(required);
  auto post = operation(of, "post", {});
  post["requestBody"] = {{"required", is_required}, {"content", {{"application/json", {{"schema", std::move(body)}}}}}};
  auto get = operation(of, "get", std::move(parameters));
  return {{"get", std::move(get)}, {"post", std::move(post)}};
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

json::object components(bool needs_token) {
  const json::object text{{"type", "string"}}, number{{"type", "number"}};
  json::object schemas;
  schemas["Reply"] = {
      {"type", "object"},
      {"required", json::array{"results", "errors", "timing"}},
      {"properties",
       {{"results", {{"type", "object"}, {"description", "Results by query name, in the form of `shape`."}}},
        {"errors",
         {{"type", "object"},
          {"additionalProperties",
           {{"type", "object"},
            {"properties",
             {{"code", text}, {"message", text}, {"phase", {{"type", json::array{"string", "null"}}}}}}}}}},
        {"timing",
         {{"type", "object"},
          {"properties",
           {{"elapsed_ms", number},
            {"serial_sum_ms", number},
            {"speed_up", number},
            {"queries", {{"type", "object"}}}}}}}}}};
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
        {"session", choice("session", "`shared`: all queries on one session", {"own", "shared"})},
        {"timeout",
         {{"name", "X-Request-Timeout"},
          {"in", "header"},
          {"description", "Longest time to answer, such as 500ms; the file's deadline holds all the same"},
          {"schema", text}}}}},
      {"responses",
       {{"Reply",
         {{"description", "Each query's result or error"},
          {"content", {{"application/json", {{"schema", reference("schemas/Reply")}}}}}}},
        {"Problem",
         {{"description", "The reason why there is no answer"},
          {"content", {{"application/problem+json", {{"schema", reference("schemas/Problem")}}}}}}}}}};
  if (needs_token)
    made["securitySchemes"] = {{"token", {{"type", "http"}, {"scheme", "bearer"}}}};
  return made;
}

} // namespace

std::string make_openapi(const sheaf_file& file, bool needs_token) {
  json::object paths;
  for (const auto& x : file.requests)
    paths["/requests/" + percent_encoded(x.name)] = path_of(x);
  paths["/healthz"] = plain_path("healthz", "Reports that the service lives", "text/plain");
  paths["/readyz"] = plain_path("readyz", "Reports whether each database answers", "application/json");
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
