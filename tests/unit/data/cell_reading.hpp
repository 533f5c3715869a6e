// SPDX-License-Identifier: BSD-3-Clause
//
// Cells made by hand, and ways to read them.

#pragma once

#include "sheaf/data/decode.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>

namespace sheaf {

/// A value of a PostgreSQL type in text format.
inline cell pg(std::uint32_t oid, std::string_view text) {
  return {.encoding = encoding::text, .oid = oid, .data = text.data(), .size = text.size()};
}

/// The outcome of reading `x` as a `T`.
template <class T>
decoding status(const cell& x) {
  T read{};
  return decode(x, read);
}

/// The value, which must be there.
template <class T>
T read(const cell& x) {
  T out{};
  EXPECT_EQ(decode(x, out), decoding::ok) << std::string_view(x.data, x.size);
  return out;
}

constexpr std::uint32_t oid_enum = 16'412;

} // namespace sheaf
