// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/statement_effects.hpp"

#include <algorithm>
#include <array>

namespace sheaf {

namespace {

/// Statements that begin so are queries.
constexpr std::array<std::string_view, 6> query_beginnings{"select", "with", "values", "table", "show", "explain"};

/// Statements that begin so write rows, and nothing else.
constexpr std::array<std::string_view, 5> change_beginnings{"insert", "update", "delete", "merge", "truncate"};

/// Words that write within a query: in a WITH clause, after EXPLAIN ANALYZE, as `select … into`.
constexpr std::array<std::string_view, 5> change_words{"insert", "update", "delete", "merge", "into"};

/// PostgreSQL plans statements that begin so, and only these.
constexpr std::array<std::string_view, 8> planned_beginnings{"select", "with",   "values", "table",
                                                             "insert", "update", "delete", "merge"};

/// Words that leave traces all the same, wherever they stand: settings, session locks, the schema of temporary tables,
/// the seed of random(), other connections.
constexpr std::array<std::string_view, 5> traces{"set_config", "advisory_lock", "pg_temp", "setseed", "dblink"};

/// The same, as a word by itself: `select … into temp`.
constexpr std::array<std::string_view, 2> trace_words{"temp", "temporary"};

/// Statements that begin so are for their session alone.
constexpr std::array<std::string_view, 10> session_beginnings{"set",        "reset",   "listen", "unlisten", "prepare",
                                                              "deallocate", "declare", "load",   "discard",  "begin"};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(char a, char b) noexcept { return lower(a) == lower(b); }

/// Past white space, comments and opening parentheses. Nothing is left of a statement whose first comment ends at one
/// place for PostgreSQL and at another for SQLite: only PostgreSQL nests comments, and ends a line at a lone `\r`.
std::string_view from_first_word(std::string_view sql) noexcept {
  while (!sql.empty()) {
    if (sql.starts_with("--")) {
      const auto end = std::min(sql.find_first_of("\r\n"), sql.size());
      sql.remove_prefix(end);
      if (sql.starts_with('\r') && !sql.starts_with("\r\n"))
        return {};
    } else if (sql.starts_with("/*")) {
      const auto end = sql.find("*/", 2);
      if (end == sql.npos || sql.substr(2, end - 2).find("/*") != sql.npos)
        return {};
      sql.remove_prefix(end + 2);
    } else if (std::string_view{" \t\r\n\f\v("}.find(sql.front()) != std::string_view::npos) {
      sql.remove_prefix(1);
    } else {
      break;
    }
  }
  return sql;
}

bool is_in_word(char c) noexcept {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool mentions(std::string_view sql, std::string_view part) noexcept {
  return std::search(sql.begin(), sql.end(), part.begin(), part.end(), same) != sql.end();
}

bool has_word(std::string_view sql, std::string_view word) noexcept {
  for (auto at = sql.begin();; ++at) {
    at = std::search(at, sql.end(), word.begin(), word.end(), same);
    if (at == sql.end())
      return false;
    const auto end = at + static_cast<std::ptrdiff_t>(word.size());
    const bool is_parameter = at != sql.begin() && at[-1] == ':'; // of SQLite's, by name
    if (!is_parameter && (at == sql.begin() || !is_in_word(at[-1])) && (end == sql.end() || !is_in_word(*end)))
      return true;
  }
}

std::string_view first_word(std::string_view sql) noexcept {
  sql = from_first_word(sql);
  const auto is_letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  return {sql.begin(), std::find_if_not(sql.begin(), sql.end(), is_letter)};
}

bool is_one_of(std::string_view word, const auto& words) noexcept {
  return std::any_of(words.begin(), words.end(), [&](std::string_view x) {
    return std::equal(word.begin(), word.end(), x.begin(), x.end(), same);
  });
}

bool has_one_of(std::string_view sql, const auto& words) noexcept {
  return std::any_of(words.begin(), words.end(), [&](std::string_view x) { return has_word(sql, x); });
}

} // namespace

effect effect_of(std::string_view sql) noexcept {
  if (!is_one_of(first_word(sql), query_beginnings))
    return effect::writes;
  return has_one_of(sql, change_words) ? effect::may_write : effect::reads;
}

bool may_leave_traces(std::string_view sql) noexcept {
  const auto word = first_word(sql);
  return !(is_one_of(word, query_beginnings) || is_one_of(word, change_beginnings)) ||
         std::any_of(traces.begin(), traces.end(), [&](std::string_view x) { return mentions(sql, x); }) ||
         has_one_of(sql, trace_words);
}

bool leaves_traces(std::string_view sql) noexcept {
  const auto word = first_word(sql);
  if (is_one_of(word, session_beginnings))
    return true;
  const auto names_temporary = [](std::string_view part) { return has_one_of(part, trace_words); };
  if (is_one_of(word, std::array<std::string_view, 1>{"create"})) { // `create or replace local temporary view …`
    const auto from = from_first_word(sql);
    auto end = from.begin();
    for (int words = 0; words < 5 && end != from.end(); ++words) {
      end = std::find_if_not(end, from.end(), is_in_word);
      end = std::find_if(end, from.end(), is_in_word);
    }
    return names_temporary({from.begin(), std::min(end, std::find(from.begin(), from.end(), '('))});
  }
  if (!is_one_of(word, query_beginnings) && !is_one_of(word, change_beginnings))
    return false;
  return std::any_of(traces.begin(), traces.end(), [&](std::string_view x) { return mentions(sql, x); }) ||
         (has_word(sql, "into temp") || has_word(sql, "into temporary"));
}

bool is_planned(std::string_view sql) noexcept { return is_one_of(first_word(sql), planned_beginnings); }

} // namespace sheaf
