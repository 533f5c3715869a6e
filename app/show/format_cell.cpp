// SPDX-License-Identifier: BSD-3-Clause
//
// The parts that the formats share: a cell as text and as JSON, and the line of a command without rows. Any thread.

#include "app/show/format.hpp"

#include "app/base/json_text.hpp"
#include "app/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
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

struct json_type {
  std::uint32_t oid;
  std::string_view name;
  json_kind kind;
};
constexpr json_type json_types[]{
    {16, "bool", json_kind::boolean},      {20, "int8", json_kind::number},    {21, "int2", json_kind::number},
    {23, "int4", json_kind::number},       {700, "float4", json_kind::number}, {701, "float8", json_kind::number},
    {1700, "numeric", json_kind::numeric}, {114, "json", json_kind::json},     {3802, "jsonb", json_kind::json},
};

json_kind kind_of(std::string_view type) noexcept {
  const auto* found =
      std::find_if(std::begin(json_types), std::end(json_types), [&](auto& x) { return x.name == type; });
  return found == std::end(json_types) ? json_kind::string : found->kind;
}

/// A number's text is JSON's but for NaN and the infinities, which JSON has no number for.
bool is_finite_number(std::string_view text) noexcept {
  const auto last = text.back();
  return last >= '0' && last <= '9';
}

bool is_integer(std::string_view text) noexcept { return text.find_first_not_of("-0123456789") == text.npos; }

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

/// True for a number, as JSON has it, of which a reader with doubles makes another one: an integer from 2^53 on, more
/// than 15 digits (which every double keeps), or an exponent near a double's bounds.
bool is_rounded(std::string_view number) noexcept {
  constexpr std::int64_t safe_integer_max = (std::int64_t{1} << 53) - 1;
  constexpr std::size_t kept_digits = 15;
  constexpr int kept_exponent = 290;
  const auto exponent_at = std::min(number.find_first_of("eE"), number.size());
  const auto mantissa = number.substr(0, exponent_at);
  if (exponent_at == number.size() && mantissa.find('.') == mantissa.npos) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), n);
    return error != std::errc{} || n > safe_integer_max || n < -safe_integer_max;
  }
  std::size_t digits = 0;
  for (const char c : mantissa)
    digits += c >= '0' && c <= '9' && (digits > 0 || c != '0') ? 1 : 0;
  auto exponent = number.substr(std::min(exponent_at + 1, number.size()));
  if (exponent.starts_with('+'))
    exponent.remove_prefix(1);
  int n = 0;
  const auto [end, error] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), n);
  return digits > kept_digits || mantissa.size() > kept_exponent - kept_digits ||
         (!exponent.empty() && (error != std::errc{} || n > kept_exponent || n < -kept_exponent));
}

void append_json_number(std::string& out, std::string_view text, bool as_string) {
  if (as_string || !is_finite_number(text))
    append_json_string(out, text);
  else
    out += text;
}

/// The text from its beginning to the end of the JSON string or number that it begins with.
std::string_view json_token(std::string_view text) noexcept {
  if (text.front() != '"')
    return text.substr(0, std::min(text.find_first_not_of("+-.0123456789eE"), text.size()));
  for (std::size_t i = 1; i < text.size(); ++i)
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return text.substr(0, i + 1);
  return text;
}

void append_valid(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto c = first_character(text);
    if (c.valid)
      out.append(text.substr(0, c.size));
    else
      out += "\ufffd";
    text.remove_prefix(c.size);
  }
}

/// JSON out of the database. A line end in it is white space, and must not end a line of ndjson.
void append_json(std::string& out, std::string_view text, bool exact_numbers) {
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"' || c == '-' || (c >= '0' && c <= '9')) {
      const auto token = json_token(text);
      if (c != '"' && exact_numbers && is_rounded(token))
        append_json_string(out, token);
      else
        append_valid(out, token);
      text.remove_prefix(token.size());
      continue;
    }
    const auto other = std::min(text.find_first_of("\"-0123456789\n\r"), text.size());
    append_valid(out, text.substr(0, other));
    text.remove_prefix(other);
    if (!text.empty() && (text.front() == '\n' || text.front() == '\r')) {
      out += ' ';
      text.remove_prefix(1);
    }
  }
}

/// A value as PostgreSQL writes it. False if it had bytes that are not UTF-8.
bool append_json_value(std::string& out, std::string_view text, json_kind kind, bool exact_numbers) {
  switch (kind) {
  case json_kind::boolean:
    out += text == "t" ? "true" : "false";
    return true;
  case json_kind::number:
  case json_kind::numeric:
    append_json_number(out, text,
                       exact_numbers && (kind == json_kind::numeric || (is_integer(text) && is_rounded(text))));
    return true;
  case json_kind::json:
    append_json(out, text, exact_numbers);
    return true;
  case json_kind::string:
    break;
  }
  return append_json_string(out, text);
}

/// The next element of an array, without its quotes and escapes; `text` goes on behind it.
std::string take_element(std::string_view& text, char delimiter) {
  std::string element;
  if (!text.starts_with('"')) {
    const auto end = std::min(text.find_first_of(std::string{delimiter, '}'}), text.size());
    element = text.substr(0, end);
    text.remove_prefix(end);
    return element;
  }
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      ++i;
    element += text[i];
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return element;
}

/// An array as array_out writes it (PostgreSQL manual, 8.15.6), without the bounds that may stand before its braces.
void append_json_array(std::string& out, std::string_view text, std::string_view element_type, bool exact_numbers) {
  const auto kind = kind_of(element_type);
  const char delimiter = element_type == "box" ? ';' : ',';
  if (text.starts_with('['))
    text.remove_prefix(std::min(text.find('=') + 1, text.size()));
  while (!text.empty()) {
    const char c = text.front();
    if (c == '{' || c == '}' || c == delimiter) {
      out += c == '{' ? '[' : c == '}' ? ']' : ',';
      text.remove_prefix(1);
      continue;
    }
    const bool is_null = text.starts_with("NULL"); // in quotes it is a text
    const auto element = take_element(text, delimiter);
    if (is_null && element == "NULL")
      out += "null";
    else
      append_json_value(out, element, kind, exact_numbers);
  }
}

} // namespace

json_kind kind_of(std::uint32_t oid) noexcept {
  const auto* found = std::find_if(std::begin(json_types), std::end(json_types), [&](auto& x) { return x.oid == oid; });
  return found == std::end(json_types) ? json_kind::string : found->kind;
}

void append_cell(std::string& out, const table& from, std::size_t row, std::size_t column) {
  const auto stored = from.cell_at(row, column);
  if (stored.encoding == encoding::blob)
    append_hex(out, stored);
  else
    from.append_text(out, row, column);
}

bool append_json_cell(std::string& out, const table& from, std::size_t row, std::size_t column, const json_form& how) {
  const auto stored = from.cell_at(row, column);
  if (stored.encoding == encoding::null) {
    out += "null";
    return true;
  }
  if (stored.encoding == encoding::real) {
    double x = 0;
    std::memcpy(&x, stored.data, sizeof x);
    append_json_double(out, x);
    return true;
  }
  std::string text;
  append_cell(text, from, row, column);
  if (stored.encoding == encoding::integer) {
    append_json_value(out, text, json_kind::number, how.exact_numbers);
    return true;
  }
  const bool may_be_array = stored.oid != 0 && (text.starts_with('{') || text.starts_with('['));
  const auto kind = kind_of(stored.oid);
  if (may_be_array && kind == json_kind::string && !how.arrays_as_text) {
    const auto type = from.column_at(column).type;
    if (type.ends_with("[]")) {
      append_json_array(out, text, std::string_view{type}.substr(0, type.size() - 2), how.exact_numbers);
      return true;
    }
  }
  return append_json_value(out, text, kind, how.exact_numbers);
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
