// SPDX-License-Identifier: BSD-3-Clause
//
// Replies as one JSON object, or as a JSON object per row. Written piece by piece: a tree of values could not keep
// numbers as the database wrote them. Main thread.

#include "app/show/format.hpp"

#include "app/base/json_text.hpp"
#include "app/show/failure_text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <set>

namespace sheaf::app {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out += ": ";
  append_json_string(out, text);
}

void append_if_any(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty())
    append_member(out += ", ", name, text);
}

void append_error(std::string& out, const failure& why, std::string_view sql) {
  out += '{';
  append_member(out, "code", to_string(why.code));
  if (why.phase != phase::none)
    append_member(out += ", ", "phase", to_string(why.phase));
  if (!why.sqlstate.empty())
    append_member(out += ", ", "sqlstate", why.sqlstate);
  append_member(out += ", ", "message", why.message);
  if (why.position > 0) {
    const auto where = find_place(sql, why.position);
    fmt::format_to(std::back_inserter(out), ", \"line\": {}, \"column\": {}", where.line, where.column);
  }
  append_if_any(out, "detail", why.detail);
  append_if_any(out, "context", why.context);
  append_if_any(out, "table_name", why.table);
  append_if_any(out, "column_name", why.column);
  append_if_any(out, "constraint_name", why.constraint);
  out += '}';
}

void append_notice(std::string& out, const notice& said) {
  append_member(out += '{', "severity", said.severity);
  append_if_any(out, "sqlstate", said.sqlstate);
  append_member(out += ", ", "message", said.message);
  append_if_any(out, "detail", said.detail);
  append_if_any(out, "hint", said.hint);
  append_if_any(out, "context", said.context);
  out += '}';
}

void append_milliseconds(std::string& out, std::string_view name, std::chrono::nanoseconds time) {
  if (time < time.zero())
    fmt::format_to(std::back_inserter(out), "\"{}\": null", name);
  else
    fmt::format_to(std::back_inserter(out), "\"{}\": {:.3f}", name, static_cast<double>(time.count()) / 1e6);
}

void append_times(std::string& out, const outcome& of) {
  const auto& times = of.times;
  out += '{';
  append_milliseconds(out, "queued_ms", times.queued);
  append_milliseconds(out += ", ", "acquired_ms", times.acquired);
  append_milliseconds(out += ", ", "sent_ms", times.sent);
  append_milliseconds(out += ", ", "first_row_ms", times.first_row);
  append_milliseconds(out += ", ", "last_row_ms", times.last_row);
  append_milliseconds(out += ", ", "released_ms", times.released);
  append_milliseconds(out += ", ", "answered_ms", times.answered);
  if (of.pack != 0)
    fmt::format_to(std::back_inserter(out), ", \"pack\": {}", of.pack);
  out += '}';
}

void append_columns(std::string& out, const table& rows) {
  out += "{\"columns\": [";
  for (std::size_t c = 0; c < rows.columns(); ++c) {
    const auto column = rows.column_at(c);
    append_member(out += c > 0 ? ", {" : "{", "name", column.name);
    append_member(out += ", ", "type", column.type);
    out += '}';
  }
  out += "],\n  \"rows\": [";
}

void write_result(output& to, const table& rows) {
  auto& out = to.text();
  append_columns(out, rows);
  std::size_t replaced = 0;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    out += r > 0 ? ",\n   [" : "\n   [";
    for (std::size_t c = 0; c < rows.columns(); ++c) {
      if (c > 0)
        out += ", ";
      replaced += !append_json_cell(out, rows, r, c);
    }
    out += ']';
    to.row_done();
  }
  out += ']';
  if (replaced > 0)
    fmt::format_to(std::back_inserter(out), ", \"replaced_values\": {}", replaced);
  if (!returns_rows(rows))
    fmt::format_to(std::back_inserter(out), ", \"affected_rows\": {}", rows.affected_rows());
  out += '}';
}

/// Calls `write(outcome, position)` for the outcomes that are wanted, as members of an object under their query's name.
template <class Wanted, class Write>
void write_members(output& to, std::string_view name, const reply& got, Wanted wanted, Write write) {
  append_json_string(to.text(), name);
  to.text() += ": {";
  bool first = true;
  for (std::size_t i = 0; i < got.outcomes.size(); ++i) {
    if (!wanted(got.outcomes[i]))
      continue;
    to.text() += first ? "\n " : ",\n ";
    first = false;
    append_json_string(to.text(), got.outcomes[i].name);
    to.text() += ": ";
    write(got.outcomes[i], i);
  }
  to.text() += '}';
}

void write_notice_lines(output& to, const outcome& of) {
  auto& out = to.text();
  for (const auto& x : of.notices.kept) {
    append_member(out += '{', "query", of.name);
    append_notice(out += ", \"notice\": ", x);
    out += "}\n";
  }
  if (of.notices.left_out > 0) {
    append_member(out += '{', "query", of.name);
    fmt::format_to(std::back_inserter(out), ", \"notices_left_out\": {}}}\n", of.notices.left_out);
  }
}

void write_lines(output& to, std::string_view name, const table& rows) {
  auto& out = to.text();
  if (!returns_rows(rows)) {
    append_member(out += '{', "query", name);
    fmt::format_to(std::back_inserter(out), ", \"affected_rows\": {}}}\n", rows.affected_rows());
    return;
  }
  const auto keys = json_keys(rows);
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    append_member(out += '{', "query", name);
    out += ", \"row\": {";
    std::size_t replaced = 0;
    for (std::size_t c = 0; c < keys.size(); ++c) {
      (c > 0 ? out += ", " : out).append(keys[c]).append(": ");
      replaced += !append_json_cell(out, rows, r, c);
    }
    out += '}';
    if (replaced > 0)
      fmt::format_to(std::back_inserter(out), ", \"replaced_values\": {}", replaced);
    out += "}\n";
    to.row_done();
  }
}

} // namespace

std::vector<std::string> json_keys(const table& rows) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < rows.columns(); ++c)
    names.push_back(rows.column_at(c).name);
  return json_keys(names);
}

std::vector<std::string> json_keys(const std::vector<std::string>& names) {
  const std::set<std::string> all{names.begin(), names.end()};
  std::set<std::string> used;
  std::vector<std::string> keys;
  for (const auto& name : names) {
    auto key = name;
    for (int n = 2; used.contains(key) || (key != name && all.contains(key)); ++n)
      key = fmt::format("{}_{}", name, n);
    used.insert(key);
    std::string text;
    append_json_string(text, key);
    keys.push_back(std::move(text));
  }
  return keys;
}

void write_notices(output& to, const reply& got) {
  auto& out = to.text();
  const auto said = [](const outcome& of) { return !of.notices.kept.empty(); };
  const auto more = [](const outcome& of) { return of.notices.left_out > 0; };
  if (std::any_of(got.outcomes.begin(), got.outcomes.end(), said)) {
    out += ",\n";
    write_members(to, "notices", got, said, [&](const outcome& of, std::size_t) {
      for (const auto& x : of.notices.kept)
        append_notice(out += &x == &of.notices.kept.front() ? "[" : ",\n  ", x);
      out += ']';
    });
  }
  if (std::any_of(got.outcomes.begin(), got.outcomes.end(), more)) {
    out += ",\n";
    write_members(to, "notices_left_out", got, more,
                  [&](const outcome& of, std::size_t) { out += std::to_string(of.notices.left_out); });
  }
}

void write_json_format(output& to, const reply& got, const std::vector<std::string>& sql) {
  auto& out = to.text();
  out += '{';
  const auto ok = [](const outcome& of) { return of.ok(); };
  write_members(to, "results", got, ok, [&](const outcome& of, std::size_t) { write_result(to, of.table()); });
  out += ",\n";
  write_members(to, "errors", got, std::not_fn(ok),
                [&](const outcome& of, std::size_t i) { append_error(out, *of.error_info(), sql[i]); });
  write_notices(to, got);
  out += ",\n\"timing\": {";
  append_milliseconds(out, "elapsed_ms", got.elapsed);
  append_milliseconds(out += ", ", "serial_sum_ms", got.serial_sum());
  fmt::format_to(std::back_inserter(out), ", \"overlap\": {:.2f},\n", got.overlap());
  const auto any = [](const outcome&) { return true; };
  write_members(to, "queries", got, any, [&](const outcome& of, std::size_t) { append_times(out, of); });
  out += "}}\n";
}

void write_ndjson_format(output& to, const reply& got, const std::vector<std::string>& sql) {
  for (std::size_t i = 0; i < got.outcomes.size(); ++i) {
    const auto& of = got.outcomes[i];
    write_notice_lines(to, of);
    if (of.ok()) {
      write_lines(to, of.name, of.table());
      continue;
    }
    append_member(to.text() += '{', "query", of.name);
    to.text() += ", \"error\": ";
    append_error(to.text(), *of.error_info(), sql[i]);
    to.text() += "}\n";
    to.row_done();
  }
}

} // namespace sheaf::app
