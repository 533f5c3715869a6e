// SPDX-License-Identifier: BSD-3-Clause

#pragma once

#include <cstddef>
#include <cstdint>

namespace sheaf {

/// The lexical rules that a statement follows.
enum class dialect : std::uint8_t { postgresql, sqlite };
inline constexpr std::size_t dialect_count = 2;

} // namespace sheaf
