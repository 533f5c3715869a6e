// SPDX-License-Identifier: BSD-3-Clause
//
// Dates and times of day as PostgreSQL prints them under DateStyle ISO. Pure functions, any thread. They count in 64
// bits: std::chrono::year_month_day ends at year 32767, PostgreSQL's dates at 5874897.

#pragma once

#include "sheaf/data/decoding.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sheaf::postgresql {

inline constexpr std::int64_t epoch_days = 10'957; ///< 2000-01-01, where PostgreSQL's binary formats count from.

/// Appends `2024-02-29` or `0044-03-15 BC`. `days` count from 1970-01-01.
void append_date(std::string& out, std::int64_t days);

/// Appends `2024-02-29 12:34:56.789`, then `offset`, then ` BC` where that applies. `microseconds` count from the start
/// of the day `epoch`. Zeros at the end of the fraction are left out, as is an empty one.
void append_timestamp(std::string& out, std::int64_t microseconds, std::int64_t epoch, std::string_view offset = {});

/// Reads a date; `days` count from 1970-01-01. `infinity` is out of range.
decoding parse_date(std::string_view text, std::int64_t& days) noexcept;

/// Says whether a timestamp ends with its distance from UTC: `+02`, `-03:30`, `+00:01:15`.
enum class utc_offset : std::uint8_t { absent, present, optional };

/// Reads a timestamp in microseconds since 1970-01-01 UTC. `infinity` is out of range, as is what does not fit into 64
/// bits.
decoding parse_timestamp(std::string_view text, utc_offset offset, std::int64_t& microseconds) noexcept;

} // namespace sheaf::postgresql
