// SPDX-License-Identifier: BSD-3-Clause
//
// The parts that the formats share: a cell as text and as JSON, and the line of a command without rows. Any thread.

#include "app/show/format.hpp"

#include "app/base/json_text.hpp"
#include "app/base/text.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <iterator>

namespace sheaf::app {

namespace {

void append_hex(std::string& out, const cell& from) {
  out += "\\x";
  for (std::size_t i = 0; i < from.size; ++i)
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(from.data[i]));
}

/// The types that PostgreSQL's own to_json() writes as they are (json.c, json_categorize_type).
enum class json_kind { string, number, boolean, json };

json_kind kind_of(std::uint32_t oid) noexcept {
  switch (oid) {
  case 16:
    return json_kind::boolean;
  case 20:
  case 21:
  case 23: // int8, int2, int4
  case 700:
  case 701:
  case 1700: // float4, float8, numeric
    return json_kind::number;
  case 114:
  case 3802:
    return json_kind::json; // json, jsonb
  default:
    return json_kind::string;
  }
}

/// A number's text is JSON's but for NaN and the infinities, which JSON has no number for.
bool is_finite_number(std::string_view text) noexcept {
  const auto last = text.back();
  return last >= '0' && last <= '9';
}

/// SQLite's shell rounds to 15 digits; JSON gets the shortest text that reads back as the same double.
void append_json_double(std::string& out, double x) {
  if (!std::isfinite(x)) {
    out += x > 0 ? "\"Infinity\"" : x < 0 ? "\"-Infinity\"" : "\"NaN\"";
    return;
  }
  const auto text = fmt::format("{}", x);
  out += text;
  if (text.find_first_of(".e") == text.npos)
    out += ".0";
}

/// JSON out of the database. A line end in it is white space, and must not end a line of ndjson.
void append_json(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto c = first_character(text);
    if (!c.valid)
      out += "\ufffd";
    else if (c.code == '\n' || c.code == '\r')
      out += ' ';
    else
      out.append(text.substr(0, c.size));
    text.remove_prefix(c.size);
  }
}

} // namespace

void append_cell(std::string& out, const table& from, std::size_t row, std::size_t column) {
  const auto stored = from.cell_at(row, column);
  if (stored.encoding == encoding::blob)
    append_hex(out, stored);
  else
    from.append_text(out, row, column);
}

void append_json_cell(std::string& out, const table& from, std::size_t row, std::size_t column) {
  const auto stored = from.cell_at(row, column);
  if (stored.encoding == encoding::null) {
    out += "null";
    return;
  }
  if (stored.encoding == encoding::real) {
    double x = 0;
    std::memcpy(&x, stored.data, sizeof x);
    append_json_double(out, x);
    return;
  }
  std::string text;
  append_cell(text, from, row, column);
  if (stored.encoding == encoding::integer) {
    out += text;
    return;
  }
  switch (kind_of(stored.oid)) {
  case json_kind::boolean:
    out += text == "t" ? "true" : "false";
    return;
  case json_kind::number:
    if (is_finite_number(text))
      out += text;
    else
      append_json_string(out, text);
    return;
  case json_kind::json:
    append_json(out, text);
    return;
  case json_kind::string:
    append_json_string(out, text);
  }
}

bool returns_rows(const table& from) noexcept { return from.columns() > 0 || from.rows() > 0; }

std::string command_line_of(const table& from) {
  const std::string_view tag = from.command_tag();
  const bool writes = tag.starts_with("INSERT") || tag.starts_with("UPDATE") || tag.starts_with("DELETE");
  if (tag.empty() || (returns_rows(from) && !writes))
    return {};
  return std::string{tag} + '\n';
}

} // namespace sheaf::app
