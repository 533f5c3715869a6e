// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers in text. Any thread.

#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace sheaf::app {

/// The number that `text` is from its first character to its last; nothing when it is none, or does not fit.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T x{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return x;
}

} // namespace sheaf::app
