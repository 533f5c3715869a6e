// SPDX-License-Identifier: BSD-3-Clause
//
// Durations and rates as people write and read them: `250ms`, `5s`, `1.5m`; `500/s`.

#pragma once

#include "sheaf/error.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// A positive duration with its unit: `us`, `ms`, `s`, `m` or `h`. A bare number, another unit, zero, a negative
/// duration and one beyond ten years are `invalid_request`.
result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// So many a second from `500/s`, `30/m` or `1.5/h`. Without its unit, not positive or beyond ten million a second is
/// `invalid_request`.
result<double> parse_rate(std::string_view text);

/// The same of what `parse_rate` takes.
inline constexpr const char* rate_pattern = R"(^(?=[^a-z]*[1-9])([0-9]+\.?[0-9]*|\.[0-9]+)/[smh]$)";

/// A regular expression (ECMAScript) of what `parse_duration` takes, but for what is too short or too long.
inline constexpr const char* duration_pattern = R"(^(?=[^a-z]*[1-9])([0-9]+\.?[0-9]*|\.[0-9]+)(us|ms|s|m|h)$)";

/// Three digits and a unit: `850 us`, `61.2 ms`, `2.26 s`.
std::string to_text(std::chrono::nanoseconds time);

constexpr double in_ms(std::chrono::nanoseconds x) noexcept { return static_cast<double>(x.count()) / 1e6; }

/// The one in the middle, or half-way between the two; of at least one.
std::chrono::nanoseconds median(std::vector<std::chrono::nanoseconds> times);

} // namespace sheaf::app
