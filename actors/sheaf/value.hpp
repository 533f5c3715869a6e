// SPDX-License-Identifier: BSD-3-Clause
//
// One parameter's value: what a caller binds to `:name` in a statement.

#pragma once

#include "sheaf/error.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace sheaf {

using bytes = std::vector<std::byte>;
using date = std::chrono::sys_days;
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// A value of one of the types that can be bound. An array's elements may be null and have one type otherwise.
///
/// In PostgreSQL a whole number is a `bigint`, and a boolean, bytes and a date are what they are, if the statement
/// takes that: if there is no such function or operator, it is sent again, untyped. The types of text, of
/// floating-point numbers (a `numeric` keeps all their digits), of timestamps and of arrays are inferred from where
/// they stand.
class value {
public:
  using array = std::vector<value>;
  using storage = std::variant<std::monostate, bool, std::int64_t, double, std::string, bytes, date, timestamp, array>;

  value() noexcept = default; ///< NULL.
  value(std::nullptr_t) noexcept {}
  value(std::nullopt_t) noexcept {}
  value(bool x) noexcept : data_(x) {}
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  value(T x) : data_(checked(x)) {}
  value(double x) noexcept : data_(x) {}
  value(float x) noexcept : data_(static_cast<double>(x)) {}
  value(std::string x) noexcept : data_(std::move(x)) {}
  value(std::string_view x) : data_(std::string{x}) {}
  value(const char* x) : data_(std::string{x}) {}
  value(const void*) = delete; // would be a bool
  value(bytes x) noexcept : data_(std::move(x)) {}
  value(date x) noexcept : data_(x) {}
  value(std::chrono::year_month_day x) noexcept : data_(date{x}) {}
  template <class Duration>
    requires(!std::same_as<Duration, std::chrono::days>)
  value(std::chrono::sys_time<Duration> x) : data_(std::chrono::floor<std::chrono::microseconds>(x)) {}
  value(array xs) noexcept : data_(std::move(xs)) {}
  template <class T>
    requires(!std::same_as<T, value> && !std::same_as<T, std::byte>)
  value(const std::vector<T>& xs) : data_(array(xs.begin(), xs.end())) {}
  template <class T>
  value(std::optional<T> x) {
    if (x)
      *this = value{std::move(*x)};
  }

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data_); }
  const storage& data() const noexcept { return data_; }

private:
  template <class T>
  static std::int64_t checked(T x) {
    if (!std::in_range<std::int64_t>(x))
      throw error({.code = errc::invalid_request,
                   .message = "an integer parameter does not fit into 64 bits; pass it as text"});
    return static_cast<std::int64_t>(x);
  }

  storage data_;
};

/// The values of one query's parameters by name. The name stands without its colon.
using parameters = std::vector<std::pair<std::string, value>>;

/// The value named `name`, or null when there is none.
const value* find(const parameters& values, std::string_view name) noexcept;

/// `x` as PostgreSQL's text input format for its type (manual, chapter 8): `t`, `42`, `\x00ff`, `{1,2,NULL}`. A
/// timestamp is in UTC and says so, `2024-02-29 12:00:00+00:00`: right for timestamptz in any time zone, and timestamp
/// takes no notice of it. Appends to `out`. A null has no text; the caller binds it as NULL. Text with a NUL byte is
/// the caller's to refuse.
void append_postgresql_text(std::string& out, const value& x);

/// True when `x`, or an element of it, is text that holds a NUL byte, which no backend can bind.
bool contains_nul(const value& x) noexcept;

} // namespace sheaf
