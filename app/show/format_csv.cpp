// SPDX-License-Identifier: BSD-3-Clause
//
// CSV as psql 15 writes it with --csv: quotes only where needed, NULL and the empty string both empty, LF line ends,
// and the command's tag after the rows of INSERT, UPDATE and DELETE … RETURNING.

#include "app/show/format.hpp"

#include "app/base/text.hpp"

#include <iterator>

namespace sheaf::app {

namespace {

/// psql's rule (csv_print_field): a separator, a quote, a line end, or exactly `\.`, which would end a COPY.
void append_field(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos && text != "\\.") {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"')
      out += '"';
    out += c;
  }
  out += '"';
}

void write_csv_rows(output& to, const table& rows) {
  auto& out = to.text();
  const auto columns = rows.columns();
  for (std::size_t c = 0; c < columns; ++c) {
    if (c > 0)
      out += ',';
    append_field(out, rows.column_at(c).name);
  }
  out += '\n';
  // A row without columns has no line, not even an empty one.
  if (columns == 0)
    return;
  std::string text;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      if (c > 0)
        out += ',';
      text.clear();
      append_cell(text, rows, r, c);
      append_field(out, text);
    }
    out += '\n';
    to.row_done();
  }
}

} // namespace

void write_csv_format(output& to, const reply& got) {
  bool first = true;
  for (const auto& of : got.outcomes) {
    if (!of.ok())
      continue;
    if (got.outcomes.size() > 1) {
      to.text() += first ? "# " : "\n# ";
      to.text() += one_line(of.name) + '\n';
      first = false;
    }
    const auto& rows = of.table();
    if (returns_rows(rows))
      write_csv_rows(to, rows);
    to.text() += command_line_of(rows);
  }
}

} // namespace sheaf::app
