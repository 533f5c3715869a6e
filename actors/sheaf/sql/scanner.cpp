// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/scanner.hpp"

#include "sheaf/sql/effects_reader.hpp"
#include "sheaf/sql/lexer.hpp"
#include "sheaf/sql/statement_writer.hpp"

#include <string_view>
#include <vector>

namespace sheaf {
namespace {

class scanner {
public:
  scanner(std::string_view sql, dialect d, const parameters& declared)
    : sql_(sql), postgresql_(d == dialect::postgresql), declared_(declared), tokens_(sql, d), effects_(d),
      out_(sql.size()) {}

  parsed_statement run() {
    using enum token_kind;
    for (auto t = tokens_.next(); t.kind != end; t = tokens_.next()) {
      if (t.kind == named_parameter && !take_parameter(t))
        t = {sign, t.text.substr(0, 1)};
      effects_.take(t);
      follow(t);
      positional_ = positional_ || t.kind == parameter;
      blank_ = blank_ && t.is_sign(';');
    }
    out_.append(sql_.substr(copied_));
    auto result = std::move(out_).finish();
    result.empty = blank_;
    result.positional = positional_;
    result.effects = effects_.finish();
    return result;
  }

  bool asked_declared() const noexcept { return asked_declared_; }

private:
  /// The last token, as far as brackets care.
  enum class before : std::uint8_t { other, operand, array_keyword, open_bracket };

  /// An open bracket, or a parenthesis within one. Slices have their colons only in a subscript.
  enum level : char { subscript, constructor, parenthesis };

  void follow(const sql_token& t) {
    if (t.kind != token_kind::sign) {
      before_ = t.is_word("array") ? before::array_keyword : before::operand;
    } else if (t.is_sign('[')) {
      levels_.push_back(before_ == before::operand ? subscript : constructor);
      before_ = before::open_bracket;
    } else if (t.is_sign(']') || t.is_sign(')')) {
      if (!levels_.empty() && (levels_.back() == parenthesis) == t.is_sign(')'))
        levels_.pop_back();
      before_ = before::operand;
    } else {
      if (t.is_sign('(') && !levels_.empty())
        levels_.push_back(parenthesis);
      before_ = before::other;
    }
  }

  /// False when the colon is a sign by itself, and what follows it is read next.
  bool take_parameter(const sql_token& t) {
    const auto name = t.text.substr(1);
    if (postgresql_ && (is_string_prefix(name) || is_slice(name))) {
      tokens_.take_colon_only(t);
      return false;
    }
    if (!postgresql_) {
      out_.number(name);
      return true;
    }
    const auto end = tokens_.position(), begin = end - t.text.size();
    const bool joins_a_word = begin > 0 && lexer::is_in_word(sql_[begin - 1]);
    out_.append(sql_.substr(copied_, begin - copied_));
    out_.append_parameter(name, joins_a_word ? " $" : "$"); // `limit:n` must not become the name `limit$1`
    copied_ = end;
    return true;
  }

  /// True when `name`, which was read last, is the beginning of E'…' and the like.
  bool is_string_prefix(std::string_view name) const noexcept {
    const auto rest = sql_.substr(tokens_.position());
    if (rest.starts_with('\''))
      return name.size() == 1 && std::string_view{"eEbBxXnN"}.find(name[0]) != std::string_view::npos;
    return (name == "u" || name == "U") && (rest.starts_with("&'") || rest.starts_with("&\""));
  }

  bool is_slice(std::string_view name) {
    if (levels_.empty() || levels_.back() != subscript)
      return false;
    if (before_ != before::open_bracket)
      return before_ != before::other;
    asked_declared_ = true;
    return find(declared_, name) == nullptr;
  }

  const std::string_view sql_;
  const bool postgresql_;
  const parameters& declared_;

  lexer tokens_;
  effects_reader effects_;
  before before_ = before::other;
  std::vector<level> levels_; ///< Empty outside brackets.
  std::size_t copied_ = 0;    ///< The end of what `out_` has of `sql_`.
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
