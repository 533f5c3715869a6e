// SPDX-License-Identifier: BSD-3-Clause
//
// PostgreSQL's built-in types by OID. Constant data, read from any thread.

#pragma once

#include <cstdint>
#include <string>

namespace sheaf::postgresql {

inline constexpr std::uint32_t oid_bool = 16;
inline constexpr std::uint32_t oid_bytea = 17;
inline constexpr std::uint32_t oid_name = 19;
inline constexpr std::uint32_t oid_int8 = 20;
inline constexpr std::uint32_t oid_int2 = 21;
inline constexpr std::uint32_t oid_int4 = 23;
inline constexpr std::uint32_t oid_text = 25;
inline constexpr std::uint32_t oid_oid = 26;
inline constexpr std::uint32_t oid_json = 114;
inline constexpr std::uint32_t oid_float4 = 700;
inline constexpr std::uint32_t oid_float8 = 701;
inline constexpr std::uint32_t oid_box_array = 1020;
inline constexpr std::uint32_t oid_bpchar = 1042;
inline constexpr std::uint32_t oid_varchar = 1043;
inline constexpr std::uint32_t oid_date = 1082;
inline constexpr std::uint32_t oid_timestamp = 1114;
inline constexpr std::uint32_t oid_timestamptz = 1184;
inline constexpr std::uint32_t oid_numeric = 1700;
inline constexpr std::uint32_t oid_uuid = 2950;

/// `int4`, `text`, `timestamptz`, `int4[]`: the name in `pg_type`, arrays by their element's; `oid 16412` for a type
/// that is not built in.
std::string type_name(std::uint32_t oid);

/// True for a type that is built in (of PostgreSQL 15).
bool is_built_in(std::uint32_t oid) noexcept;

/// The element type of a built-in array type; 0 for any other type.
std::uint32_t element_of(std::uint32_t array_oid) noexcept;

/// True for the types whose binary format is their text.
constexpr bool is_textual(std::uint32_t oid) noexcept {
  return oid == oid_text || oid == oid_varchar || oid == oid_bpchar || oid == oid_name || oid == oid_json;
}

/// True for the types whose binary format gives the same text as the server's, whatever the session's settings (text
/// formats that depend on DateStyle count only under `ISO`, which the session checks; floats as with the default
/// `extra_float_digits`). Not `"char"`: servers differ in how they print its bytes above 127.
bool binary_is_exact(std::uint32_t oid) noexcept;

/// Bytes of a value in binary format: 0 when they vary, or when the type is not one of `binary_is_exact`.
std::size_t binary_size(std::uint32_t oid) noexcept;

} // namespace sheaf::postgresql
