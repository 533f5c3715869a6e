// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/cell_text.hpp"

#include "sheaf/data/binary.hpp"
#include "sheaf/data/postgresql_float.hpp"
#include "sheaf/data/postgresql_time.hpp"
#include "sheaf/data/postgresql_types.hpp"

#include <sqlite3.h>

#include <charconv>
#include <iterator>
#include <limits>

namespace sheaf {

namespace {

void append_integer(std::string& out, std::int64_t x) {
  char digits[20];
  out.append(digits, std::to_chars(digits, std::end(digits), x).ptr);
}

/// SQLite's own printing (it does not round as std::to_chars does), in the format that its column_text uses.
void append_real(std::string& out, double x) {
  char text[40];
  out += sqlite3_snprintf(sizeof text, text, "%!.15g", x);
}

void append_uuid(std::string& out, const char* data) {
  constexpr char digits[] = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      out += '-';
    const auto byte = static_cast<unsigned char>(data[i]);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

/// The smallest and the largest number stand for the infinities.
template <integer T>
bool append_infinity(std::string& out, T x) {
  if (x == std::numeric_limits<T>::max())
    out += "infinity";
  else if (x == std::numeric_limits<T>::min())
    out += "-infinity";
  else
    return false;
  return true;
}

void append_binary_date(std::string& out, std::int32_t days) {
  if (!append_infinity(out, days))
    postgresql::append_date(out, days + postgresql::epoch_days);
}

void append_binary_timestamp(std::string& out, std::int64_t microseconds) {
  if (!append_infinity(out, microseconds))
    postgresql::append_timestamp(out, microseconds, postgresql::epoch_days);
}

bool append_binary(std::string& out, const cell& c) {
  using namespace postgresql;
  if (is_textual(c.oid)) {
    out.append(c.data, c.size);
    return true;
  }
  if (c.size == 0 || c.size != binary_size(c.oid))
    return false;
  switch (c.oid) {
  case oid_bool:
    out += *c.data != 0 ? 't' : 'f';
    return true;
  case oid_int2:
    append_integer(out, load_big_endian<std::int16_t>(c.data));
    return true;
  case oid_int4:
    append_integer(out, load_big_endian<std::int32_t>(c.data));
    return true;
  case oid_int8:
    append_integer(out, load_big_endian<std::int64_t>(c.data));
    return true;
  case oid_oid:
    append_integer(out, load_big_endian<std::uint32_t>(c.data));
    return true;
  case oid_float4:
    append_float4(out, std::bit_cast<float>(load_big_endian<std::uint32_t>(c.data)));
    return true;
  case oid_float8:
    append_float8(out, std::bit_cast<double>(load_big_endian<std::uint64_t>(c.data)));
    return true;
  case oid_date:
    append_binary_date(out, load_big_endian<std::int32_t>(c.data));
    return true;
  case oid_timestamp:
    append_binary_timestamp(out, load_big_endian<std::int64_t>(c.data));
    return true;
  case oid_uuid:
    append_uuid(out, c.data);
    return true;
  default:
    return false;
  }
}

} // namespace

bool append_text(std::string& out, const cell& x) {
  switch (x.encoding) {
  case encoding::null:
    return true;
  case encoding::text:
  case encoding::blob:
    out.append(x.data, x.size);
    return true;
  case encoding::binary:
    return append_binary(out, x);
  case encoding::integer:
    append_integer(out, load_native<std::int64_t>(x.data));
    return true;
  case encoding::real:
    append_real(out, load_native<double>(x.data));
    return true;
  }
  return false;
}

} // namespace sheaf
