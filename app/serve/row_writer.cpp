// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/row_writer.hpp"

#include "app/base/json_text.hpp"
#include "app/show/format.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace sheaf::app::serve {

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

void row_writer::write_cell(std::string& out, const table& rows, std::size_t row, std::size_t column) {
  replaced_ += !append_json_cell(out, rows, row, column, how_.values);
}

} // namespace sheaf::app::serve
