// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/sql_words.hpp"

#include <algorithm>
#include <array>

namespace sheaf::app {

namespace {

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

char small(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The place behind the first `end` from `from` on, or the end of `sql`.
std::size_t behind(std::string_view sql, std::size_t from, std::string_view end) {
  const auto at = sql.find(end, from);
  return at == sql.npos ? sql.size() : at + end.size();
}

/// True for a word that stands between `create` and a name.
bool is_about_the_name(std::string_view word) {
  constexpr std::array<std::string_view, 22> words{
      "or",        "replace", "temp",         "temporary", "unlogged", "global",   "local", "unique",
      "recursive", "virtual", "materialized", "table",     "view",     "type",     "index", "function",
      "domain",    "if",      "not",          "exists",    "only",     "sequence",
  };
  return std::ranges::find(words, word) != words.end();
}

} // namespace

std::vector<std::string> words_of_sql(std::string_view sql) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    const auto rest = sql.substr(i);
    if (rest.starts_with("--")) {
      i = behind(sql, i, "\n");
    } else if (rest.starts_with("/*")) {
      i = behind(sql, i + 2, "*/");
    } else if (c == '\'') {
      i = behind(sql, i + 1, "'");
    } else if (c == '"' || c == '`' || c == '[') {
      const auto end = sql.find(c == '[' ? ']' : c, i + 1);
      words.emplace_back(sql.substr(i + 1, end == sql.npos ? end : end - i - 1));
      i = end == sql.npos ? sql.size() : end + 1;
    } else if (is_word(c)) {
      const auto end = std::find_if_not(sql.begin() + static_cast<std::ptrdiff_t>(i), sql.end(), is_word);
      std::transform(sql.begin() + static_cast<std::ptrdiff_t>(i), end, std::back_inserter(words.emplace_back()),
                     small);
      i = static_cast<std::size_t>(end - sql.begin());
    } else {
      if (c == '.' || c == '(')
        words.emplace_back(1, c);
      ++i;
    }
  }
  return words;
}

std::string made_by(std::string_view sql) {
  const auto words = words_of_sql(sql);
  if (words.empty() || (words.front() != "create" && words.front() != "alter"))
    return {};
  auto name = std::find_if_not(words.begin() + 1, words.end(), is_about_the_name);
  while (words.end() - name > 2 && name[1] == ".")
    name += 2;
  return name == words.end() ? std::string{} : *name;
}

} // namespace sheaf::app
