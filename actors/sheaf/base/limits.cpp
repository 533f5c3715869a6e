// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/limits.hpp"

#include <fmt/format.h>

#include <utility>

namespace sheaf::limits {
namespace {

/// `30s`, `250ms`: in the largest unit that leaves no fraction, as settings are written.
std::string text(std::chrono::nanoseconds x) {
  constexpr std::pair<std::string_view, std::int64_t> units[] = {
      {"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}};
  if (x.count() == 0)
    return "0s";
  for (const auto& [unit, length] : units)
    if (x.count() % length == 0)
      return fmt::format("{}{}", x.count() / length, unit);
  return fmt::format("{}ns", x.count());
}

std::string message(std::string_view name, const auto& x, const auto& low, const auto& high) {
  return fmt::format("{} is {}; set it to between {} and {}", name, x, low, high);
}

} // namespace

std::optional<std::string> check(std::string_view name, std::size_t x, std::size_t low, std::size_t high) {
  if (x >= low && x <= high)
    return {};
  return message(name, x, low, high);
}

std::optional<std::string> check(std::string_view name, std::chrono::nanoseconds x, std::chrono::nanoseconds low) {
  if (x >= low && x <= duration_max)
    return {};
  return message(name, text(x), text(low), text(duration_max));
}

} // namespace sheaf::limits
