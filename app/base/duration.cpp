// SPDX-License-Identifier: BSD-3-Clause
//
// Reads and writes durations. Any thread.

#include "app/base/duration.hpp"

#include "sheaf/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace sheaf::app {

namespace {

constexpr std::array<std::pair<std::string_view, double>, 5> units{{
    {"us", 1e3},
    {"ms", 1e6},
    {"s", 1e9},
    {"m", 60e9},
    {"h", 3600e9},
}};

constexpr double nanoseconds_max = 10.0 * 365 * 24 * 3600e9;

} // namespace

result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number))
    return invalid_request("a duration is a number and a unit, as in 250ms, 5s or 1m");
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty())
    return invalid_request("a duration needs a unit, as in 250ms, 5s or 1m");
  for (const auto& [name, scale] : units) {
    if (unit != name)
      continue;
    const double nanoseconds = number * scale;
    if (nanoseconds < 1 || nanoseconds > nanoseconds_max)
      return invalid_request("a duration is more than nothing and at most ten years");
    return std::chrono::nanoseconds{std::llround(nanoseconds)};
  }
  return invalid_request("the unit of a duration is us, ms, s, m or h");
}

result<double> parse_rate(std::string_view text) {
  constexpr double at_most = 10e6;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const double seconds = unit == "/s" ? 1 : unit == "/m" ? 60 : unit == "/h" ? 3600 : 0;
  if (error != std::errc{} || !std::isfinite(number) || seconds == 0)
    return invalid_request("a rate is a number and a unit, as in 500/s, 30/m or 10/h");
  if (number <= 0 || number / seconds > at_most)
    return invalid_request("a rate is more than nothing and at most ten million a second");
  return number / seconds;
}

std::string to_text(std::chrono::nanoseconds time) {
  const auto three_digits = [](double x, std::string_view unit) {
    const int decimals = x < 9.995 ? 2 : x < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}", x, decimals, unit);
  };
  const auto nanoseconds = static_cast<double>(time.count());
  if (nanoseconds < 999.5e3)
    return fmt::format("{:.0f} us", nanoseconds / 1e3);
  if (nanoseconds < 999.5e6)
    return three_digits(nanoseconds / 1e6, "ms");
  return three_digits(nanoseconds / 1e9, "s");
}

std::chrono::nanoseconds median(std::vector<std::chrono::nanoseconds> times) {
  const auto middle = times.size() / 2;
  std::sort(times.begin(), times.end());
  return times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
}

} // namespace sheaf::app
