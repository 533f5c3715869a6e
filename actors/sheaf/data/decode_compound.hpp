// SPDX-License-Identifier: BSD-3-Clause
//
// A cell as a C++ value that is made of others: any unit of time, std::optional, std::vector. And the names of these
// types in messages. Pure functions, any thread.

#pragma once

#include "sheaf/data/decode.hpp"
#include "sheaf/data/postgresql_array.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sheaf {

/// Reads from the types that `timestamp` is read from, in any unit that holds the value exactly.
template <integer Rep, class Period>
decoding decode(const cell& c, std::chrono::sys_time<std::chrono::duration<Rep, Period>>& x) {
  using factor = std::ratio_divide<std::micro, Period>;
  timestamp exact;
  if (const auto status = decode(c, exact); status != decoding::ok)
    return status;
  const std::int64_t count = exact.time_since_epoch().count();
  std::int64_t scaled = 0;
  Rep narrow = 0;
  if (count % factor::den != 0)
    return decoding::inexact;
  if (__builtin_mul_overflow(count / factor::den, factor::num, &scaled))
    return decoding::out_of_range;
  const auto status = assign_integer(narrow, scaled);
  x = std::chrono::sys_time<std::chrono::duration<Rep, Period>>{std::chrono::duration<Rep, Period>{narrow}};
  return status;
}

template <class T>
decoding decode(const cell& c, std::optional<T>& x) {
  if (c.encoding == encoding::null) {
    x.reset();
    return decoding::ok;
  }
  return decode(c, x.emplace());
}

/// `ok` when a cell can be read as an array. One whose type is not built in (of an enum, say) is read by its text, and
/// only as strings.
decoding check_array(const cell& c, bool as_strings) noexcept;

/// Reads from arrays of at most one dimension. Not as views: the elements' text is not stored as such.
template <class T>
  requires(!std::same_as<T, std::string_view> && !std::same_as<T, std::optional<std::string_view>>)
decoding decode(const cell& c, std::vector<T>& xs) {
  xs.clear();
  if (const auto status = check_array(c, std::same_as<T, std::string> || std::same_as<T, std::optional<std::string>>);
      status != decoding::ok)
    return status;
  postgresql::array_reader reader{c};
  for (cell element; reader.next(element);) {
    T x{};
    if (const auto status = decode(element, x); status != decoding::ok)
      return status == decoding::null ? decoding::null_element : status;
    xs.push_back(std::move(x));
  }
  return reader.status();
}

/// A type that a cell can be read as.
template <class T>
concept readable = std::default_initializable<T> && requires(const cell& c, T& x) {
  { decode(c, x) } -> std::same_as<decoding>;
};

/// The name of a readable type, for messages.
template <class T>
struct cxx_name;

template <>
struct cxx_name<bool> {
  static std::string get() { return "bool"; }
};

template <>
struct cxx_name<float> {
  static std::string get() { return "float"; }
};

template <>
struct cxx_name<double> {
  static std::string get() { return "double"; }
};

template <>
struct cxx_name<std::string> {
  static std::string get() { return "std::string"; }
};

template <>
struct cxx_name<std::string_view> {
  static std::string get() { return "std::string_view"; }
};

template <>
struct cxx_name<bytes> {
  static std::string get() { return "sheaf::bytes"; }
};

template <>
struct cxx_name<date> {
  static std::string get() { return "sheaf::date"; }
};

template <>
struct cxx_name<timestamp> {
  static std::string get() { return "sheaf::timestamp"; }
};

template <integer T>
struct cxx_name<T> {
  static std::string get() {
    return (std::is_signed_v<T> ? "std::int" : "std::uint") + std::to_string(8 * sizeof(T)) + "_t";
  }
};

template <class Rep, class Period>
struct cxx_name<std::chrono::sys_time<std::chrono::duration<Rep, Period>>> {
  static std::string get() {
    return "std::chrono::sys_time (" + std::to_string(Period::num) + '/' + std::to_string(Period::den) + " s)";
  }
};

template <class T>
struct cxx_name<std::optional<T>> {
  static std::string get() { return "std::optional<" + cxx_name<T>::get() + '>'; }
};

template <class T>
struct cxx_name<std::vector<T>> {
  static std::string get() { return "std::vector<" + cxx_name<T>::get() + '>'; }
};

} // namespace sheaf
