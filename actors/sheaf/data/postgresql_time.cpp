// SPDX-License-Identifier: BSD-3-Clause
//
// The proleptic Gregorian calendar in 64 bits, and the two text formats built on it.

#include "sheaf/data/postgresql_time.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace sheaf::postgresql {

namespace {

constexpr std::int64_t day_microseconds = 86'400'000'000;

/// Astronomical: year 0 is 1 BC.
struct civil {
  std::int64_t year;
  unsigned month, day;
};

constexpr std::int64_t floor_div(std::int64_t x, std::int64_t y) noexcept { return x / y - (x % y < 0 ? 1 : 0); }
constexpr std::int64_t floor_mod(std::int64_t x, std::int64_t y) noexcept { return x % y + (x % y < 0 ? y : 0); }

// Both directions count 400-year eras of years that begin in March, so that the leap day is a year's last.
// http://howardhinnant.github.io/date_algorithms.html
constexpr std::int64_t days_in_era = 146'097;
constexpr std::int64_t epoch_to_era = 719'468; // 0000-03-01 to 1970-01-01

constexpr civil civil_of(std::int64_t days) noexcept {
  // In this order no number of days overflows.
  const auto shifted = floor_mod(days, days_in_era) + epoch_to_era;
  const auto era = floor_div(days, days_in_era) + shifted / days_in_era;
  const auto day_of_era = shifted % days_in_era;
  const auto year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const auto day_of_year =
      static_cast<unsigned>(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
  const auto shifted_month = (5 * day_of_year + 2) / 153;
  const auto month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

constexpr std::int64_t days_of(civil x) noexcept {
  const auto year = x.year - (x.month <= 2 ? 1 : 0);
  const auto era = floor_div(year, 400);
  const auto year_of_era = year - era * 400;
  const auto shifted_month = x.month > 2 ? x.month - 3 : x.month + 9;
  const auto day_of_year = (153 * shifted_month + 2) / 5 + x.day - 1;
  return era * days_in_era + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - epoch_to_era;
}

constexpr unsigned last_day(std::int64_t year, unsigned month) noexcept {
  constexpr unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : lengths[month - 1];
}

/// Appends `x` with at least `width` digits.
void append_number(std::string& out, std::int64_t x, int width) {
  char digits[20];
  const auto end = std::to_chars(digits, std::end(digits), x).ptr;
  if (const auto size = static_cast<int>(end - digits); size < width)
    out.append(static_cast<std::size_t>(width - size), '0');
  out.append(digits, end);
}

void append_civil(std::string& out, civil x) {
  append_number(out, x.year > 0 ? x.year : 1 - x.year, 4);
  out += '-';
  append_number(out, x.month, 2);
  out += '-';
  append_number(out, x.day, 2);
}

void append_time_of_day(std::string& out, std::int64_t microsecond) {
  auto second = microsecond / 1'000'000;
  append_number(out, second / 3600, 2);
  out += ':';
  append_number(out, second / 60 % 60, 2);
  out += ':';
  append_number(out, second % 60, 2);
  if (const auto fraction = microsecond % 1'000'000; fraction != 0) {
    out += '.';
    append_number(out, fraction, 6);
    out.erase(out.find_last_not_of('0') + 1);
  }
}

/// Reads text from left to right. A failed step leaves the rest unspecified.
class reader {
public:
  explicit reader(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }

  bool skip(std::string_view text) noexcept {
    if (!rest_.starts_with(text))
      return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  /// A run of `min` to `max` digits, all of it.
  bool number(std::size_t min, std::size_t max, std::int64_t& x) noexcept {
    const auto size = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (size < min || size > max)
      return false;
    std::from_chars(rest_.data(), rest_.data() + size, x);
    rest_.remove_prefix(size);
    return true;
  }

  /// Two digits below `limit`.
  bool pair(std::int64_t limit, std::int64_t& x) noexcept { return number(2, 2, x) && x < limit; }

  bool civil_date(civil& x) noexcept {
    std::int64_t month = 0, day = 0;
    if (!number(4, 7, x.year) || !skip("-") || !pair(13, month) || month == 0 || !skip("-") || !pair(32, day) ||
        day == 0)
      return false;
    x.month = static_cast<unsigned>(month);
    x.day = static_cast<unsigned>(day);
    return true;
  }

  /// The end of any date: ` BC` or nothing.
  bool era(civil& x) noexcept {
    if (skip(" BC")) {
      if (x.year == 0)
        return false;
      x.year = 1 - x.year;
    }
    return at_end() && x.day <= last_day(x.year, x.month);
  }

  bool time_of_day(std::int64_t& microsecond) noexcept {
    std::int64_t hours = 0, minutes = 0, seconds = 0, fraction = 0;
    if (!pair(24, hours) || !skip(":") || !pair(60, minutes) || !skip(":") || !pair(60, seconds))
      return false;
    if (skip(".")) {
      const auto before = rest_.size();
      if (!number(1, 6, fraction))
        return false;
      for (auto digits = before - rest_.size(); digits < 6; ++digits)
        fraction *= 10;
    }
    microsecond = ((hours * 60 + minutes) * 60 + seconds) * 1'000'000 + fraction;
    return true;
  }

  /// `+02`, `-03:30`, `+00:01:15`, and where it is optional `Z` or nothing.
  bool offset(utc_offset rule, std::int64_t& microseconds) noexcept {
    if (rule == utc_offset::absent || (rule == utc_offset::optional && skip("Z")))
      return true;
    const bool west = rest_.starts_with('-');
    if (!skip("+") && !skip("-"))
      return rule == utc_offset::optional;
    std::int64_t hours = 0, minutes = 0, seconds = 0;
    if (!pair(24, hours) || (skip(":") && (!pair(60, minutes) || (skip(":") && !pair(60, seconds)))))
      return false;
    microseconds = ((hours * 60 + minutes) * 60 + seconds) * (west ? -1'000'000 : 1'000'000);
    return true;
  }

private:
  std::string_view rest_;
};

bool is_infinity(std::string_view text) noexcept { return text == "infinity" || text == "-infinity"; }

} // namespace

void append_date(std::string& out, std::int64_t days) {
  const auto when = civil_of(days);
  append_civil(out, when);
  if (when.year <= 0)
    out += " BC";
}

void append_timestamp(std::string& out, std::int64_t microseconds, std::int64_t epoch, std::string_view offset) {
  const auto when = civil_of(floor_div(microseconds, day_microseconds) + epoch);
  append_civil(out, when);
  out += ' ';
  append_time_of_day(out, floor_mod(microseconds, day_microseconds));
  out += offset;
  if (when.year <= 0)
    out += " BC";
}

decoding parse_date(std::string_view text, std::int64_t& days) noexcept {
  if (is_infinity(text))
    return decoding::out_of_range;
  reader in{text};
  civil when{};
  if (!in.civil_date(when) || !in.era(when))
    return decoding::malformed;
  days = days_of(when);
  return decoding::ok;
}

decoding parse_timestamp(std::string_view text, utc_offset offset, std::int64_t& microseconds) noexcept {
  if (is_infinity(text))
    return decoding::out_of_range;
  reader in{text};
  civil when{};
  std::int64_t of_day = 0, east = 0;
  if (!in.civil_date(when) || (!in.skip(" ") && !in.skip("T")) || !in.time_of_day(of_day) || !in.offset(offset, east) ||
      !in.era(when))
    return decoding::malformed;
  // Before 1970 the day is taken one later and its time negative, so that the earliest value does not overflow on the
  // way.
  auto days = days_of(when);
  of_day -= east;
  if (days < 0) {
    ++days;
    of_day -= day_microseconds;
  }
  if (__builtin_mul_overflow(days, day_microseconds, &microseconds) ||
      __builtin_add_overflow(microseconds, of_day, &microseconds))
    return decoding::out_of_range;
  return decoding::ok;
}

} // namespace sheaf::postgresql
