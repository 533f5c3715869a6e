// SPDX-License-Identifier: BSD-3-Clause
//
// Arithmetic that checks before it computes: whatever is given, the answer is a value or a failure. Any thread.

#include "app/expression/operand.hpp"

#include "app/base/parse_number.hpp"
#include "app/base/text.hpp"
#include "app/base/word_table.hpp"

#include "sheaf/error.hpp"

#include <array>
#include <cmath>
#include <compare>
#include <fmt/format.h>
#include <optional>
#include <utility>

namespace sheaf::app {

namespace {

using std::chrono::nanoseconds;

constexpr double two_to_63 = 9223372036854775808.0;

failure mixed(operation how, const operand& a, const operand& b) {
  return invalid_request(fmt::format("{} cannot be applied to {} and {}", to_string(how), kind_of(a), kind_of(b)));
}

failure too_large() { return invalid_request("the result is beyond the largest number that can be held"); }
failure division_by_zero() { return invalid_request("division by zero"); }

template <class T>
const T* as(const operand& x) noexcept {
  return std::get_if<T>(&x);
}

std::optional<double> number_of(const operand& x) noexcept {
  if (const auto* whole = as<std::int64_t>(x))
    return static_cast<double>(*whole);
  if (const auto* number = as<double>(x))
    return *number;
  return std::nullopt;
}

result<operand> checked(double x) {
  if (!std::isfinite(x))
    return too_large();
  return operand{x};
}

result<operand> to_duration(double count) {
  if (!(std::abs(count) < two_to_63))
    return invalid_request("the result is beyond the longest duration that can be held");
  return operand{nanoseconds{std::llround(count)}};
}

/// Nothing when the result does not fit. Not for divisions.
std::optional<std::int64_t> whole(operation how, std::int64_t a, std::int64_t b) noexcept {
  std::int64_t out = 0;
  const bool wrong = how == operation::add        ? __builtin_add_overflow(a, b, &out)
                     : how == operation::subtract ? __builtin_sub_overflow(a, b, &out)
                                                  : __builtin_mul_overflow(a, b, &out);
  return wrong ? std::nullopt : std::optional{out};
}

result<operand> divide(std::int64_t a, std::int64_t b) {
  if (b == 0)
    return division_by_zero();
  if (b == -1) { // the remainder of the least number by -1 is undefined
    const auto out = whole(operation::subtract, 0, a);
    return out ? result<operand>{*out} : too_large();
  }
  if (a % b == 0)
    return operand{a / b};
  return operand{static_cast<double>(a) / static_cast<double>(b)};
}

result<operand> of_numbers(operation how, const operand& a, const operand& b) {
  const auto *i = as<std::int64_t>(a), *j = as<std::int64_t>(b);
  if (i && j) {
    if (how == operation::divide)
      return divide(*i, *j);
    const auto out = whole(how, *i, *j);
    return out ? result<operand>{*out} : too_large();
  }
  const double x = *number_of(a), y = *number_of(b);
  if (how == operation::divide)
    return y == 0 ? result<operand>{division_by_zero()} : checked(x / y);
  return checked(how == operation::add ? x + y : how == operation::subtract ? x - y : x * y);
}

result<operand> times(nanoseconds a, const operand& number) {
  if (const auto* n = as<std::int64_t>(number)) {
    const auto out = whole(operation::multiply, a.count(), *n);
    return out ? result<operand>{nanoseconds{*out}} : too_large();
  }
  return to_duration(static_cast<double>(a.count()) * *number_of(number));
}

result<operand> of_durations(operation how, nanoseconds a, nanoseconds b) {
  if (how == operation::divide) {
    if (b == b.zero())
      return division_by_zero();
    return operand{static_cast<double>(a.count()) / static_cast<double>(b.count())};
  }
  const auto out = whole(how, a.count(), b.count());
  return out ? result<operand>{nanoseconds{*out}} : too_large();
}

result<operand> arithmetic(operation how, const operand& a, const operand& b) {
  const auto *left = as<nanoseconds>(a), *right = as<nanoseconds>(b);
  const auto x = number_of(a), y = number_of(b);
  if (x && y)
    return of_numbers(how, a, b);
  if (left && right && how != operation::multiply)
    return of_durations(how, *left, *right);
  if (left && y && how == operation::multiply)
    return times(*left, b);
  if (x && right && how == operation::multiply)
    return times(*right, a);
  if (left && y && how == operation::divide)
    return *y == 0 ? division_by_zero() : to_duration(static_cast<double>(left->count()) / *y);
  return mixed(how, a, b);
}

/// Exact: a conversion to double would take 2^53 + 1 for 2^53.
std::partial_ordering order(std::int64_t a, double b) noexcept {
  if (std::isnan(b))
    return std::partial_ordering::unordered;
  if (b >= two_to_63)
    return std::partial_ordering::less;
  if (b < -two_to_63)
    return std::partial_ordering::greater;
  const auto cut = static_cast<std::int64_t>(b);
  if (a != cut)
    return a <=> cut;
  return 0.0 <=> b - std::trunc(b);
}

std::partial_ordering reversed(std::partial_ordering x) noexcept {
  if (std::is_lt(x))
    return std::partial_ordering::greater;
  return std::is_gt(x) ? std::partial_ordering::less : x;
}

std::partial_ordering order_of_numbers(const operand& a, const operand& b) noexcept {
  const auto *i = as<std::int64_t>(a), *j = as<std::int64_t>(b);
  if (i && j)
    return *i <=> *j;
  if (i)
    return order(*i, std::get<double>(b));
  if (j)
    return reversed(order(*j, std::get<double>(a)));
  return std::get<double>(a) <=> std::get<double>(b);
}

/// The number that a text is as a whole, as databases write numbers.
std::optional<operand> read_number(const std::string& text) {
  if (const auto x = parse_number<std::int64_t>(text))
    return *x;
  if (const auto x = parse_number<double>(text); x && std::isfinite(*x))
    return *x;
  return std::nullopt;
}

/// `x` as a number, read from text when the other side is a number.
result<operand> to_number(const operand& x) {
  const auto* text = as<std::string>(x);
  if (!text)
    return x;
  if (auto number = read_number(*text))
    return *std::move(number);
  return invalid_request(fmt::format("{} is compared with a number and does not read as one", show(x)));
}

result<std::partial_ordering> order_of(operation how, const operand& a, const operand& b) {
  const auto *s = as<std::string>(a), *t = as<std::string>(b);
  if (s && t)
    return *s <=> *t;
  const bool left = number_of(a).has_value(), right = number_of(b).has_value();
  if ((left && right) || (left && t) || (s && right)) {
    const auto x = to_number(a), y = to_number(b);
    if (!x || !y)
      return !x ? x.error() : y.error();
    return order_of_numbers(*x, *y);
  }
  const auto *d = as<nanoseconds>(a), *e = as<nanoseconds>(b);
  if (d && e)
    return d->count() <=> e->count();
  const auto *p = as<bool>(a), *q = as<bool>(b);
  if (p && q && (how == operation::equal || how == operation::not_equal))
    return *p <=> *q;
  return mixed(how, a, b);
}

result<operand> compare(operation how, const operand& a, const operand& b) {
  const bool left = as<std::monostate>(a), right = as<std::monostate>(b);
  if ((left || right) && how == operation::equal)
    return operand{left && right};
  if ((left || right) && how == operation::not_equal)
    return operand{!(left && right)};
  const auto ordered = order_of(how, a, b);
  if (!ordered)
    return ordered.error();
  switch (how) {
  case operation::equal:
    return operand{std::is_eq(*ordered)};
  case operation::not_equal:
    return operand{std::is_neq(*ordered)};
  case operation::less:
    return operand{std::is_lt(*ordered)};
  case operation::less_equal:
    return operand{std::is_lteq(*ordered)};
  case operation::greater:
    return operand{std::is_gt(*ordered)};
  default:
    return operand{std::is_gteq(*ordered)};
  }
}

std::string show_duration(nanoseconds x) {
  const auto count = static_cast<double>(x.count());
  if (std::abs(count) < 1e3 && x != x.zero())
    return fmt::format("{} ns", x.count());
  if (std::abs(count) < 1e6)
    return fmt::format("{:.6g} us", count / 1e3);
  if (std::abs(count) < 1e9)
    return fmt::format("{:.6g} ms", count / 1e6);
  if (std::abs(count) < 1e15)
    return fmt::format("{:.6g} s", count / 1e9);
  return fmt::format("{:.0f} s", count / 1e9);
}

constexpr meaning<operation> signs[]{{"+", operation::add},      {"-", operation::subtract},
                                     {"*", operation::multiply}, {"/", operation::divide},
                                     {"==", operation::equal},   {"!=", operation::not_equal},
                                     {"<", operation::less},     {"<=", operation::less_equal},
                                     {">", operation::greater},  {">=", operation::greater_equal}};

std::string show_text(const std::string& x) {
  std::string out = "'";
  for (const char c : shortened(one_line(x), 60, true))
    out.append(c == '\'' ? 2 : 1, c);
  return out += '\'';
}

} // namespace

std::string_view to_string(operation how) noexcept { return word_for(how, signs); }

std::string_view kind_of(const operand& x) noexcept {
  constexpr std::array<std::string_view, 6> names{"null", "true or false", "number", "number", "duration", "text"};
  return names[x.index()];
}

result<operand> apply(operation how, const operand& a, const operand& b) {
  return is_comparison(how) ? compare(how, a, b) : arithmetic(how, a, b);
}

result<operand> negated(const operand& x) {
  if (const auto* number = as<double>(x))
    return operand{-*number};
  if (as<std::int64_t>(x))
    return of_numbers(operation::subtract, operand{std::int64_t{0}}, x);
  if (const auto* time = as<nanoseconds>(x))
    return of_durations(operation::subtract, nanoseconds::zero(), *time);
  return invalid_request(fmt::format("- cannot be applied to {}", kind_of(x)));
}

std::string show(const operand& x) {
  if (const auto* truth = as<bool>(x))
    return *truth ? "true" : "false";
  if (const auto* whole = as<std::int64_t>(x))
    return fmt::format("{}", *whole);
  if (const auto* number = as<double>(x))
    return fmt::format("{}", *number);
  if (const auto* time = as<nanoseconds>(x))
    return show_duration(*time);
  if (const auto* text = as<std::string>(x))
    return show_text(*text);
  return "null";
}

} // namespace sheaf::app
