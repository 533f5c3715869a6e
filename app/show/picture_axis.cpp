// SPDX-License-Identifier: BSD-3-Clause
//
// Round numbers along an axis of time. Any thread.

#include "app/show/picture_axis.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace sheaf::app {

namespace {

struct unit {
  std::string_view name;
  double nanoseconds;
};

unit unit_for(std::chrono::nanoseconds span) noexcept {
  if (span < std::chrono::milliseconds{1})
    return {"us", 1e3};
  return span < std::chrono::seconds{1} ? unit{"ms", 1e6} : unit{"s", 1e9};
}

/// The steps are 1, 2, 5, 10, … The least of which no more than `most` fit.
std::int64_t step_for(std::int64_t span, std::int64_t most) noexcept {
  for (std::int64_t power = 1;; power *= 10)
    for (const std::int64_t digit : {1, 2, 5})
      if (span / (digit * power) <= most)
        return digit * power;
}

} // namespace

std::vector<tick> ticks_of(std::chrono::nanoseconds span, std::size_t most) {
  // Beyond a hundred years nothing is to be seen, and the steps would not fit.
  const auto whole = std::clamp<std::int64_t>(span.count(), 1, 3'000'000'000'000'000'000);
  const auto [name, scale] = unit_for(span);
  const auto step = step_for(whole, static_cast<std::int64_t>(std::max<std::size_t>(most, 1)));
  std::vector<tick> out;
  for (std::int64_t at = 0; at <= whole; at += step)
    out.push_back({std::chrono::nanoseconds{at},
                   at == 0 ? std::string{"0"} : fmt::format("{:.9g} {}", static_cast<double>(at) / scale, name)});
  return out;
}

} // namespace sheaf::app
