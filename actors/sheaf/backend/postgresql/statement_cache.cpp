// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/statement_cache.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fmt/format.h>

namespace sheaf {

std::string statement_name(std::string_view text, const std::vector<Oid>& types) {
  const auto all = fmt::format("{}\n{}", fmt::join(types, ","), text);
  const auto hash =
      XXH3_128bits(all.data(), all.size()); // that two of a million million share one is unlikely by 10⁻¹⁴
  return fmt::format("sheaf_{:016x}{:016x}", hash.high64, hash.low64);
}

} // namespace sheaf
