// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sheaf {

namespace {

constexpr std::uint8_t blank = 1, word_start = 2, word_rest = 4, digit = 8;

// Both databases take every byte above 0x7f for a letter, and `$` within a word for one too.
constexpr auto classes = [] {
  std::array<std::uint8_t, 256> table{};
  for (const char c : std::string_view{" \t\n\r\f"})
    table[static_cast<unsigned char>(c)] = blank;
  for (std::size_t c = 0; c < 256; ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80)
      table[c] = word_start | word_rest;
    if (c >= '0' && c <= '9')
      table[c] = digit | word_rest;
  }
  table['$'] = word_rest;
  return table;
}();

constexpr bool is(char c, std::uint8_t kinds) noexcept { return (classes[static_cast<unsigned char>(c)] & kinds) != 0; }

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

} // namespace

bool sql_token::is_word(std::string_view word) const noexcept {
  return kind == token_kind::word &&
         std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) { return lower(a) == b; });
}

bool lexer::is_in_word(char c) noexcept { return is(c, word_rest); }

sql_token lexer::next() noexcept {
  while (pos_ < sql_.size()) {
    const char c = sql_[pos_];
    if (is(c, blank)) {
      ++pos_;
      continue;
    }
    if ((c == '-' && peek(1) == '-') || (c == '/' && peek(1) == '*')) {
      const auto begin = pos_;
      if (skip_comment())
        continue;
      return {token_kind::sign, sql_.substr(begin)};
    }
    if (is(c, word_start) || (!postgresql_ && is(c, digit)))
      return read_word();
    if (is(c, digit) || (postgresql_ && c == '.' && is(peek(1), digit)))
      return read_number();
    if (c == '\'')
      return token_to(end_of_quoted(pos_), token_kind::string);
    if (c == '"' || (!postgresql_ && c == '`'))
      return token_to(end_of_quoted(pos_), token_kind::name);
    if (!postgresql_ && c == '[')
      return token_to(after("]", 1), token_kind::name);
    if (c == ':')
      return read_colon();
    if (postgresql_ && c == '$')
      return read_dollar();
    if (!postgresql_ && (c == '?' || c == '$' || c == '@' || c == '#'))
      return read_variable();
    return token_to(pos_ + 1, token_kind::sign);
  }
  return {};
}

/// `end` may be npos, where something was not found.
sql_token lexer::token_to(std::size_t end, token_kind kind) noexcept {
  const auto begin = std::exchange(pos_, std::min(end, sql_.size()));
  return {kind, sql_.substr(begin, pos_ - begin)};
}

std::size_t lexer::end_of_word(std::size_t from) const noexcept {
  while (from < sql_.size() && is(sql_[from], word_rest))
    ++from;
  return from;
}

/// The place behind the next `text`, or npos.
std::size_t lexer::after(std::string_view text, std::size_t skipped) const noexcept {
  const auto at = sql_.find(text, pos_ + skipped);
  return at == sql_.npos ? at : at + text.size();
}

/// `--` to the end of the line, or `/* */`, which nests in PostgreSQL. False when it does not end, and the server would
/// complain about that.
bool lexer::skip_comment() noexcept {
  if (sql_[pos_] == '-') {
    token_to(sql_.find_first_of(postgresql_ ? "\r\n" : "\n", pos_), {});
    return true;
  }
  if (!postgresql_) {
    token_to(after("*/", 2), {});
    return true;
  }
  std::size_t depth = 0;
  do {
    const bool opens = peek(0) == '/' && peek(1) == '*';
    const bool closes = peek(0) == '*' && peek(1) == '/';
    depth = depth + opens - closes;
    pos_ += opens || closes ? 2 : 1;
  } while (depth > 0 && pos_ < sql_.size());
  return depth == 0;
}

/// A word, or what is in quotes behind the word that is their prefix: E'…', U&'…', U&"…". Other prefixes (B, X, N)
/// change nothing about where a string ends.
sql_token lexer::read_word() noexcept {
  const auto end = end_of_word(pos_);
  if (postgresql_ && end == pos_ + 1) {
    const char prefix = lower(sql_[pos_]);
    const auto rest = sql_.substr(end);
    if (prefix == 'e' && rest.starts_with('\''))
      return token_to(end_of_escape_string(end), token_kind::string);
    if (prefix == 'u' && (rest.starts_with("&'") || rest.starts_with("&\"")))
      return token_to(end_of_quoted(end + 1), rest[1] == '"' ? token_kind::name : token_kind::string);
  }
  return token_to(end, is(sql_[pos_], digit) ? token_kind::number : token_kind::word);
}

/// `1`, `1.5`, `1.`, `.5`, `1e5`, `0x1f`, `1_000`. A `$` behind it begins something new.
sql_token lexer::read_number() noexcept {
  auto end = pos_;
  while (end < sql_.size() && is(sql_[end], digit))
    ++end;
  if (end < sql_.size() && sql_[end] == '.' && !sql_.substr(end).starts_with(".."))
    ++end;
  while (end < sql_.size() && is(sql_[end], word_rest) && sql_[end] != '$')
    ++end;
  return token_to(end, token_kind::number);
}

/// The end of a string or name in quotes, from its first one. Two quotes within it are one that belongs to it.
std::size_t lexer::end_of_quoted(std::size_t from) const noexcept {
  const char quote = sql_[from];
  do {
    const auto at = sql_.find(quote, from + 1);
    if (at == sql_.npos)
      return at;
    from = at + 1;
  } while (from < sql_.size() && sql_[from] == quote);
  return from;
}

/// The end of E'…', from its opening quote: a backslash takes what follows with it. Such a string goes on in a next one
/// that is separated from it by blanks with a line break (PostgreSQL manual, 4.1.2.1).
std::size_t lexer::end_of_escape_string(std::size_t from) const noexcept {
  for (auto quote = from; quote != sql_.npos; quote = quote_on_next_line(from)) {
    from = quote + 1;
    while (from < sql_.size() && !(sql_[from] == '\'' && !sql_.substr(from + 1).starts_with('\'')))
      from += sql_[from] == '\\' || sql_[from] == '\'' ? 2 : 1;
    from = std::min(from + 1, sql_.size());
  }
  return from;
}

/// The quote that continues a string which ends at `from`, or npos.
std::size_t lexer::quote_on_next_line(std::size_t from) const noexcept {
  bool line_break = false;
  for (auto at = from; at < sql_.size(); ++at) {
    if (sql_.substr(at).starts_with("--")) {
      at = sql_.find_first_of("\r\n", at);
      if (at == sql_.npos)
        return at;
    }
    if (!is(sql_[at], blank))
      return line_break && sql_[at] == '\'' ? at : sql_.npos;
    line_break = line_break || sql_[at] == '\n' || sql_[at] == '\r';
  }
  return sql_.npos;
}

/// `$1`, `$$…$$`, `$tag$…$tag$`, or a stray `$`.
sql_token lexer::read_dollar() noexcept {
  auto end = pos_ + 1;
  if (is(peek(1), digit)) {
    while (end < sql_.size() && is(sql_[end], digit))
      ++end;
    return token_to(end, token_kind::parameter);
  }
  if (is(peek(1), word_start))
    while (end < sql_.size() && is(sql_[end], word_rest) && sql_[end] != '$')
      ++end;
  if (end >= sql_.size() || sql_[end] != '$')
    return token_to(pos_ + 1, token_kind::sign);
  const auto delimiter = sql_.substr(pos_, end + 1 - pos_);
  return token_to(after(delimiter, delimiter.size()), token_kind::string);
}

/// `?`, `?1`, `@x`, `$x`, `$x(…)` (SQLite: tokenize.c). A lone sign is an error for SQLite to report.
sql_token lexer::read_variable() noexcept {
  auto end = end_of_word(pos_ + 1);
  if (sql_[pos_] != '?' && end > pos_ + 1 && end < sql_.size() && sql_[end] == '(')
    end = sql_.find_first_of(") \t\n\r\f", end);
  return token_to(end, token_kind::parameter);
}

sql_token lexer::read_colon() noexcept {
  if (peek(1) == ':')
    return token_to(pos_ + 2, token_kind::sign);
  if (is(peek(1), word_start))
    return token_to(end_of_word(pos_ + 1), token_kind::named_parameter);
  if (!postgresql_ && is(peek(1), word_rest))
    return read_variable(); // `:1` is the name of one.
  return token_to(pos_ + 1, token_kind::sign);
}

} // namespace sheaf
