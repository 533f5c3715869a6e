// SPDX-License-Identifier: BSD-3-Clause
//
// The aligned style of psql 15: its margins, its `+` for cells of several lines, its escapes, its footer. Two passes
// over the rows, one to measure and one to write. Main thread.

#include "app/show/format.hpp"

#include "app/base/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace sheaf::app {

namespace {

struct line {
  std::string text;
  std::size_t width = 0;
};

/// A cell's lines as they are shown; at least one. Reuses what `lines` has.
void split(std::vector<line>& lines, std::string_view text) {
  lines.assign(1, {});
  while (!text.empty()) {
    const auto c = first_character(text);
    auto& last = lines.back();
    if (c.valid && c.code == '\n') {
      lines.emplace_back();
    } else if (c.valid && c.code == '\t') {
      const auto spaces = 8 - last.width % 8;
      last.text.append(spaces, ' ');
      last.width += spaces;
    } else {
      last.width += append_visible(last.text, c, text);
    }
    text.remove_prefix(c.size);
  }
}

std::size_t width_of(const std::vector<line>& lines) noexcept {
  return std::max_element(lines.begin(), lines.end(), [](auto& a, auto& b) { return a.width < b.width; })->width;
}

/// psql's rule (column_type_alignment); for SQLite, which types values and not columns: a column of numbers.
bool is_numeric(const table& rows, std::size_t c) {
  switch (rows.column_at(c).oid) {
  case 0:
    break;
  case 20:
  case 21:
  case 23:
  case 26:
  case 28:
  case 29: // int8, int2, int4, oid, xid, cid
  case 700:
  case 701:
  case 790:
  case 1700:
  case 5069: // float4, float8, money, numeric, xid8
    return true;
  default:
    return false;
  }
  bool numbers = false;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    const auto kind = rows.cell_at(r, c).encoding;
    if (kind == encoding::integer || kind == encoding::real)
      numbers = true;
    else if (kind != encoding::null)
      return false;
  }
  return numbers;
}

struct table_layout {
  std::vector<std::vector<line>> header;
  std::vector<std::size_t> widths;
  std::vector<bool> right;
};

table_layout measure(const table& rows) {
  table_layout made;
  std::vector<line> lines;
  std::string text;
  for (std::size_t c = 0; c < rows.columns(); ++c) {
    split(lines, rows.column_at(c).name);
    auto width = width_of(lines);
    made.header.push_back(lines);
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      text.clear();
      append_cell(text, rows, r, c);
      split(lines, text);
      width = std::max(width, width_of(lines));
    }
    made.widths.push_back(width);
    made.right.push_back(is_numeric(rows, c));
  }
  return made;
}

void write_header(std::string& out, const table_layout& how) {
  std::size_t height = 1;
  for (const auto& lines : how.header)
    height = std::max(height, lines.size());
  const auto columns = how.widths.size();
  for (std::size_t l = 0; l < height; ++l) {
    for (std::size_t c = 0; c < columns; ++c) {
      const auto& lines = how.header[c];
      const line nothing;
      const auto& shown = l < lines.size() ? lines[l] : nothing;
      const auto room = how.widths[c] - shown.width;
      out += c > 0 ? "| " : " ";
      out.append(room / 2, ' ').append(shown.text).append(room - room / 2, ' ');
      out += l + 1 < lines.size() ? '+' : ' ';
    }
    out += '\n';
  }
  for (std::size_t c = 0; c < columns; ++c) {
    if (c > 0)
      out += '+';
    out.append(how.widths[c] + 2, '-');
  }
  out += '\n';
}

void write_row(std::string& out, const table_layout& how, const std::vector<std::vector<line>>& cells) {
  std::size_t height = 1;
  for (const auto& lines : cells)
    height = std::max(height, lines.size());
  for (std::size_t l = 0; l < height; ++l) {
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto& lines = cells[c];
      const line nothing;
      const auto& shown = l < lines.size() ? lines[l] : nothing;
      const bool more = l + 1 < lines.size();
      const bool last = c + 1 == cells.size();
      const auto room = how.widths[c] - shown.width;
      out += c > 0 ? "| " : " ";
      const bool nothing_follows = last && !more;
      if (how.right[c] && l < lines.size())
        out.append(room, ' ').append(shown.text);
      else
        out.append(shown.text).append(nothing_follows ? 0 : room, ' ');
      if (!nothing_follows)
        out += more ? '+' : ' ';
    }
    out += '\n';
  }
}

void write_table_rows(output& to, const table& rows) {
  const auto columns = rows.columns();
  if (columns == 0) {
    to.text() += "--\n"; // psql shows this for rows without columns.
  } else {
    const auto how = measure(rows);
    write_header(to.text(), how);
    std::vector<std::vector<line>> cells(columns);
    std::string text;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        text.clear();
        append_cell(text, rows, r, c);
        split(cells[c], text);
      }
      write_row(to.text(), how, cells);
      to.row_done();
    }
  }
  to.text() += rows.rows() == 1 ? "(1 row)\n\n" : fmt::format("({} rows)\n\n", rows.rows());
}

} // namespace

void write_table_format(output& to, const reply& got, const terminal& where) {
  for (const auto& of : got.outcomes) {
    if (!of.ok())
      continue;
    if (got.outcomes.size() > 1)
      to.text() += paint(where, style::bold, one_line(of.name) + ':') + '\n';
    const auto& rows = of.table();
    const auto command = command_line_of(rows);
    if (returns_rows(rows))
      write_table_rows(to, rows);
    else if (command.empty())
      to.text() +=
          rows.affected_rows() == 1 ? "1 row affected\n" : fmt::format("{} rows affected\n", rows.affected_rows());
    to.text() += command;
  }
}

} // namespace sheaf::app
