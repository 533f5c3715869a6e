// SPDX-License-Identifier: BSD-3-Clause
//
// The layout: counts and lengths as LEB128, fixed-size numbers in little-endian order, a version in front.

#include "sheaf/data/wire.hpp"

#include "sheaf/data/postgresql_types.hpp"
#include "sheaf/table.hpp"
#include "sheaf/table_builder.hpp"
#include "sheaf/value.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>

namespace sheaf::wire {

namespace {

constexpr char version = 1;

void append_count(std::string& out, std::uint64_t x) {
  for (; x >= 0x80; x >>= 7)
    out += static_cast<char>(x | 0x80);
  out += static_cast<char>(x);
}

void append_fixed(std::string& out, std::uint64_t x) {
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>(x >> (8 * i));
}

void append_string(std::string& out, std::string_view x) {
  append_count(out, x.size());
  out += x;
}

/// A value's tag is its place in `value::storage`.
void append_element(std::string& out, const value& x) {
  out += static_cast<char>(x.data().index());
  std::visit(
      [&out](const auto& held) {
        using held_type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<held_type, bool>)
          out += held ? '\1' : '\0';
        else if constexpr (std::is_same_v<held_type, std::int64_t>)
          append_fixed(out, static_cast<std::uint64_t>(held));
        else if constexpr (std::is_same_v<held_type, double>)
          append_fixed(out, std::bit_cast<std::uint64_t>(held));
        else if constexpr (std::is_same_v<held_type, std::string>)
          append_string(out, held);
        else if constexpr (std::is_same_v<held_type, bytes>)
          append_string(out, {reinterpret_cast<const char*>(held.data()), held.size()});
        else if constexpr (std::is_same_v<held_type, date> || std::is_same_v<held_type, timestamp>)
          append_fixed(out, static_cast<std::uint64_t>(held.time_since_epoch().count()));
        else if constexpr (std::is_same_v<held_type, value::array>) {
          append_count(out, held.size());
          for (const auto& element : held)
            append_element(out, element);
        }
      },
      x.data());
}

void append_cell(std::string& out, const cell& x) {
  out += static_cast<char>(x.encoding);
  std::uint64_t number = 0;
  switch (x.encoding) {
  case encoding::null:
    break;
  case encoding::integer:
  case encoding::real:
    std::memcpy(&number, x.data, sizeof number);
    append_fixed(out, number);
    break;
  default:
    append_string(out, {x.data, x.size});
  }
}

/// Reads from left to right. After the first thing that is wrong, everything reads as zero or empty, and `ok` is false.
class reader {
public:
  explicit reader(std::string_view in) noexcept : rest_(in) {}

  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return rest_.empty(); }

  void fail() noexcept {
    ok_ = false;
    rest_ = {};
  }

  std::string_view take(std::uint64_t size) noexcept {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::uint8_t byte() noexcept {
    const auto taken = take(1);
    return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
  }

  std::uint64_t fixed() noexcept {
    std::uint64_t x = 0;
    const auto taken = take(8);
    for (std::size_t i = 0; i < taken.size(); ++i)
      x |= std::uint64_t{static_cast<std::uint8_t>(taken[i])} << (8 * i);
    return x;
  }

  std::uint64_t count() noexcept {
    std::uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t next = byte();
      if (shift == 63 && next > 1)
        break;
      x |= (next & 0x7F) << shift;
      if (next < 0x80)
        return ok_ ? x : 0;
    }
    fail();
    return 0;
  }

  /// A number of things that take at least a byte each.
  std::uint64_t count_of_things() noexcept {
    const auto x = count();
    if (x <= rest_.size())
      return x;
    fail();
    return 0;
  }

  std::string_view string() noexcept { return take(count()); }

private:
  std::string_view rest_;
  bool ok_ = true;
};

value read_element(reader& in, int depth) {
  switch (in.byte()) {
  case 0:
    return {};
  case 1: {
    const auto x = in.byte();
    if (x > 1)
      in.fail();
    return value{x == 1};
  }
  case 2:
    return static_cast<std::int64_t>(in.fixed());
  case 3:
    return std::bit_cast<double>(in.fixed());
  case 4:
    return in.string();
  case 5: {
    const auto raw = std::as_bytes(std::span{in.string()});
    return bytes(raw.begin(), raw.end());
  }
  case 6:
    return date{date::duration{static_cast<date::rep>(in.fixed())}};
  case 7:
    return timestamp{timestamp::duration{static_cast<timestamp::rep>(in.fixed())}};
  case 8: {
    value::array xs;
    if (depth == depth_max)
      in.fail();
    for (auto left = in.count_of_things(); left > 0 && in.ok(); --left)
      xs.push_back(read_element(in, depth + 1));
    return xs;
  }
  default:
    in.fail();
    return {};
  }
}

std::vector<column> read_columns(reader& in) {
  std::vector<column> columns;
  for (auto left = in.count_of_things(); left > 0 && in.ok(); --left) {
    std::string name{in.string()};
    const auto oid = in.count();
    if (oid > std::numeric_limits<std::uint32_t>::max())
      in.fail();
    columns.push_back({std::move(name), static_cast<std::uint32_t>(oid), std::string{in.string()}});
  }
  return columns;
}

void read_cell(reader& in, std::uint32_t oid, table_builder& out) {
  const auto how = in.byte();
  switch (static_cast<encoding>(how)) {
  case encoding::null:
    return out.add_null();
  case encoding::text:
    return out.add_text(in.string());
  case encoding::blob:
    return out.add_blob(in.string());
  case encoding::integer:
    return out.add_integer(static_cast<std::int64_t>(in.fixed()));
  case encoding::real:
    return out.add_real(std::bit_cast<double>(in.fixed()));
  case encoding::binary: {
    const auto data = in.string();
    const auto size = postgresql::binary_size(oid);
    if (!postgresql::binary_is_exact(oid) || (size != 0 && size != data.size()))
      in.fail();
    return out.add({.encoding = encoding::binary, .oid = oid, .data = data.data(), .size = data.size()});
  }
  }
  in.fail();
}

failure broken() { return {.code = errc::invalid_request, .message = "a message that is cut off or broken"}; }

} // namespace

void append(std::string& out, const value& x) {
  out += version;
  append_element(out, x);
}

void append(std::string& out, const table& x) {
  out += version;
  append_count(out, x.columns());
  for (std::size_t i = 0; i < x.columns(); ++i) {
    const auto column = x.column_at(i);
    append_string(out, column.name);
    append_count(out, column.oid);
    append_string(out, column.type);
  }
  append_count(out, x.rows());
  append_count(out, x.affected_rows());
  for (std::size_t row = 0; row < x.rows(); ++row)
    for (std::size_t i = 0; i < x.columns(); ++i)
      append_cell(out, x.cell_at(row, i));
}

result<value> read_value(std::string_view in) {
  reader from{in};
  if (from.byte() != version)
    return broken();
  auto x = read_element(from, 0);
  if (!from.ok() || !from.at_end())
    return broken();
  return x;
}

result<table> read_table(std::string_view in) {
  reader from{in};
  if (from.byte() != version)
    return broken();
  const auto columns = read_columns(from);
  const auto rows = from.count();
  const auto affected_rows = from.count();
  table_builder out{columns};
  if (columns.empty())
    out.add_empty_rows(rows);
  else
    for (std::uint64_t row = 0; row < rows && from.ok(); ++row)
      for (const auto& column : columns)
        read_cell(from, column.oid, out);
  if (!from.ok() || !from.at_end())
    return broken();
  return out.finish(affected_rows);
}

} // namespace sheaf::wire
