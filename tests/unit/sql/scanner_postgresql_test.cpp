// SPDX-License-Identifier: BSD-3-Clause
//
// The scanner against PostgreSQL's own, as libpg_query has it: random text from pieces of SQL, cut where it hurts. The
// seeds are fixed, so a failure comes again.

#include "sheaf/sql/scanner.hpp"
#include "sheaf/statement.hpp"

#include <gtest/gtest.h>
#include <pg_query.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <random>
#include <set>

namespace sheaf {
namespace {

struct lexeme {
  int kind = 0; ///< As in pg_query.proto: a character's code, or one of these.
  std::size_t begin = 0, end = 0;
};

constexpr int unicode_name = 259, unicode_string = 262, param = 267, sql_comment = 275, c_comment = 276;

/// Reads a protobuf: the result of pg_query_scan (ScanResult in pg_query.proto), without a library for it.
class protobuf {
public:
  protobuf(const char* data, std::size_t size) : at_(data), end_(data + size) {}

  bool at_end() const { return at_ == end_; }

  std::uint64_t number() {
    std::uint64_t x = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      x |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80)
        return x;
    }
  }

  protobuf message() {
    const auto size = number();
    at_ += size;
    return {at_ - size, size};
  }

private:
  const char *at_, *end_;
};

/// The tokens of `sql` without comments; nothing when PostgreSQL finds none (an open quote, a number glued to a word),
/// and where the library is known to differ from the server.
std::optional<std::vector<lexeme>> postgresql_tokens(const std::string& sql) {
  const std::unique_ptr<PgQueryScanResult, void (*)(PgQueryScanResult*)> scanned{
      new PgQueryScanResult(pg_query_scan(sql.c_str())), [](PgQueryScanResult* x) {
        pg_query_free_scan_result(*x);
        delete x;
      }};
  if (scanned->error)
    return {};
  std::vector<lexeme> tokens;
  protobuf all{scanned->pbuf.data, scanned->pbuf.len};
  while (!all.at_end()) {
    if (all.number() != (2 << 3 | 2)) { // version = 1
      all.number();
      continue;
    }
    lexeme token;
    for (auto fields = all.message(); !fields.at_end();) {
      const auto field = fields.number() >> 3;
      const auto x = fields.number();
      if (field == 1)
        token.begin = x;
      else if (field == 2)
        token.end = x;
      else if (field == 4)
        token.kind = static_cast<int>(x);
    }
    tokens.push_back(token);
  }
  // libpg_query 15-4.0.0 gives no end for U&'…' and U&"…": they end before the next token.
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i].kind == unicode_name || tokens[i].kind == unicode_string)
      tokens[i].end =
          sql.find_last_not_of(" \t\r\n\f", (i + 1 < tokens.size() ? tokens[i + 1].begin : sql.size()) - 1) + 1;
  // Nor does it see that a comment between two lines of a string leaves it one string, as the server does.
  bool behind_string = false;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    behind_string = sql[tokens[i].end - 1] == '\'' || (behind_string && tokens[i].kind == sql_comment);
    if (behind_string && tokens[i].kind == sql_comment && sql[tokens[i + 1].begin] == '\'')
      return {};
  }
  std::erase_if(tokens, [](const lexeme& x) { return x.kind == sql_comment || x.kind == c_comment; });
  return tokens;
}

bool is_word(std::string_view text) {
  return !text.empty() && text[0] != '"' && (text[0] < '0' || text[0] > '9') && text[0] != '$' &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= 0x80 || std::isalnum(c) || c == '_' || c == '$'; });
}

/// The tokens with each `:name` as one, by the rules of statement.hpp on top of PostgreSQL's tokens.
std::vector<std::string> expected_tokens(const std::string& sql, const std::vector<lexeme>& tokens,
                                         const std::set<std::string>& declared, std::vector<std::string>& names) {
  enum context { subscript, constructor, parentheses };
  std::vector<context> open;
  std::vector<std::string> out;
  std::string last; // Before this token: "operand", "array", "[" or something else.
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto text = sql.substr(tokens[i].begin, tokens[i].end - tokens[i].begin);
    if (text == ":" && i + 1 < tokens.size() && tokens[i + 1].begin == tokens[i].end) {
      const auto name = sql.substr(tokens[i + 1].begin, tokens[i + 1].end - tokens[i + 1].begin);
      const bool sliced = !open.empty() && open.back() == subscript &&
                          (last == "operand" || last == "array" || (last == "[" && !declared.contains(name)));
      // N'…' is one string, though PostgreSQL's scanner gives its prefix as a token.
      const bool prefix = strcasecmp(name.c_str(), "n") == 0 && sql[tokens[i + 1].end] == '\'';
      if (is_word(name) && !prefix && !sliced) {
        auto at = std::find(names.begin(), names.end(), name);
        if (at == names.end())
          at = names.insert(names.end(), name);
        out.push_back("$" + std::to_string(at - names.begin() + 1));
        last = "operand";
        ++i;
        continue;
      }
    }
    out.push_back(text);
    if (text == "[")
      open.push_back(last == "operand" ? subscript : constructor);
    else if (text == "(" && !open.empty())
      open.push_back(parentheses);
    else if (!open.empty() &&
             ((text == "]" && open.back() != parentheses) || (text == ")" && open.back() == parentheses)))
      open.pop_back();
    const bool is_operator = tokens[i].kind < 128 || text.find_first_not_of("~!@#^&|`?+-*/%<>=:.") == text.npos;
    if (is_word(text))
      last = strcasecmp(text.c_str(), "array") == 0 ? "array" : "operand";
    else
      last = text == "[" ? "[" : text == "]" || text == ")" || !is_operator ? "operand" : "";
  }
  return out;
}

std::vector<std::string> texts(const std::string& sql, const std::vector<lexeme>& tokens) {
  std::vector<std::string> out;
  out.reserve(tokens.size());
  for (const auto& t : tokens)
    out.push_back(sql.substr(t.begin, t.end - t.begin));
  return out;
}

std::string random_text(std::mt19937_64& random, const std::vector<std::string>& pieces, std::size_t longest) {
  std::string text;
  for (auto n = 1 + random() % longest; n > 0; --n)
    text += pieces[random() % pieces.size()];
  return text;
}

TEST(ScannerAndPostgresql, FindTheSameParameters) {
  const std::vector<std::string> pieces{
      ":a",      ":b",   ":n",    ":größe", ":select", ":",    "::",       ":=",      " ",      "\n",  " ",       "\t",
      "'",       "''",   "'x'",   "':a'",   "E'",      "e'\\", "\\'",      "\\\\",    "E'\\''", "\"",  "\"q:a\"", "U&'",
      "U&\"x\"", "N'y'", "B'01'", "X'ff'",  "$$",      "$t$",  "$t$:a$t$", "$",       "$1",     "--",  "-- :a\n", "/*",
      "*/",      "/",    "*",     "-",      "+",       "||",   "->>",      "<@",      "[",      "]",   "[",       "]",
      "(",       ")",    "a",     "x",      "n",       "E",    "array",    "ARRAY[",  "1",      "2.5", "1e3",     ",",
      ".",       ";",    "ü",     "€",      "limit",   "[:n]", "[1:n]",    "\n'b\\'", "--\n",   "é'",
  };
  std::mt19937_64 random{20240229};
  std::size_t compared = 0, with_parameters = 0, with_slices = 0;
  for (int round = 0; round < 60'000; ++round) {
    const auto sql = random_text(random, pieces, 14);
    const auto tokens = postgresql_tokens(sql);
    if (!tokens)
      continue;
    ++compared;
    const bool declares = random() % 2;
    parameters values;
    if (declares)
      values.emplace_back("n", 1);
    std::vector<std::string> names;
    const auto expected =
        expected_tokens(sql, *tokens, declares ? std::set<std::string>{"n"} : std::set<std::string>{}, names);
    const auto parsed = parse_statement(sql, dialect::postgresql, values);
    ASSERT_EQ(parsed.names, names) << sql << "\n" << parsed.text;
    const auto rewritten = postgresql_tokens(parsed.text);
    ASSERT_TRUE(rewritten) << sql << "\n" << parsed.text;
    ASSERT_EQ(texts(parsed.text, *rewritten), expected) << sql << "\n" << parsed.text;
    const auto count = [](const auto& xs) {
      return std::count_if(xs.begin(), xs.end(), [](auto& x) { return x.kind == param; });
    };
    ASSERT_EQ(count(*rewritten) - count(*tokens), static_cast<std::ptrdiff_t>(parsed.replacements.size())) << sql;
    ASSERT_EQ(parsed.positional, count(*tokens) > 0) << sql;
    ASSERT_EQ(parsed.empty, std::all_of(tokens->begin(), tokens->end(), [](auto& x) { return x.kind == ';'; })) << sql;
    with_parameters += !names.empty();
    with_slices += parsed.text.find("[1:n]") != parsed.text.npos;
  }
  EXPECT_GT(compared, 10'000u);
  EXPECT_GT(with_parameters, 5'000u);
  EXPECT_GT(with_slices, 500u);
}

} // namespace
} // namespace sheaf
