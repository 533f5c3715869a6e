// SPDX-License-Identifier: BSD-3-Clause
//
// Draws without bias: numbers that would make some results likelier are drawn again. One thread at a time.

#include "app/expression/generator.hpp"

#include <cassert>
#include <limits>

namespace sheaf::app {

std::int64_t generator::between(std::int64_t low, std::int64_t high) {
  assert(low <= high);
  constexpr auto all = std::numeric_limits<std::uint64_t>::max();
  const auto base = static_cast<std::uint64_t>(low);
  const auto span = static_cast<std::uint64_t>(high) - base;
  if (span == all)
    return static_cast<std::int64_t>(engine_());
  const auto count = span + 1;
  const auto surplus = (all % count + 1) % count; // 2^64 modulo count
  auto drawn = engine_();
  while (drawn > all - surplus)
    drawn = engine_();
  return static_cast<std::int64_t>(base + drawn % count);
}

} // namespace sheaf::app
