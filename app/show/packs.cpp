// SPDX-License-Identifier: BSD-3-Clause

#include "app/show/packs.hpp"

#include <fmt/format.h>

#include <set>

namespace sheaf::app {

std::string packs_text(const reply& got) {
  std::set<std::uint32_t> packs;
  std::size_t packed = 0;
  for (const auto& x : got.outcomes)
    if (x.pack != 0) {
      packs.insert(x.pack);
      ++packed;
    }
  if (packs.empty())
    return {};
  return fmt::format("{} of {} queries in {} pack{}", packed, got.outcomes.size(), packs.size(),
                     packs.size() == 1 ? "" : "s");
}

} // namespace sheaf::app
