// SPDX-License-Identifier: BSD-3-Clause
//
// Formats failures: the line, and the piece of SQL with a caret below the place where the server stumbled. Any thread.

#include "app/show/failure_text.hpp"

#include "app/base/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace sheaf::app {

namespace {

struct drawn_character {
  std::string text;
  std::size_t width;
};

std::vector<drawn_character> draw(std::string_view line) {
  std::vector<drawn_character> drawn;
  while (!line.empty()) {
    const auto c = first_character(line);
    drawn_character next{"", 1};
    if (c.valid && c.code == '\t')
      next.text = " ";
    else
      next.width = append_visible(next.text, c, line);
    drawn.push_back(std::move(next));
    line.remove_prefix(c.size);
  }
  return drawn;
}

/// The label and the text, which may have several lines. Nothing for a text that was not given.
void append_labelled(std::string& out, std::string_view label, std::string_view text) {
  if (text.empty())
    return;
  out.append(label).append(":  ");
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out.append(one_line(text.substr(begin, end - begin))) += '\n';
    begin = end + 1;
  }
}

} // namespace

place find_place(std::string_view sql, std::size_t position) noexcept {
  place where;
  std::size_t line_start = 0, at = 0;
  for (std::size_t i = 1; i < position && at < sql.size(); ++i) {
    const auto c = first_character(sql.substr(at));
    at += c.size;
    if (c.code == '\n') {
      ++where.line;
      where.column = 1;
      line_start = at;
    } else {
      ++where.column;
    }
  }
  where.text = sql.substr(line_start, sql.find('\n', line_start) - line_start);
  if (where.text.ends_with('\r'))
    where.text.remove_suffix(1);
  return where;
}

std::string describe(const failure& why, std::string_view sql) {
  std::string out;
  if (!why.query.empty())
    out = fmt::format("query \"{}\": ", one_line(why.query));
  out += fmt::format("{}: {}", to_string(why.code), one_line(why.message));
  if (why.code == errc::deadline_exceeded && why.phase != phase::none)
    out += fmt::format(" (in phase {})", to_string(why.phase));
  if (why.position > 0) {
    const auto where = find_place(sql, why.position);
    out += fmt::format(" (line {}, column {})", where.line, where.column);
  }
  return out;
}

std::string show_position(const failure& why, std::string_view sql, std::size_t width) {
  if (why.position == 0)
    return {};
  const auto where = find_place(sql, why.position);
  const auto line = draw(where.text);
  const auto caret = std::min(where.column - 1, line.size());
  width = std::max<std::size_t>(width, 20);
  // Two thirds of the room go to what stands before the caret, the rest to what follows.
  std::size_t first = caret, before = 0;
  while (first > 0 && before + line[first - 1].width <= width * 2 / 3)
    before += line[--first].width;
  std::string shown = first > 0 ? "..." : "";
  const std::size_t indent = shown.size() + before;
  std::size_t taken = shown.size(), last = first;
  for (; last < line.size() && taken + line[last].width + 3 < width; ++last) {
    shown += line[last].text;
    taken += line[last].width;
  }
  if (last < line.size())
    shown += "...";
  return fmt::format("{}\n{:>{}}\n", shown, '^', indent + 1);
}

std::string show_details(const failure& why) {
  std::string out;
  append_labelled(out, "DETAIL", why.detail);
  append_labelled(out, "CONTEXT", why.context);
  return out;
}

std::string show_notices(std::span<const outcome> of) {
  std::string out;
  for (const auto& x : of) {
    const auto query = of.size() > 1 ? fmt::format("query \"{}\": ", one_line(x.name)) : std::string{};
    for (const auto& said : x.notices.kept) {
      append_labelled(out, query + one_line(said.severity), said.message);
      append_labelled(out, "DETAIL", said.detail);
      append_labelled(out, "HINT", said.hint);
    }
    if (x.notices.left_out > 0)
      out += fmt::format("{}… and {} more notices\n", query, x.notices.left_out);
  }
  return out;
}

std::string_view sql_of(const failure& why, const reply& of, const std::vector<std::string>& sql) noexcept {
  for (std::size_t i = 0; i < of.outcomes.size() && i < sql.size(); ++i)
    if (of.outcomes[i].name == why.query)
      return sql[i];
  return {};
}

} // namespace sheaf::app
