// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers out of bytes. Pure functions, any thread.

#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace sheaf {

/// A C++ type for numbers: integers of any width, but neither bool nor characters.
template <class T>
concept integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                  !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
T load_native(const char* data) noexcept {
  T x;
  std::memcpy(&x, data, sizeof(T));
  return x;
}

/// Reads network byte order.
template <integer T>
T load_big_endian(const char* data) noexcept {
  const auto x = load_native<T>(data);
  if constexpr (std::endian::native == std::endian::big)
    return x;
  else if constexpr (sizeof(T) == 8)
    return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(x)));
  else if constexpr (sizeof(T) == 4)
    return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(x)));
  else
    return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(x)));
}

} // namespace sheaf
