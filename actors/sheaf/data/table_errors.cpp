// SPDX-License-Identifier: BSD-3-Clause
//
// The reason why a cell could not be read, in one line: row, column, both types, never the value.

#include "sheaf/base/error_text.hpp"
#include "sheaf/table.hpp"

#include <algorithm>

namespace sheaf {

namespace {

/// The name on one line, and short: SQLite names a column by its whole expression, and takes anything for a type.
std::string clipped(std::string_view name) {
  constexpr std::size_t size_max = 64; // PostgreSQL's names are shorter
  std::string out{in_whole_characters(name, size_max)};
  const bool is_cut = out.size() < name.size();
  blank_controls(out);
  return is_cut ? out + "…" : out;
}

std::string in_quotes(std::string_view name) { return '"' + clipped(name) + '"'; }

std::string size_of(const table& x) {
  return std::to_string(x.rows()) + (x.rows() == 1 ? " row" : " rows") + " and " + std::to_string(x.columns()) +
         (x.columns() == 1 ? " column" : " columns");
}

/// The SQL type of a cell: its column's, or the storage class that SQLite gives each value.
std::string type_of(const cell& where, const column& of) {
  switch (where.encoding) {
  case encoding::integer:
    return "integer";
  case encoding::real:
    return "real";
  case encoding::blob:
    return "blob";
  case encoding::text:
    return of.oid == 0 ? "text" : clipped(of.type);
  default:
    return of.type.empty() ? "null" : clipped(of.type);
  }
}

std::string reason(decoding why, const std::string& type, std::string_view wanted) {
  std::string to{wanted};
  switch (why) {
  case decoding::null:
    return "NULL (" + type + ") cannot be read as " + to + "; use std::optional or coalesce";
  case decoding::null_element:
    return "a NULL element (" + type + ") cannot be read as part of " + to + "; use std::optional for the elements";
  case decoding::out_of_range:
    return type + " value out of range for " + to;
  case decoding::inexact:
    return type + " value that " + to + " cannot hold exactly";
  case decoding::dimensions:
    return type + " value of several dimensions cannot be read as " + to + "; use unnest, or read it as text";
  case decoding::malformed:
    return type + " value not in the form that is read as " + to;
  default:
    return type + " is not read as " + to;
  }
}

} // namespace

failure table::explain(decoding why, std::size_t row, std::size_t column, std::string_view wanted) const {
  auto where = "row " + std::to_string(row) + ", column " + std::to_string(column);
  if (why == decoding::no_cell && column >= columns())
    return bad_read(where + " as " + std::string{wanted} + ": out of range, the table has " + size_of(*this));
  const auto of = column_at(column);
  where += ' ' + in_quotes(of.name) + ": ";
  if (why == decoding::no_cell)
    return bad_read(where + clipped(of.type) + " as " + std::string{wanted} + ": out of range, the table has " +
                    size_of(*this));
  return bad_read(where + reason(why, type_of(cell_at(row, column), of), wanted));
}

failure table::explain_name(std::string_view name) const {
  std::string same, all;
  std::size_t count = 0;
  constexpr std::size_t listed_max = 8;
  for (std::size_t i = 0; i < columns(); ++i) {
    const auto x = column_at(i);
    if (i < listed_max)
      all += (i == 0 ? "" : ", ") + in_quotes(x.name);
    if (x.name == name && ++count <= listed_max)
      same += (count == 1 ? "" : ", ") + std::to_string(i) + (x.type.empty() ? "" : " (" + clipped(x.type) + ')');
  }
  if (columns() > listed_max)
    all += ", …";
  const auto where = "column " + in_quotes(name) + ": ";
  if (count == 0)
    return bad_read(where + "no column has this name" +
                    (columns() == 0 ? "; the table has none" : "; there are " + all));
  return bad_read(where + std::to_string(count) + " columns have this name, use an index: " + same +
                  (count > listed_max ? ", …" : ""));
}

failure table::explain_name(std::size_t row, std::string_view name, std::string_view wanted) const {
  auto why = explain_name(name);
  why.message = "row " + std::to_string(row) + " as " + std::string{wanted} + ", " + why.message;
  return why;
}

failure table::explain_scalar(std::string_view wanted) const {
  auto message = "scalar as " + std::string{wanted} + " needs one row and one column; the table has " + size_of(*this);
  if (columns() != 0)
    message += ", row 0, column 0 " + in_quotes(column_at(0).name) + ' ' + clipped(column_at(0).type);
  return bad_read(std::move(message));
}

} // namespace sheaf
