// SPDX-License-Identifier: BSD-3-Clause
//
// The list of keys as a JSON Schema.

#include "file_keys.hpp"
#include "format.hpp"

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

constexpr const char* any_value = R"("type":["string","number","boolean","null","array"])";

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
    return R"("type":"string","pattern":"^[0-9.]+ *(us|ms|s|m|h)$")";
  case key_type::size:
    return R"("type":["string","integer"])";
  case key_type::choice:
    return choices(key.choices);
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
  out += "\n   }\n  }";
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
