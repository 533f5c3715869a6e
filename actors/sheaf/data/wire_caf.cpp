// SPDX-License-Identifier: BSD-3-Clause
//
// Values and tables through CAF's serializers: a length, then the bytes.

#include "sheaf/data/wire.hpp"
#include "sheaf/table.hpp"
#include "sheaf/value.hpp"

#include <caf/deserializer.hpp>
#include <caf/error.hpp>
#include <caf/sec.hpp>
#include <caf/serializer.hpp>

#include <algorithm>
#include <array>

namespace sheaf::wire {

namespace {

constexpr std::size_t piece_bytes = 16 << 10;

template <class T>
caf::error save_with(caf::serializer& f, const T& x) {
  std::string all;
  append(all, x);
  std::uint64_t size = all.size();
  if (auto failed = f(size))
    return failed;
  return f.apply_raw(all.size(), all.data());
}

caf::error load_bytes(caf::deserializer& f, std::string& all) {
  std::uint64_t left = 0;
  if (auto failed = f(left))
    return failed;
  std::array<char, piece_bytes> piece; // memory grows with what has arrived
  while (left > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
    if (auto failed = f.apply_raw(size, piece.data()))
      return failed;
    all.append(piece.data(), size);
    left -= size;
  }
  return {};
}

template <class T>
caf::error load_with(caf::deserializer& f, T& x, result<T> (*read)(std::string_view)) {
  std::string all;
  if (auto failed = load_bytes(f, all))
    return failed;
  auto made = read(all);
  if (!made)
    return caf::make_error(caf::sec::invalid_argument, made.error().message);
  x = std::move(*made);
  return {};
}

} // namespace

caf::error save(caf::serializer& f, const value& x) { return save_with(f, x); }

caf::error save(caf::serializer& f, const table& x) { return save_with(f, x); }

caf::error load(caf::deserializer& f, value& x) { return load_with(f, x, &read_value); }

caf::error load(caf::deserializer& f, table& x) { return load_with(f, x, &read_table); }

} // namespace sheaf::wire
