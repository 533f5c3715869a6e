// SPDX-License-Identifier: BSD-3-Clause
//
// Values as PostgreSQL's input text. Pure functions, any thread.

#include "sheaf/value.hpp"

#include "sheaf/data/postgresql_time.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <type_traits>

namespace sheaf {

namespace {

void append_bytes(std::string& out, const bytes& x) {
  constexpr char digits[] = "0123456789abcdef";
  out.reserve(out.size() + 2 + 2 * x.size());
  out += "\\x";
  for (auto byte : x) {
    out += digits[std::to_integer<unsigned>(byte) >> 4];
    out += digits[std::to_integer<unsigned>(byte) & 15];
  }
}

void append_double(std::string& out, double x) {
  char digits[32];
  if (std::isnan(x))
    out += "NaN";
  else if (std::isinf(x))
    out += x < 0 ? "-Infinity" : "Infinity";
  else
    out.append(digits, std::to_chars(digits, std::end(digits), x).ptr);
}

/// An element of an array: text that could be taken for syntax is quoted (manual, 8.15.6).
void append_element(std::string& out, const value& x) {
  if (x.is_null()) {
    out += "NULL";
    return;
  }
  const auto& held = x.data();
  if (std::holds_alternative<bool>(held) || std::holds_alternative<std::int64_t>(held) ||
      std::holds_alternative<double>(held) || std::holds_alternative<value::array>(held)) {
    append_postgresql_text(out, x);
    return;
  }
  std::string text;
  append_postgresql_text(text, x);
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  out += '"';
}

} // namespace

const value* find(const parameters& values, std::string_view name) noexcept {
  const auto found = std::ranges::find(values, name, [](const auto& x) { return std::string_view{x.first}; });
  return found == values.end() ? nullptr : &found->second;
}

void append_postgresql_text(std::string& out, const value& x) {
  std::visit(
      [&out](const auto& held) {
        using held_type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<held_type, bool>) {
          out += held ? 't' : 'f';
        } else if constexpr (std::is_same_v<held_type, std::int64_t>) {
          char digits[20];
          out.append(digits, std::to_chars(digits, std::end(digits), held).ptr);
        } else if constexpr (std::is_same_v<held_type, double>) {
          append_double(out, held);
        } else if constexpr (std::is_same_v<held_type, std::string>) {
          out += held;
        } else if constexpr (std::is_same_v<held_type, bytes>) {
          append_bytes(out, held);
        } else if constexpr (std::is_same_v<held_type, date>) {
          postgresql::append_date(out, held.time_since_epoch().count());
        } else if constexpr (std::is_same_v<held_type, timestamp>) {
          postgresql::append_timestamp(out, held.time_since_epoch().count(), 0, "+00:00");
        } else if constexpr (std::is_same_v<held_type, value::array>) {
          out += '{';
          for (const auto& element : held) {
            append_element(out, element);
            out += ',';
          }
          if (!held.empty())
            out.pop_back();
          out += '}';
        }
      },
      x.data());
}

bool contains_nul(const value& x) noexcept {
  if (const auto* text = std::get_if<std::string>(&x.data()))
    return text->find('\0') != std::string::npos;
  if (const auto* elements = std::get_if<value::array>(&x.data()))
    return std::ranges::any_of(*elements, contains_nul);
  return false;
}

} // namespace sheaf
