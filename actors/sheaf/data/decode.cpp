// SPDX-License-Identifier: BSD-3-Clause
//
// Values that are not numbers, in text formats, SQLite's own and PostgreSQL's rarer binary formats.

#include "sheaf/data/decode.hpp"

#include "sheaf/data/cell_text.hpp"
#include "sheaf/data/postgresql_time.hpp"

#include <charconv>
#include <span>

namespace sheaf {

namespace {

using namespace postgresql; // NOLINT(google-build-using-namespace): the OIDs

/// All of `digits` as one byte.
bool parse_byte(std::string_view digits, int base, bytes& x) {
  std::uint8_t byte = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, base);
  x.push_back(std::byte{byte});
  return error == std::errc{} && end == digits.data() + digits.size();
}

/// bytea_output = hex: two digits a byte.
decoding parse_hex(std::string_view text, bytes& x) {
  if (text.size() % 2 != 0)
    return decoding::malformed;
  x.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2)
    if (!parse_byte(text.substr(i, 2), 16, x))
      return decoding::malformed;
  return decoding::ok;
}

/// bytea_output = escape: a backslash is doubled, bytes that do not print are `\ooo`.
decoding parse_escaped(std::string_view text, bytes& x) {
  while (!text.empty()) {
    std::size_t size = 1;
    if (text.starts_with("\\\\")) {
      size = 2;
      x.push_back(std::byte{'\\'});
    } else if (text.starts_with('\\')) {
      size = 4;
      if (text.size() < size || !parse_byte(text.substr(1, 3), 8, x))
        return decoding::malformed;
    } else {
      x.push_back(static_cast<std::byte>(text[0]));
    }
    text.remove_prefix(size);
  }
  return decoding::ok;
}

} // namespace

decoding decode_rest(const cell& c, bool& x) {
  if (c.encoding == encoding::null)
    return decoding::null;
  if (c.encoding == encoding::integer) {
    const auto number = load_native<std::int64_t>(c.data);
    x = number == 1;
    return number == 0 || number == 1 ? decoding::ok : decoding::out_of_range;
  }
  if (c.oid != oid_bool)
    return decoding::wrong_type;
  x = c.bytes() == "t";
  return c.encoding == encoding::text && (x || c.bytes() == "f") ? decoding::ok : decoding::malformed;
}

decoding decode_rest(const cell& c, std::string& x) {
  x.clear();
  if (c.encoding == encoding::null)
    return decoding::null;
  return append_text(x, c) ? decoding::ok : decoding::malformed;
}

decoding decode_rest(const cell& c, std::string_view& x) {
  if (c.encoding == encoding::null)
    return decoding::null;
  // Other types that can come in binary have no text to point at then, so they have none in text format either.
  if (c.encoding != encoding::text || binary_is_exact(c.oid))
    return decoding::wrong_type;
  x = c.bytes();
  return decoding::ok;
}

decoding decode(const cell& c, bytes& x) {
  x.clear();
  if (c.encoding == encoding::null)
    return decoding::null;
  const auto text = c.bytes();
  if (c.encoding == encoding::blob || (c.encoding == encoding::text && c.oid == 0)) {
    const auto raw = std::as_bytes(std::span{c.data, c.size});
    x.assign(raw.begin(), raw.end());
    return decoding::ok;
  }
  if (c.encoding != encoding::text || c.oid != oid_bytea)
    return decoding::wrong_type;
  return text.starts_with("\\x") ? parse_hex(text.substr(2), x) : parse_escaped(text, x);
}

decoding decode_rest(const cell& c, date& x) {
  if (c.encoding == encoding::null)
    return decoding::null;
  if (c.oid != oid_date && (c.oid != 0 || c.encoding != encoding::text))
    return decoding::wrong_type;
  std::int64_t days = 0;
  if (c.encoding == encoding::text) {
    if (const auto status = parse_date(c.bytes(), days); status != decoding::ok)
      return status;
  } else if (is_binary<std::int32_t>(c, oid_date)) {
    const auto since_2000 = load_big_endian<std::int32_t>(c.data);
    if (since_2000 == std::numeric_limits<std::int32_t>::min() ||
        since_2000 == std::numeric_limits<std::int32_t>::max())
      return decoding::out_of_range; // the infinities
    days = since_2000 + epoch_days;
  } else {
    return decoding::malformed;
  }
  x = date{std::chrono::days{days}};
  return decoding::ok;
}

decoding decode_rest(const cell& c, timestamp& x) {
  if (c.encoding == encoding::null)
    return decoding::null;
  if (c.oid != oid_timestamp && c.oid != oid_timestamptz && (c.oid != 0 || c.encoding != encoding::text))
    return decoding::wrong_type;
  if (c.encoding != encoding::text)
    return decoding::malformed;
  const auto offset = c.oid == 0                 ? utc_offset::optional
                      : c.oid == oid_timestamptz ? utc_offset::present
                                                 : utc_offset::absent;
  std::int64_t microseconds = 0;
  const auto status = parse_timestamp(c.bytes(), offset, microseconds);
  x = timestamp{std::chrono::microseconds{microseconds}};
  return status;
}

} // namespace sheaf
