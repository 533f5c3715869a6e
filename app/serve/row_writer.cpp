// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/row_writer.hpp"

#include "app/base/json_text.hpp"
#include "app/show/format.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <utility>

namespace sheaf::app::serve {

namespace {

constexpr std::uint32_t oid_int8 = 20, oid_numeric = 1700;
constexpr std::int64_t safe_integer_max = (std::int64_t{1} << 53) - 1;

/// True when a reader that has only doubles would get another number than `text` is.
bool is_rounded(const cell& x, std::string_view text) {
  if (x.encoding == encoding::null)
    return false;
  if (x.oid == oid_numeric)
    return !text.starts_with('"');
  if (x.encoding != encoding::integer && x.oid != oid_int8)
    return false;
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n > safe_integer_max || n < -safe_integer_max;
}

} // namespace

void row_writer::begin(std::string& out, const table& rows) {
  keys_.clear();
  if (how_.shape == answer_shape::objects)
    keys_ = json_keys(rows);
  out += "{\"columns\":[";
  for (std::size_t c = 0; c < rows.columns(); ++c) {
    const auto column = rows.column_at(c);
    out += c > 0 ? ",{\"name\":" : "{\"name\":";
    append_json_string(out, column.name);
    out += ",\"type\":";
    append_json_string(out, column.type);
    out += '}';
  }
  out += "],\"rows\":[";
  any_ = false;
}

std::size_t row_writer::write(std::string& out, const table& rows, std::size_t row, std::size_t bytes_max) {
  for (; row < rows.rows() && out.size() < bytes_max; ++row)
    write_row(out, rows, row);
  return row;
}

void row_writer::end(std::string& out, const table& result) {
  out += ']';
  if (!returns_rows(result))
    fmt::format_to(std::back_inserter(out), ",\"affected_rows\":{}", result.affected_rows());
  out += '}';
}

void row_writer::write_row(std::string& out, const table& rows, std::size_t row) {
  const bool named = how_.shape == answer_shape::objects;
  if (std::exchange(any_, true))
    out += ',';
  out += named ? '{' : '[';
  for (std::size_t c = 0; c < rows.columns(); ++c) {
    if (c > 0)
      out += ',';
    if (named)
      (out += keys_[c]) += ':';
    write_cell(out, rows, row, c);
  }
  out += named ? '}' : ']';
}

void row_writer::write_cell(std::string& out, const table& rows, std::size_t row, std::size_t column) const {
  const auto begin = out.size();
  append_json_cell(out, rows, row, column);
  if (how_.exact_numbers && is_rounded(rows.cell_at(row, column), std::string_view{out}.substr(begin))) {
    out.insert(begin, 1, '"');
    out += '"';
  }
}

} // namespace sheaf::app::serve
