// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/session_traces.hpp"

#include <algorithm>
#include <array>

namespace sheaf {

namespace {

/// Statements that begin so leave nothing by themselves.
constexpr std::array<std::string_view, 11> clean_beginnings{"select", "with",  "values",  "table", "insert",  "update",
                                                            "delete", "merge", "explain", "show",  "truncate"};

/// What leaves traces all the same: settings, session locks, `into temp`, the seed of random(), other connections.
constexpr std::array<std::string_view, 5> traces{"set_config", "advisory_lock", "temp", "setseed", "dblink"};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(char a, char b) noexcept { return lower(a) == lower(b); }

/// Past white space, comments and opening parentheses.
std::string_view from_first_word(std::string_view sql) noexcept {
  while (!sql.empty()) {
    if (sql.starts_with("--")) {
      sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
    } else if (sql.starts_with("/*")) { // a nested one ends early, and what follows is no word that we know
      const auto end = sql.find("*/", 2);
      sql.remove_prefix(end == sql.npos ? sql.size() : end + 2);
    } else if (std::string_view{" \t\r\n\f\v("}.find(sql.front()) != std::string_view::npos) {
      sql.remove_prefix(1);
    } else {
      break;
    }
  }
  return sql;
}

bool mentions(std::string_view sql, std::string_view word) noexcept {
  return std::search(sql.begin(), sql.end(), word.begin(), word.end(), same) != sql.end();
}

} // namespace

bool may_leave_traces(std::string_view sql) noexcept {
  sql = from_first_word(sql);
  const auto is_letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  const auto end = std::find_if_not(sql.begin(), sql.end(), is_letter);
  const auto begins_clean = [&](std::string_view word) {
    return std::equal(sql.begin(), end, word.begin(), word.end(), same);
  };
  return std::none_of(clean_beginnings.begin(), clean_beginnings.end(), begins_clean) ||
         std::any_of(traces.begin(), traces.end(), [&](std::string_view trace) { return mentions(sql, trace); });
}

} // namespace sheaf
