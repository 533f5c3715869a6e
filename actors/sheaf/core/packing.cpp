// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/packing.hpp"

#include <algorithm>

namespace sheaf {

namespace {

/// A pack is worth a session of its own when its statements take longer than this, or than the way there and back.
constexpr std::chrono::nanoseconds pack_at_least = std::chrono::microseconds{200};

/// `all` in `count` packs whose sizes differ by one at most.
void split(std::vector<pack>& to, std::uint32_t database, const std::vector<std::uint32_t>& all, std::size_t count) {
  auto at = all.begin();
  for (std::size_t i = 0; i < count; ++i) {
    const auto end = at + static_cast<std::ptrdiff_t>(all.size() / count + (i < all.size() % count ? 1 : 0));
    to.push_back({.database = database, .queries{at, end}});
    at = end;
  }
}

} // namespace

std::vector<pack> form_packs(const checked_request& asked, const admission::ticket& given,
                             const std::function<std::chrono::nanoseconds(std::size_t)>& round_trip) {
  std::vector<pack> packs;
  std::vector<std::vector<std::uint32_t>> by_database;
  for (std::uint32_t i = 0; i < given.each.size(); ++i)
    if (given.each[i].packed) {
      by_database.resize(std::max<std::size_t>(by_database.size(), asked.databases[i] + 1));
      by_database[asked.databases[i]].push_back(i);
    }
  for (std::uint32_t database = 0; database < by_database.size(); ++database) {
    const auto& all = by_database[database];
    if (all.size() < 2)
      continue;
    std::chrono::nanoseconds work{};
    for (const auto i : all)
      work += *given.each[i].packed;
    const auto way = round_trip(database);
    const auto each = std::max(way, pack_at_least);
    const auto by_time = static_cast<std::size_t>((work + each - std::chrono::nanoseconds{1}) / each);
    const auto by_size = (all.size() + pack_size_max - 1) / pack_size_max;
    const auto first = packs.size();
    split(packs, database, all, std::clamp(by_time, by_size, std::max(by_size, all.size() / 2)));
    for (auto x = packs.begin() + static_cast<std::ptrdiff_t>(first); x != packs.end(); ++x) {
      x->expected = way;
      for (const auto i : x->queries)
        x->expected += *given.each[i].packed;
    }
  }
  std::sort(packs.begin(), packs.end(), [](const pack& a, const pack& b) { return a.queries[0] < b.queries[0]; });
  return packs;
}

} // namespace sheaf
