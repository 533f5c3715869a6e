// SPDX-License-Identifier: BSD-3-Clause
//
// The list of keys as a JSON Schema.

#include "app/base/duration.hpp"
#include "app/base/json_text.hpp"
#include "app/file/file_keys.hpp"
#include "app/file/map_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace sheaf::app {

namespace {

std::string name_of(section x) {
  std::string name{to_string(x)};
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

std::string reference(section x) { return fmt::format(R"({{"$ref":"#/$defs/{}"}})", name_of(x)); }

/// A query may be its SQL alone.
std::string element(section x) {
  return x == section::query ? fmt::format(R"({{"anyOf":[{{"type":"string"}},{}]}})", reference(x)) : reference(x);
}

std::string choices(std::string_view words) {
  std::string out = R"("enum":[)";
  for (std::size_t begin = 0; begin < words.size();) {
    const auto end = std::min(words.find(' ', begin), words.size());
    out += begin > 0 ? ",\"" : "\"";
    out.append(words.substr(begin, end - begin)).append("\"");
    begin = end + 1;
  }
  return out + ']';
}

constexpr const char* any_value =
    R"("type":["string","number","boolean","null","array"],"items":{"type":["string","number","boolean","null"]})";

std::string pattern(std::string_view of) {
  std::string out = R"("type":"string","pattern":)";
  append_json_string(out, of);
  return out;
}

/// A step is one of these; its other keys belong to a request.
std::string kinds_of_step() {
  std::string out;
  for (const auto& key : keys_of(section::step))
    if (key.name != "with" && key.name != "expect" && key.name != "capture")
      out += fmt::format(R"({}{{"required":["{}"]}})", out.empty() ? "" : ",", key.name);
  return out;
}

/// The rules for a section's keys together.
std::string rules_of(section x) {
  switch (x) {
  case section::file:
    return R"("required":["databases"],"properties":{"databases":{"minProperties":1}})";
  case section::database:
    return R"("required":["url"])";
  case section::request:
    return R"("required":["queries"],"properties":{"queries":{"minProperties":1}})";
  case section::query:
    return R"("oneOf":[{"required":["sql"]},{"required":["sql_file"]}],)"
           R"("properties":{"for_each":{"maxProperties":1,"additionalProperties":{"type":"string","pattern":"^[{].+[}]$"}}})";
  case section::setup:
    return R"("oneOf":[{"required":["sql"]},{"required":["sql_file"]},{"required":["csv"]}],)"
           R"("dependentRequired":{"csv":["into"],"into":["csv"]})";
  case section::scenario:
    return R"("required":["steps"],"properties":{"steps":{"minItems":1}})";
  case section::step:
    return fmt::format(R"("oneOf":[{}],"properties":{{"parallel":{{"minItems":1}}}},)"
                       R"("dependentRequired":{{"with":["request"],"expect":["request"],"capture":["request"]}})",
                       kinds_of_step());
  case section::repeat:
    return R"("required":["times","of"],"properties":{"times":{"minimum":1,"maximum":1000000},"of":{"minItems":1}})";
  case section::compare:
    return R"("required":["request"],"properties":{"times":{"minimum":1,"maximum":1000}})";
  case section::load:
    return R"("properties":{"clients":{"minimum":1,"maximum":10000}})";
  default:
    return {};
  }
}

std::string type_of(const file_key& key) {
  switch (key.type) {
  case key_type::text:
  case key_type::path:
  case key_type::sql:
    return R"("type":"string","minLength":1)";
  case key_type::number:
    return R"("type":"integer","minimum":0)";
  case key_type::boolean:
    return R"("type":"boolean")";
  case key_type::duration:
    return pattern(duration_pattern);
  case key_type::size:
    return fmt::format(R"("anyOf":[{{"type":"integer","minimum":0}},{{{}}}])", pattern(size_pattern));
  case key_type::rate:
    return pattern(rate_pattern);
  case key_type::choice:
    return choices(key.choices);
  case key_type::choice_list:
    return fmt::format(R"("type":"array","minItems":1,"uniqueItems":true,"items":{{{}}})", choices(key.choices));
  case key_type::any:
    return any_value;
  case key_type::texts:
    return R"("type":"object","additionalProperties":{"type":["string","number","boolean","null"]})";
  case key_type::values:
    return fmt::format(R"("type":"object","additionalProperties":{{{}}})", any_value);
  case key_type::sub_map:
    return fmt::format(R"("$ref":"#/$defs/{}")", name_of(key.of));
  case key_type::named_maps:
    return fmt::format(R"("type":"object","additionalProperties":{})", element(key.of));
  case key_type::maps:
    break;
  }
  return fmt::format(R"("type":"array","items":{})", element(key.of));
}

void append_section(std::string& out, section x) {
  fmt::format_to(std::back_inserter(out),
                 "  \"{}\": {{\n   \"type\": \"object\",\n   \"additionalProperties\": false,\n"
                 "   \"properties\": {{",
                 name_of(x));
  bool first = true;
  for (const auto& key : keys_of(x)) {
    out += first ? "\n" : ",\n";
    first = false;
    fmt::format_to(std::back_inserter(out), "    \"{}\": {{{},\"description\":", key.name, type_of(key));
    append_json_string(out, key.default_value.empty() ? std::string{key.meaning}
                                                      : fmt::format("{} Default: {}.", key.meaning, key.default_value));
    out += '}';
  }
  out += "\n   }";
  if (const auto rules = rules_of(x); !rules.empty())
    out += ",\n   \"allOf\": [{" + rules + "}]";
  out += "\n  }";
}

} // namespace

std::string json_schema() {
  std::string out = "{\n \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n \"title\": \"sheaf file\",\n"
                    " \"$ref\": \"#/$defs/a_sheaf_file\",\n \"$defs\": {\n";
  for (const auto x : all_sections()) {
    append_section(out, x);
    out += x == all_sections().back() ? "\n" : ",\n";
  }
  return out + " }\n}\n";
}

} // namespace sheaf::app
