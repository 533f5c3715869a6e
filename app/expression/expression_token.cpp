// SPDX-License-Identifier: BSD-3-Clause
//
// Cuts an expression into words. Any thread.

#include "app/expression/expression_token.hpp"

#include "app/base/duration.hpp"
#include "app/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <string>
#include <utility>

namespace sheaf::app {

namespace {

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Bytes of the name's character at the start of `text`; 0 when there is none.
std::size_t letter_size(std::string_view text) noexcept {
  if (text.empty())
    return 0;
  const auto c = first_character(text);
  if (c.code >= 0x80)
    return c.valid && !is_control(c.code) ? c.size : 0;
  const bool letter = (c.code >= U'a' && c.code <= U'z') || (c.code >= U'A' && c.code <= U'Z') || c.code == U'_';
  return letter || is_decimal(text.front()) ? 1 : 0;
}

std::size_t word_size(std::string_view text) noexcept {
  std::size_t size = 0;
  while (const auto next = letter_size(text.substr(size)))
    size += next;
  return size;
}

std::size_t digits_at(std::string_view text, std::size_t from) noexcept {
  std::size_t end = std::min(from, text.size());
  while (end < text.size() && is_decimal(text[end]))
    ++end;
  return end - from;
}

/// Reads tokens of one text at one place.
class scanner {
public:
  scanner(std::string_view text, std::size_t offset) : all_(text), offset_(offset), text_(text.substr(offset)) {}

  result<token> next() const {
    if (text_.empty())
      return make(token::kind::end, 0);
    if (is_decimal(text_.front()))
      return number();
    if (text_.front() == '\'' || text_.front() == '"')
      return quoted();
    if (letter_size(text_) > 0)
      return make(token::kind::name, path_size());
    return sign();
  }

private:
  token make(token::kind kind, std::size_t size) const {
    return {.type = kind, .offset = offset_, .text = text_.substr(0, size)};
  }

  token make(operand value, std::size_t size) const {
    auto out = make(token::kind::literal, size);
    out.value = std::move(value);
    return out;
  }

  failure refusal(std::string message, std::size_t at = 0) const {
    return {.code = errc::invalid_request, .message = std::move(message), .position = position_of(all_, offset_ + at)};
  }

  std::size_t path_size() const noexcept {
    auto size = word_size(text_);
    while (size + 1 < text_.size() && text_[size] == '.') {
      const auto more = word_size(text_.substr(size + 1));
      if (more == 0)
        break;
      size += 1 + more;
    }
    return size;
  }

  /// `12`, `1.5`, `1e6`, `0.1%`, `250ms`.
  result<token> number() const {
    auto size = digits_at(text_, 0);
    bool whole = true;
    if (size < text_.size() && text_[size] == '.') {
      const auto decimals = digits_at(text_, size + 1);
      if (decimals == 0)
        return refusal("a number has a digit behind its point, as in 1.5", size);
      size += 1 + decimals;
      whole = false;
    }
    if (size < text_.size() && (text_[size] == 'e' || text_[size] == 'E')) {
      const bool has_sign = size + 1 < text_.size() && (text_[size + 1] == '+' || text_[size + 1] == '-');
      const auto power_at = size + (has_sign ? 2 : 1);
      if (const auto power = digits_at(text_, power_at); power > 0) {
        size = power_at + power;
        whole = false;
      }
    }
    const auto unit = word_size(text_.substr(size));
    if (unit > 0)
      return duration(size, unit);
    if (size < text_.size() && text_[size] == '%')
      return percent(size);
    return whole ? integer(size) : decimal(size);
  }

  result<token> integer(std::size_t size) const {
    auto out = make(token::kind::integer, size);
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + size, out.magnitude);
    if (error != std::errc{})
      out.magnitude = std::numeric_limits<std::uint64_t>::max(); // too large too; the parser says so
    return out;
  }

  /// Nothing to be found: the digits are there. Too large is infinite, too small is zero.
  double read(std::size_t size) const {
    double out = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + size, out);
    return error == std::errc{} ? out : std::numeric_limits<double>::infinity();
  }

  result<token> decimal(std::size_t size) const {
    const auto number = read(size);
    if (!std::isfinite(number))
      return refusal("this number does not fit: between 1e-307 and 1e308, or 0");
    return make(operand{number}, size);
  }

  result<token> percent(std::size_t size) const {
    const auto number = read(size);
    if (!std::isfinite(number))
      return refusal("this number does not fit: between 1e-307 and 1e308, or 0");
    if (letter_size(text_.substr(size + 1)) > 0)
      return refusal("a percent sign ends a number; write an operator behind it", size + 1);
    // Through its text, where 0.1% is exactly what 0.001 is.
    const auto moved = fmt::format("{}e-2", text_.substr(0, size));
    double hundredth = 0;
    const auto [end, error] = std::from_chars(moved.data(), moved.data() + moved.size(), hundredth);
    const bool exact = error == std::errc{} && end == moved.data() + moved.size();
    return make(operand{exact ? hundredth : number / 100}, size + 1);
  }

  result<token> duration(std::size_t size, std::size_t unit) const {
    const auto one = parse_duration(fmt::format("1{}", text_.substr(size, unit)));
    if (!one)
      return refusal(one.error().message, size);
    const auto count = read(size) * static_cast<double>(one->count());
    if (!(count < 9.2e18))
      return refusal("a duration is at most 290 years");
    return make(operand{std::chrono::nanoseconds{std::llround(count)}}, size + unit);
  }

  result<token> quoted() const {
    const char quote = text_.front();
    std::string value;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] != quote) {
        value += text_[i];
        continue;
      }
      if (i + 1 == text_.size() || text_[i + 1] != quote)
        return make(operand{std::move(value)}, i + 1);
      value += quote;
      ++i;
    }
    return refusal(fmt::format("this text has no end; close it with {}", quote));
  }

  result<token> sign() const {
    constexpr std::array<std::string_view, 14> signs{"==", "!=", "<=", ">=", "=", "<", ">",
                                                     "+",  "-",  "*",  "/",  "(", ")", ","};
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> meant{{
        {"<>", "!="},
        {"&&", "and"},
        {"||", "or"},
        {"!", "not"},
        {"&", "and"},
        {"|", "or"},
        {"≠", "!="},
    }};
    for (const auto& [wrong, right] : meant)
      if (text_.starts_with(wrong) && !text_.starts_with("!="))
        return refusal(fmt::format("{} is not an operator; write {}", wrong, right));
    for (const auto candidate : signs) {
      if (!text_.starts_with(candidate))
        continue;
      auto out = make(token::kind::sign, candidate.size());
      if (candidate == "==")
        out.text.remove_prefix(1);
      return out;
    }
    std::string shown;
    append_visible(shown, first_character(text_), text_);
    return refusal(fmt::format("{} has no meaning here; quote text, as in 'text'", shown));
  }

  std::string_view all_;
  std::size_t offset_;
  std::string_view text_; // from `offset_` on
};

} // namespace

result<token> next_token(std::string_view text, std::size_t offset) {
  while (offset < text.size() && is_space(text[offset]))
    ++offset;
  return scanner{text, offset}.next();
}

} // namespace sheaf::app
