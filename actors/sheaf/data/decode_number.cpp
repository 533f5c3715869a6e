// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers in text formats, SQLite's own and PostgreSQL's rarer binary formats.

#include "sheaf/data/decode.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sheaf {

namespace {

using namespace postgresql; // NOLINT(google-build-using-namespace): the OIDs

/// All of `text` as a number.
template <class T>
decoding parse(std::string_view text, T& x) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (error == std::errc::result_out_of_range)
    return decoding::out_of_range;
  return error == std::errc{} && end == text.data() + text.size() ? decoding::ok : decoding::malformed;
}

bool is_integer_type(std::uint32_t oid) noexcept {
  return oid == oid_int2 || oid == oid_int4 || oid == oid_int8 || oid == oid_oid;
}

/// -12, 12.00; 12.5 is inexact, NaN and infinities are out of range.
template <integer T>
decoding parse_integer(std::string_view text, T& x) noexcept {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity")
    return decoding::out_of_range;
  const auto point = std::min(text.find('.'), text.size());
  const auto fraction = text.substr(point);
  if (fraction.find_first_not_of('0', 1) != std::string_view::npos)
    return fraction.find_first_not_of("0123456789", 1) == std::string_view::npos ? decoding::inexact
                                                                                 : decoding::malformed;
  text = text.substr(0, point);
  // std::from_chars reads no minus for unsigned types: -0 aside, such a value is out of range.
  if (std::is_unsigned_v<T> && text.starts_with('-')) {
    std::int64_t negative = 0;
    const auto status = parse(text, negative);
    return status == decoding::ok && negative != 0 ? decoding::out_of_range : status;
  }
  return parse(text, x);
}

template <integer T>
decoding decode_integer(const cell& c, T& x) noexcept {
  switch (c.encoding) {
  case encoding::null:
    return decoding::null;
  case encoding::integer:
    return assign_integer(x, load_native<std::int64_t>(c.data));
  case encoding::text:
    return is_integer_type(c.oid) || c.oid == oid_numeric ? parse_integer(c.bytes(), x) : decoding::wrong_type;
  case encoding::binary:
    if (is_binary<std::int16_t>(c, oid_int2))
      return assign_integer(x, load_big_endian<std::int16_t>(c.data));
    if (is_binary<std::uint32_t>(c, oid_oid))
      return assign_integer(x, load_big_endian<std::uint32_t>(c.data));
    if (is_binary<std::int32_t>(c, oid_int4))
      return assign_integer(x, load_big_endian<std::int32_t>(c.data));
    if (is_binary<std::int64_t>(c, oid_int8))
      return assign_integer(x, load_big_endian<std::int64_t>(c.data));
    return is_integer_type(c.oid) ? decoding::malformed : decoding::wrong_type;
  default:
    return decoding::wrong_type;
  }
}

/// A decimal number without its sign: 0.digits × 10^exponent, no zeros at either end of `digits`.
struct decimal {
  std::string digits;
  int exponent = 0;

  /// Reads 12.50 and 1.25e+01.
  explicit decimal(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of('-'), text.size()));
    if (const auto e = text.find('e'); e != std::string_view::npos) {
      auto power = text.substr(e + 1);
      power.remove_prefix(power.starts_with('+') ? 1 : 0);
      std::from_chars(power.data(), power.data() + power.size(), exponent);
      text = text.substr(0, e);
    }
    const auto point = std::min(text.find('.'), text.size());
    exponent += static_cast<int>(point);
    digits.append(text.substr(0, point)).append(text.substr(std::min(point + 1, text.size())));
    const auto zeros = std::min(digits.find_first_not_of('0'), digits.size());
    exponent -= static_cast<int>(zeros);
    digits.erase(0, zeros).erase(digits.find_last_not_of('0') + 1);
  }

  bool operator==(const decimal&) const = default;
};

/// The number whose shortest digits, or whose exact ones, are those of the numeric `text`.
template <class Float>
decoding parse_numeric(std::string_view text, Float& x) {
  const auto status = parse(text, x);
  if (status == decoding::malformed || (status == decoding::ok && !std::isfinite(x)))
    return status;
  const decimal wanted{text};
  if (status == decoding::out_of_range) // too large, or so small that nothing is left of it
    return wanted.exponent > 0 ? decoding::out_of_range : decoding::inexact;
  if (wanted.digits.empty())
    return decoding::ok;
  constexpr int digits_max = 768; // of any double's exact value
  std::array<char, digits_max + 16> buffer;
  const auto prints_as_wanted = [&](auto... precision) {
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), x, std::chars_format::scientific, precision...).ptr;
    return decimal{{buffer.data(), end}} == wanted;
  };
  return prints_as_wanted() || prints_as_wanted(digits_max) ? decoding::ok : decoding::inexact;
}

template <class To>
decoding convert_float(double from, To& to) noexcept {
  to = static_cast<To>(from);
  if (std::isnan(from) || static_cast<double>(to) == from)
    return decoding::ok;
  return std::isinf(to) ? decoding::out_of_range : decoding::inexact;
}

template <class To>
decoding convert_float(std::int64_t from, To& to) noexcept {
  to = static_cast<To>(from);
  // 2^63 itself would not fit into the comparison.
  return to < 0x1p63F && static_cast<std::int64_t>(to) == from ? decoding::ok : decoding::inexact;
}

/// A float4 or float8 in either format; every float4 is a double.
decoding decode_float_type(const cell& c, double& x) {
  if (c.oid == oid_float8) {
    if (c.encoding == encoding::text)
      return parse(c.bytes(), x);
    return is_binary<double>(c, oid_float8) ? decode(c, x) : decoding::malformed;
  }
  float narrow = 0;
  auto status = decoding::malformed;
  if (c.encoding == encoding::text)
    status = parse(c.bytes(), narrow);
  else if (is_binary<float>(c, oid_float4))
    status = decode(c, narrow);
  x = narrow;
  return status;
}

template <class Float>
decoding decode_float(const cell& c, Float& x) {
  if (c.encoding == encoding::null)
    return decoding::null;
  if (c.encoding == encoding::real)
    return convert_float(load_native<double>(c.data), x);
  if (c.encoding == encoding::text && c.oid == oid_numeric)
    return parse_numeric(c.bytes(), x);
  if (c.oid == oid_float4 || c.oid == oid_float8) {
    double wide = 0;
    const auto status = decode_float_type(c, wide);
    return status == decoding::ok ? convert_float(wide, x) : status;
  }
  std::int64_t whole = 0;
  const auto status = decode_integer(c, whole);
  return status == decoding::ok ? convert_float(whole, x) : status;
}

} // namespace

decoding decode_rest(const cell& c, std::int64_t& x) { return decode_integer(c, x); }
decoding decode_rest(const cell& c, std::uint64_t& x) { return decode_integer(c, x); }
decoding decode_rest(const cell& c, float& x) { return decode_float(c, x); }
decoding decode_rest(const cell& c, double& x) { return decode_float(c, x); }

} // namespace sheaf
