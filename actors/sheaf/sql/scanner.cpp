// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/scanner.hpp"

#include "sheaf/sql/statement_writer.hpp"

#include <algorithm>
#include <array>

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

bool equals_lower(std::string_view word, std::string_view lower) noexcept {
  return std::equal(word.begin(), word.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a | 0x20) == b; });
}

class scanner {
public:
  scanner(std::string_view sql, dialect d, const parameters& declared)
    : sql_(sql), postgresql_(d == dialect::postgresql), declared_(declared), out_(sql.size()) {}

  parsed_statement run() {
    while (pos_ < sql_.size()) {
      const char c = sql_[pos_];
      if (is(c, blank)) {
        ++pos_;
      } else if (c == ';') {
        ++pos_;
        last_ = token::other;
      } else if ((c == '-' && peek(1) == '-') || (c == '/' && peek(1) == '*')) {
        comment(c);
      } else {
        blank_ = false;
        postgresql_ ? postgresql_token(c) : sqlite_token(c);
      }
    }
    out_.append(sql_.substr(copied_));
    auto result = std::move(out_).finish();
    result.empty = blank_;
    result.positional = positional_;
    return result;
  }

  bool asked_declared() const noexcept { return asked_declared_; }

private:
  /// The token before `pos_`, blanks and comments aside, as far as brackets care.
  enum class token : std::uint8_t { other, operand, array_keyword, open_bracket };

  /// An open bracket, or a parenthesis within one. Slices have their colons only in a subscript.
  enum level : char { subscript, constructor, parenthesis };

  char peek(std::size_t n) const noexcept { return pos_ + n < sql_.size() ? sql_[pos_ + n] : '\0'; }

  void skip(std::size_t n, token kind) noexcept {
    pos_ = std::min(pos_ + n, sql_.size());
    last_ = kind;
  }

  void skip_to(std::size_t end, token kind) noexcept {
    pos_ = std::min(end, sql_.size()); // `end` is npos where something was not found.
    last_ = kind;
  }

  std::size_t end_of_word(std::size_t from) const noexcept {
    while (from < sql_.size() && is(sql_[from], word_rest))
      ++from;
    return from;
  }

  void postgresql_token(char c) {
    if (is(c, word_start))
      return word();
    if (is(c, digit) || (c == '.' && is(peek(1), digit)))
      return number();
    switch (c) {
    case '\'':
    case '"':
      return quoted(c);
    case '$':
      return dollar();
    case ':':
      return colon();
    case '[':
      levels_.push_back(last_ == token::operand ? subscript : constructor);
      return skip(1, token::open_bracket);
    case '(':
      if (!levels_.empty())
        levels_.push_back(parenthesis);
      return skip(1, token::other);
    case ']':
    case ')':
      if (!levels_.empty() && (levels_.back() == parenthesis) == (c == ')'))
        levels_.pop_back();
      return skip(1, token::operand);
    default:
      return skip(1, token::other);
    }
  }

  void sqlite_token(char c) {
    if (is(c, word_rest) && c != '$')
      return skip_to(end_of_word(pos_), token::other);
    switch (c) {
    case '\'':
    case '"':
    case '`':
      return quoted(c);
    case '[':
      return skip_to(after("]"), token::other);
    case ':':
      return colon();
    case '?':
    case '$':
    case '@':
    case '#':
      return sqlite_variable();
    default:
      return skip(1, token::other);
    }
  }

  /// The place behind the next `text`, or npos.
  std::size_t after(std::string_view text, std::size_t skipped = 1) const noexcept {
    const auto at = sql_.find(text, pos_ + skipped);
    return at == sql_.npos ? at : at + text.size();
  }

  /// `--` to the end of the line, or `/* */`, which nests in PostgreSQL.
  void comment(char c) {
    if (c == '-')
      return skip_to(sql_.find_first_of(postgresql_ ? "\r\n" : "\n", pos_), last_);
    if (!postgresql_)
      return skip_to(after("*/", 2), last_);
    std::size_t depth = 0;
    do {
      const bool opens = peek(0) == '/' && peek(1) == '*';
      const bool closes = peek(0) == '*' && peek(1) == '/';
      depth = depth + opens - closes;
      pos_ += opens || closes ? 2 : 1;
    } while (depth > 0 && pos_ < sql_.size());
    if (depth > 0)
      blank_ = false; // The server complains about it.
  }

  void word() {
    const auto end = end_of_word(pos_);
    const auto text = sql_.substr(pos_, end - pos_);
    skip_to(end, text.size() == 5 && equals_lower(text, "array") ? token::array_keyword : token::operand);
    if (peek(0) == '\'' && (text == "E" || text == "e"))
      escape_string();
  }

  /// `1`, `1.5`, `1.`, `.5`, `1e5`, `0x1f`, `1_000`. A `$` behind it begins something new.
  void number() noexcept {
    auto end = pos_;
    while (end < sql_.size() && is(sql_[end], digit))
      ++end;
    if (end < sql_.size() && sql_[end] == '.' && !sql_.substr(end).starts_with(".."))
      ++end;
    while (end < sql_.size() && is(sql_[end], word_rest) && sql_[end] != '$')
      ++end;
    skip_to(end, token::operand);
  }

  /// A string or name in quotes. Two quotes within it are the end of one and the beginning of the next: the same to us.
  /// So are prefixes (U&, B, X, N), which change nothing about where it ends.
  void quoted(char quote) noexcept { skip_to(after({&quote, 1}), token::operand); }

  /// E'…' from its opening quote: a backslash takes what follows with it. Such a string goes on in a next one that is
  /// separated from it by blanks with a line break (PostgreSQL manual, 4.1.2.1).
  void escape_string() noexcept {
    do {
      ++pos_;
      while (pos_ < sql_.size() && !(sql_[pos_] == '\'' && peek(1) != '\''))
        pos_ += sql_[pos_] == '\\' || sql_[pos_] == '\'' ? 2 : 1;
      skip(1, token::operand);
    } while (continues_on_next_line());
  }

  /// Moves on to the quote that continues a string, if there is one.
  bool continues_on_next_line() noexcept {
    bool line_break = false;
    auto at = pos_;
    for (; at < sql_.size(); ++at) {
      if (sql_.substr(at).starts_with("--")) {
        at = sql_.find_first_of("\r\n", at);
        if (at == sql_.npos)
          return false;
      }
      if (!is(sql_[at], blank))
        break;
      line_break = line_break || sql_[at] == '\n' || sql_[at] == '\r';
    }
    if (!line_break || at >= sql_.size() || sql_[at] != '\'')
      return false;
    pos_ = at;
    return true;
  }

  /// `$1`, `$$…$$`, `$tag$…$tag$`, or a stray `$`.
  void dollar() {
    auto end = pos_ + 1;
    if (is(peek(1), digit)) {
      while (end < sql_.size() && is(sql_[end], digit))
        ++end;
      positional_ = true;
      return skip_to(end, token::operand);
    }
    if (is(peek(1), word_start))
      while (end < sql_.size() && is(sql_[end], word_rest) && sql_[end] != '$')
        ++end;
    if (end >= sql_.size() || sql_[end] != '$')
      return skip(1, token::other);
    const auto delimiter = sql_.substr(pos_, end + 1 - pos_);
    skip_to(after(delimiter, delimiter.size()), token::operand);
  }

  /// `?`, `?1`, `@x`, `$x`, `$x(…)` (SQLite: tokenize.c). A lone sign is an error for SQLite to report.
  void sqlite_variable() noexcept {
    auto end = end_of_word(pos_ + 1);
    if (sql_[pos_] != '?' && end > pos_ + 1 && end < sql_.size() && sql_[end] == '(')
      end = sql_.find_first_of(") \t\n\r\f", end);
    positional_ = true;
    skip_to(end, token::other);
  }

  void colon() {
    if (peek(1) == ':')
      return skip(2, token::other);
    if (!postgresql_ && is(peek(1), word_rest) && !is(peek(1), word_start))
      return sqlite_variable(); // `:1` is the name of one.
    if (!is(peek(1), word_start))
      return skip(1, token::other);
    const auto end = end_of_word(pos_ + 1);
    const auto name = sql_.substr(pos_ + 1, end - pos_ - 1);
    if (postgresql_ && (is_string_prefix(name, end) || is_slice(name)))
      return skip(1, token::other);
    if (postgresql_) {
      out_.append(sql_.substr(copied_, pos_ - copied_));
      const bool joins_a_word = pos_ > 0 && is(sql_[pos_ - 1], word_rest);
      out_.append_parameter(name, joins_a_word ? " $" : "$"); // `limit:n` must not become the name `limit$1`
      copied_ = end;
    } else {
      out_.number(name);
    }
    skip_to(end, token::operand);
  }

  /// True when `name`, up to `end`, is the beginning of E'…' and the like.
  bool is_string_prefix(std::string_view name, std::size_t end) const noexcept {
    const auto rest = sql_.substr(end);
    if (rest.starts_with('\''))
      return name.size() == 1 && std::string_view{"eEbBxXnN"}.find(name[0]) != std::string_view::npos;
    return (name == "u" || name == "U") && (rest.starts_with("&'") || rest.starts_with("&\""));
  }

  bool is_slice(std::string_view name) {
    if (levels_.empty() || levels_.back() != subscript)
      return false;
    if (last_ != token::open_bracket)
      return last_ != token::other;
    asked_declared_ = true;
    return find(declared_, name) == nullptr;
  }

  const std::string_view sql_;
  const bool postgresql_;
  const parameters& declared_;

  std::size_t pos_ = 0;
  std::size_t copied_ = 0; ///< The end of what `out_` has of `sql_`.
  token last_ = token::other;
  std::vector<level> levels_; ///< Empty outside brackets.
  bool blank_ = true, positional_ = false, asked_declared_ = false;
  statement_writer out_;
};

} // namespace

parsed_statement parse_statement(std::string_view sql, dialect d, const parameters& declared, bool* uses_brackets) {
  scanner s{sql, d, declared};
  auto result = s.run();
  if (uses_brackets)
    *uses_brackets = s.asked_declared();
  return result;
}

} // namespace sheaf
