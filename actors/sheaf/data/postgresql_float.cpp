// SPDX-License-Identifier: BSD-3-Clause
//
// Shortest digits come from std::to_chars; PostgreSQL's own rule differs from it in one point, handled here.

#include "sheaf/data/postgresql_float.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

namespace sheaf::postgresql {

namespace {

/// digits × 10^(exponent - count + 1), that is d.ddd × 10^exponent.
struct decimal {
  char digits[20]; ///< No zeros at the end.
  int count;
  int exponent;
};

/// Takes apart what std::to_chars writes in scientific format.
decimal parse_scientific(const char* first, const char* last) {
  decimal result{};
  for (; first != last && *first != 'e'; ++first)
    if (*first != '.')
      result.digits[result.count++] = *first;
  while (result.count > 1 && result.digits[result.count - 1] == '0')
    --result.count;
  ++first; // the `e`; from_chars takes no plus sign
  std::from_chars(*first == '+' ? first + 1 : first, last, result.exponent);
  return result;
}

/// True when `x` × 10^`x_exponent` equals `y` × 2^`y_exponent`, for odd `y`.
bool equal(std::uint64_t x, int x_exponent, std::uint64_t y, int y_exponent) {
  auto twos = std::countr_zero(x);
  x >>= twos;
  if (twos + x_exponent != y_exponent)
    return false;
  for (; x_exponent > 0; --x_exponent, y /= 5)
    if (y % 5 != 0)
      return false;
  for (; x_exponent < 0; ++x_exponent, x /= 5)
    if (x % 5 != 0)
      return false;
  return x == y;
}

/// True when `text` lies exactly half way between the finite `x` > 0 and one of its neighbours. Such digits read back
/// as `x` only where ties round to even; std::to_chars uses them, PostgreSQL does not (`1e23` prints as
/// 9.999999999999999e+22). The nearer neighbour below a power of two needs no look: the odd number 2^54 - 1, or 2^25 -
/// 1, that then is half way has no factor 5, so no number of fewer digits than `x` has stands there.
template <class Float>
bool is_half_way(const decimal& text, Float x) {
  using limits = std::numeric_limits<Float>;
  // x = mantissa × 2^exponent, one step of the mantissa being the distance to the next number.
  int exponent = 0;
  std::frexp(x, &exponent);
  exponent = std::max(exponent, limits::min_exponent) - limits::digits;
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(x, -exponent));
  std::uint64_t number = 0;
  std::from_chars(text.digits, text.digits + text.count, number);
  const int number_exponent = text.exponent - text.count + 1;
  return equal(number, number_exponent, 2 * mantissa + 1, exponent - 1) ||
         equal(number, number_exponent, 2 * mantissa - 1, exponent - 1);
}

/// The fewest digits strictly closer to the finite `x` > 0 than to any other `Float`.
template <class Float>
decimal shortest(Float x) {
  char buffer[64];
  auto end = std::to_chars(buffer, std::end(buffer), x, std::chars_format::scientific).ptr;
  auto result = parse_scientific(buffer, end);
  if (!is_half_way(result, x))
    return result;
  for (int precision = result.count - 1; precision < std::numeric_limits<Float>::max_digits10; ++precision) {
    end = std::to_chars(buffer, std::end(buffer), x, std::chars_format::scientific, precision).ptr;
    result = parse_scientific(buffer, end);
    Float back = 0;
    std::from_chars(buffer, end, back);
    if (back == x && !is_half_way(result, x))
      break;
  }
  return result;
}

void append_exponent(std::string& out, int exponent) {
  out += exponent < 0 ? "e-" : "e+";
  const int size = std::abs(exponent);
  if (size < 10)
    out += '0';
  out += std::to_string(size);
}

void append_decimal(std::string& out, const decimal& x, int exponent_max) {
  const std::string_view digits{x.digits, static_cast<std::size_t>(x.count)};
  if (x.exponent < -4 || x.exponent >= exponent_max) {
    out += digits[0];
    if (digits.size() > 1)
      out.append(1, '.').append(digits.substr(1));
    append_exponent(out, x.exponent);
  } else if (x.exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-x.exponent - 1), '0').append(digits);
  } else {
    const auto whole = static_cast<std::size_t>(x.exponent) + 1;
    out.append(digits.substr(0, whole));
    if (digits.size() < whole)
      out.append(whole - digits.size(), '0');
    else if (digits.size() > whole)
      out.append(1, '.').append(digits.substr(whole));
  }
}

template <class Float>
void append_float(std::string& out, Float x, int exponent_max) {
  if (std::isnan(x)) {
    out += "NaN";
    return;
  }
  if (std::signbit(x))
    out += '-';
  if (std::isinf(x))
    out += "Infinity";
  else if (x == 0)
    out += '0';
  else
    append_decimal(out, shortest(std::abs(x)), exponent_max);
}

} // namespace

void append_float8(std::string& out, double x) { append_float(out, x, 15); }

void append_float4(std::string& out, float x) { append_float(out, x, 6); }

} // namespace sheaf::postgresql
