// SPDX-License-Identifier: BSD-3-Clause
//
// The bytes of `max_bytes` that a cell counts for: about those that it takes in memory, and the same wherever it comes
// from and in whichever format. Any thread.

#pragma once

#include "sheaf/cell.hpp"
#include "sheaf/data/postgresql_types.hpp"

#include <cstddef>

namespace sheaf {

/// 16 bytes for any cell, NULL too, and besides those of its value, unless all values of its type have one size.
inline std::size_t counted_bytes(const cell& x) noexcept {
  constexpr std::size_t of_any = 16;
  const bool has_one_size =
      x.encoding == encoding::integer || x.encoding == encoding::real || postgresql::binary_size(x.oid) != 0;
  return has_one_size ? of_any : of_any + x.size;
}

} // namespace sheaf
