// SPDX-License-Identifier: BSD-3-Clause
//
// A cell as a C++ value, exactly or not at all. Pure functions, any thread. The formats that a PostgreSQL session asks
// for are read inline; everything else is out of line.

#pragma once

#include "sheaf/cell.hpp"
#include "sheaf/data/binary.hpp"
#include "sheaf/data/decoding.hpp"
#include "sheaf/data/postgresql_time.hpp"
#include "sheaf/data/postgresql_types.hpp"
#include "sheaf/value.hpp"

#include <bit>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sheaf {

/// The types that the decode functions below read out of line.
decoding decode_rest(const cell& c, bool& x);
decoding decode_rest(const cell& c, std::int64_t& x);
decoding decode_rest(const cell& c, std::uint64_t& x);
decoding decode_rest(const cell& c, float& x);
decoding decode_rest(const cell& c, double& x);
decoding decode_rest(const cell& c, std::string& x);
decoding decode_rest(const cell& c, std::string_view& x);
decoding decode_rest(const cell& c, date& x);
decoding decode_rest(const cell& c, timestamp& x);

/// True for a value of type `oid` in binary format. Only sizes that `sizeof(T)` matches are read.
template <class T>
bool is_binary(const cell& c, std::uint32_t oid) noexcept {
  return c.encoding == encoding::binary && c.oid == oid && c.size == sizeof(T);
}

template <integer To>
decoding assign_integer(To& to, std::integral auto from) noexcept {
  to = static_cast<To>(from);
  return std::in_range<To>(from) ? decoding::ok : decoding::out_of_range;
}

inline decoding decode(const cell& c, bool& x) {
  if (!is_binary<char>(c, postgresql::oid_bool))
    return decode_rest(c, x);
  x = *c.data != 0;
  return decoding::ok;
}

/// Reads from int2, int4, int8, oid, and from numeric without a fraction; SQLite: from integer.
template <integer T>
decoding decode(const cell& c, T& x) {
  if (is_binary<std::int32_t>(c, postgresql::oid_int4))
    return assign_integer(x, load_big_endian<std::int32_t>(c.data));
  if (is_binary<std::int64_t>(c, postgresql::oid_int8))
    return assign_integer(x, load_big_endian<std::int64_t>(c.data));
  std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide = 0;
  const auto status = decode_rest(c, wide);
  return status == decoding::ok ? assign_integer(x, wide) : status;
}

/// Reads from float4 and float8 where the value is the same (float8 to float only then), from integers that are exact,
/// and from a numeric that is exact or whose digits the number prints again (0.1, but not 0.10000000000000000001).
inline decoding decode(const cell& c, double& x) {
  if (!is_binary<double>(c, postgresql::oid_float8))
    return decode_rest(c, x);
  x = std::bit_cast<double>(load_big_endian<std::uint64_t>(c.data));
  return decoding::ok;
}

inline decoding decode(const cell& c, float& x) {
  if (!is_binary<float>(c, postgresql::oid_float4))
    return decode_rest(c, x);
  x = std::bit_cast<float>(load_big_endian<std::uint32_t>(c.data));
  return decoding::ok;
}

/// Reads from textual types, and from those that never come in binary. The view is into the cell.
inline decoding decode(const cell& c, std::string_view& x) {
  if (!postgresql::is_textual(c.oid) || (c.encoding != encoding::binary && c.encoding != encoding::text))
    return decode_rest(c, x);
  x = {c.data, c.size};
  return decoding::ok;
}

/// Reads from any type: the text that `append_text` gives.
inline decoding decode(const cell& c, std::string& x) {
  if (!postgresql::is_textual(c.oid) || (c.encoding != encoding::binary && c.encoding != encoding::text))
    return decode_rest(c, x);
  x.assign(c.data, c.size);
  return decoding::ok;
}

/// Reads from bytea; SQLite: from blob and text.
decoding decode(const cell& c, bytes& x);

/// Reads from date; SQLite: from text `YYYY-MM-DD`.
inline decoding decode(const cell& c, date& x) { return decode_rest(c, x); }

/// Reads from timestamp, and from timestamptz (in UTC); SQLite: from text `YYYY-MM-DD HH:MM:SS.SSS`.
inline decoding decode(const cell& c, timestamp& x) {
  constexpr auto epoch = std::chrono::microseconds{std::chrono::days{postgresql::epoch_days}}.count();
  if (!is_binary<std::int64_t>(c, postgresql::oid_timestamp))
    return decode_rest(c, x);
  std::int64_t count = load_big_endian<std::int64_t>(c.data);
  // PostgreSQL's last 53 years are beyond std::chrono's, as is `infinity`; `-infinity` is the smallest number.
  if (count == std::numeric_limits<std::int64_t>::min() || __builtin_add_overflow(count, epoch, &count))
    return decoding::out_of_range;
  x = timestamp{std::chrono::microseconds{count}};
  return decoding::ok;
}

} // namespace sheaf
