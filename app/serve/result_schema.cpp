// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/result_schema.hpp"

#include "app/show/format.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace sheaf::app::serve {

namespace {

namespace json = boost::json;

/// A cell, which may always be NULL: nothing tells otherwise. Numbers are strings where `numbers=string` asks for it
/// and JavaScript would round them, and where they are NaN or infinite. SQLite's cells are of any type, whatever their
/// column's.
json::object cell_schema(const column& of) {
  if (of.oid == 0)
    return {};
  const auto one_of = [](json::array types) { return json::object{{"type", std::move(types)}}; };
  switch (kind_of(of.oid)) {
  case json_kind::boolean:
    return one_of({"boolean", "null"});
  case json_kind::number:
    if (of.type == "int2" || of.type == "int4")
      return one_of({"integer", "null"});
    if (of.type == "int8")
      return one_of({"integer", "string", "null"});
    [[fallthrough]];
  case json_kind::numeric:
    return one_of({"number", "string", "null"});
  case json_kind::json:
    return {};
  case json_kind::string:
    break;
  }
  if (of.type.ends_with("[]"))
    return {{"type", json::array{"array", "string", "null"}}, {"items", json::object{}}};
  return one_of({"string", "null"});
}

json::object with_rows(json::object row) {
  const json::object text{{"type", "string"}};
  return {{"type", "object"},
          {"required", json::array{"columns", "rows"}},
          {"properties",
           {{"columns",
             {{"type", "array"},
              {"items",
               {{"type", "object"},
                {"required", json::array{"name", "type"}},
                {"properties", {{"name", text}, {"type", text}}}}}}},
            {"rows", {{"type", "array"}, {"items", std::move(row)}}},
            {"affected_rows", {{"type", "integer"}, {"description", "Of a command without rows"}}}}}};
}

json::object list_of(const std::vector<column>& columns) {
  json::object row{{"type", "array"}};
  if (columns.empty()) {
    row["items"] = json::object{};
    return row;
  }
  json::array cells;
  for (const auto& x : columns)
    cells.emplace_back(cell_schema(x));
  row["prefixItems"] = std::move(cells);
  row["items"] = false;
  row["minItems"] = columns.size();
  row["maxItems"] = columns.size();
  return row;
}

json::object object_of(const std::vector<column>& columns) {
  if (columns.empty())
    return {{"type", "object"}, {"additionalProperties", true}};
  std::vector<std::string> names;
  for (const auto& x : columns)
    names.push_back(x.name);
  json::object members;
  json::array required;
  const auto keys = json_keys(names);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto key = json::parse(keys[i]).as_string();
    members[key] = cell_schema(columns[i]);
    required.emplace_back(key);
  }
  return {{"type", "object"},
          {"required", std::move(required)},
          {"properties", std::move(members)},
          {"additionalProperties", false}};
}

} // namespace

json::object result_schema(const std::vector<column>& columns) {
  json::array shapes;
  shapes.push_back({{"title", "rows"}, {"allOf", json::array{with_rows(list_of(columns))}}});
  shapes.push_back({{"title", "objects"}, {"allOf", json::array{with_rows(object_of(columns))}}});
  if (columns.empty())
    shapes.push_back({{"title", "scalar"}, {"description", "The only value"}});
  else if (columns.size() == 1)
    shapes.push_back(
        {{"title", "scalar"}, {"description", "The only value"}, {"allOf", json::array{cell_schema(columns[0])}}});
  return {{"description", "A result in the form of `shape`"}, {"anyOf", std::move(shapes)}};
}

} // namespace sheaf::app::serve
